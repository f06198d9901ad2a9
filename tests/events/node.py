"""A process of its own on a database of its own: `python -m tests.events.node DATABASE ACTION …`.

It prints what happens, a line each, and ends when its standard input does.
"""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connections


def migrate() -> None:
    """Make the tables of the event backbone."""
    call_command("migrate", "events", database="owner", verbosity=0)


def publish(tenant: str, first: str, last: str) -> None:
    """Commit events one by one, with nothing running that would relay them."""
    from uuid import UUID

    from soma.base.database import tenant_transaction
    from soma.events.api import publish
    from tests.events.samples import failed_turn

    for number in range(int(first), int(last)):
        with tenant_transaction(UUID(tenant)):
            publish(failed_turn(UUID(tenant), f"{number}"))
    print("published", flush=True)


def relay(poll: str) -> None:
    """Relay until told to stop; say so whenever the status changes."""
    from soma.events.api import PostgresEventLog, Relay

    relay = Relay(PostgresEventLog(), poll=float(poll))
    relay.start()
    _report(lambda: f"active={relay.status().active} error={relay.status().last_error!r}")
    _until_told()
    relay.stop()


def publish_beside(poll: str, tenant: str) -> None:
    """Publish from a process whose own relay is not the active one, once told to."""
    from soma.events.api import PostgresEventLog, Relay

    relay = Relay(PostgresEventLog(), poll=float(poll))
    relay.start()
    print("ready", flush=True)
    sys.stdin.readline()
    publish(tenant, "0", "1")
    _until_told()
    relay.stop()


def consume(name: str, path: str, hang_at: str) -> None:
    """Note the details of events in a file; hang at one of them."""
    from soma.events.api import Consumer, ConsumerRunner, PostgresEventLog, StoredEvent

    def handler(event: StoredEvent) -> None:
        detail = event.payload["detail"]
        if detail == hang_at:
            print("hanging", flush=True)
            threading.Event().wait()
        with Path(path).open("a") as notes:
            notes.write(f"{detail}\n")

    consumer = Consumer(name=name, types=("chat.turn_failed",), handler=handler)
    runner = ConsumerRunner(PostgresEventLog(), [consumer])
    runner.start()
    _until_told()
    runner.drain(30)
    runner.stop()


def _report(status: Callable[[], str]) -> None:
    def watch() -> None:
        last = ""
        while True:
            line = status()
            if line != last:
                print(line, flush=True)
            last = line
            time.sleep(0.01)

    threading.Thread(target=watch, daemon=True).start()


def _until_told() -> None:
    sys.stdin.read()


ACTIONS: dict[str, Callable[..., None]] = {
    "migrate": migrate,
    "publish": publish,
    "publish-beside": publish_beside,
    "relay": relay,
    "consume": consume,
}

if __name__ == "__main__":
    django.setup()
    for settings in connections.settings.values():
        settings["NAME"] = sys.argv[1]
    ACTIONS[sys.argv[2]](*sys.argv[3:])
    connections.close_all()
