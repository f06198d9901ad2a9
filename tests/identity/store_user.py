"""Run as a program: use the store on PostgreSQL until standard input ends, and print how each round went."""

import os
import sys
import threading
from uuid import uuid4


def main() -> None:
    """Print `worked` or `away` whenever it is another than before."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "soma.project.settings"
    import django

    django.setup()
    from soma.project.configuration import CONFIGURATION
    from soma.project.provision import provision

    provision(CONFIGURATION)
    over = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(over,), daemon=True).start()
    last = ""
    while not over.is_set():
        now = "worked" if _works() else "away"
        if now != last:
            print(now, flush=True)
        last = now


def _wait_for_the_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


def _works() -> bool:
    from soma.base.database import drop_broken_connections
    from soma.identity.adapters.key_value_store_postgres import PostgresKeyValueStore
    from soma.identity.errors import StoreUnavailable
    from tests.identity.contract_key_value_store import window

    store, tenant = PostgresKeyValueStore(), uuid4()
    try:
        assert store.set(tenant, "a", b"1", only_if_absent=True)
        assert store.increment(tenant, "a") == 2
        assert store.hit(tenant, [window(limit=1)])[0].allowed
        assert not store.hit(tenant, [window(limit=1)])[0].allowed
    except StoreUnavailable:
        return False
    finally:
        drop_broken_connections()
    return True


if __name__ == "__main__":
    main()
