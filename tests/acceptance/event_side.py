"""Run as a program beside the application, on its settings: `python -m tests.acceptance.event_side VERB …`.

`tenants COUNT` makes tenants and prints them, each with its owner's key. `relay` relays until its standard
input ends, and says so once it is the one that does. `write PATH TENANT…` commits events of each tenant, one
after another, until its standard input ends, and notes each that was committed in the file PATH. `logged
TENANT…` prints what the log has of them, and what the audit trail says.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import django

if TYPE_CHECKING:
    from soma.events.api import AuditTrail, EventLog

PAUSE_SECONDS = 0.03
PAGE = 500


def tenants(count: str) -> None:
    """See above."""
    from soma.base.crypto import load_or_create_secret
    from soma.base.ids import new_id
    from soma.identity.api import Identity
    from soma.project.bootstrap import build_relations
    from soma.project.configuration import CONFIGURATION

    secret = load_or_create_secret(CONFIGURATION.home / "secrets" / "sessions", size=32)
    identity = Identity(secret, roles=build_relations(CONFIGURATION))
    made = [identity.create_tenant(f"t-{new_id().hex[-12:]}", "A tenant") for _ in range(int(count))]
    print(json.dumps([{"tenant": str(each.tenant_id), "key": each.token} for each in made]))


def relay() -> None:
    """See above."""
    from soma.events.api import Relay

    with _trail() as (log, audit):
        relay = Relay(log, signer=audit.signer)
        relay.start()
        told, ended = False, threading.Event()
        threading.Thread(target=_read_to_the_end, args=[ended], daemon=True).start()
        while not ended.wait(0.05):
            if relay.status().active and not told:
                told = True
                print("active", flush=True)
        relay.stop()


def _read_to_the_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def write(path: str, *tenant_ids: str) -> None:
    """See above. What a failed commit has become nobody knows: it is not noted, and not tried again."""
    ended = threading.Event()
    with Path(path).open("a") as notes:
        threads = [threading.Thread(target=_write, args=(UUID(each), notes, ended)) for each in tenant_ids]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        ended.set()
        for thread in threads:
            thread.join()


def _write(tenant_id: UUID, notes: Any, ended: threading.Event) -> None:
    from django.db import DatabaseError, InterfaceError

    from soma.base.database import drop_broken_connections, tenant_transaction
    from soma.events.api import publish
    from tests.events.samples import failed_turn

    number = 0
    while not ended.wait(PAUSE_SECONDS):
        number += 1
        event = failed_turn(tenant_id, f"{number}", key="written")
        try:
            with tenant_transaction(tenant_id):
                publish(event)
        except (DatabaseError, InterfaceError):
            drop_broken_connections()
        else:
            notes.write(f"{tenant_id} {event.event_id}\n")
            notes.flush()


def logged(*tenant_ids: str) -> None:
    """See above."""
    with _trail() as (log, audit):
        print(json.dumps({each: _logged(log, audit, UUID(each)) for each in tenant_ids}))


def _logged(log: "EventLog", audit: "AuditTrail", tenant_id: UUID) -> dict[str, Any]:
    *_, report = audit.verify(tenant_id)
    return {
        "audit": {"intact": report.intact, "events": report.events, "broken": str(report.broken)},
        "events": [
            {
                "event_id": str(event.event_id),
                "sequence": event.sequence,
                "place": f"{event.partition}:{event.position}",
                "topic": event.topic,
                "type": event.type,
                "payload": event.payload,
            }
            for event in _events(log, tenant_id)
        ],
    }


def _events(log: "EventLog", tenant_id: UUID) -> "Iterator[Any]":
    after = 0
    while events := log.read(tenant_id, after=after, limit=PAGE):
        yield from events
        after = events[-1].sequence


@contextmanager
def _trail() -> "Iterator[tuple[EventLog, AuditTrail]]":
    from soma.base.crypto import SigningKey
    from soma.events.api import AuditTrail
    from soma.project.configuration import CONFIGURATION
    from soma.project.event_log import open_event_log

    with ExitStack() as stack:
        log = open_event_log(CONFIGURATION, stack)
        yield log, AuditTrail(log, SigningKey.load_or_create(CONFIGURATION.home / "secrets" / "audit_key"))


VERBS: dict[str, Callable[..., None]] = {"tenants": tenants, "relay": relay, "write": write, "logged": logged}

if __name__ == "__main__":
    django.setup()
    VERBS[sys.argv[1]](*sys.argv[2:])
