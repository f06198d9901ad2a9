"""A process of its own on a database of its own: `python -m tests.events.node DATABASE LOG ACTION …`.

It prints what happens, a line each, and ends when its standard input does.
"""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import django
from django.db import connections

if TYPE_CHECKING:
    from soma.events.api import EventLog, StoredEvent


def relay(log: "EventLog", poll: str) -> None:
    """Relay until told to stop; say so whenever the status changes."""
    from soma.events.api import Relay

    relay = Relay(log, poll=float(poll))
    relay.start()
    _report(lambda: f"active={relay.status().active} error={relay.status().last_error!r}")
    _until_told()
    relay.stop()


def publish_beside(log: "EventLog", poll: str, tenant: str) -> None:
    """Publish from a process whose own relay is not the active one, once told to."""
    from soma.base.database import tenant_transaction
    from soma.events.api import Relay, publish
    from tests.events.samples import failed_turn

    relay = Relay(log, poll=float(poll))
    relay.start()
    print("ready", flush=True)
    sys.stdin.readline()
    with tenant_transaction(UUID(tenant)):
        publish(failed_turn(UUID(tenant), "0"))
    _until_told()
    relay.stop()


def consume(log: "EventLog", name: str, path: str, hang_at: str) -> None:
    """Note the details of events in a file; hang at one of them."""
    from soma.events.api import Consumer, ConsumerRunner

    def handler(event: "StoredEvent") -> None:
        detail = event.payload["detail"]
        if detail == hang_at:
            print("hanging", flush=True)
            threading.Event().wait()
        with Path(path).open("a") as notes:
            notes.write(f"{detail}\n")

    consumer = Consumer(name=name, types=("chat.turn_failed",), handler=handler)
    runner = ConsumerRunner(log, [consumer])
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
    "publish-beside": publish_beside,
    "relay": relay,
    "consume": consume,
}

if __name__ == "__main__":
    django.setup()
    for settings in connections.settings.values():
        settings["NAME"] = sys.argv[1]
    from tests.events.log_names import open_log

    ACTIONS[sys.argv[3]](open_log(sys.argv[2]), *sys.argv[4:])
    connections.close_all()
