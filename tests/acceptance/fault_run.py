"""An installation under load, whose processes are killed, stopped and starved of space one after another."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from tests.acceptance.clients import ChatClient, Client, SessionClient
from tests.acceptance.installation import Installation
from tests.acceptance.server import ROOT
from tests.acceptance.small_disk import SmallDisks
from tests.acceptance.witness import Witness

PATIENCE_SECONDS = 90.0
WRITTEN_BY_SQL = 3
"""Tenants whose events are committed beside the application."""

UNLIMITED = {
    "SOMAGENT_RATE_REQUESTS": "0",
    "SOMAGENT_RATE_TENANT_REQUESTS": "0",
    "SOMAGENT_RATE_TURNS": "0",
    "SOMAGENT_RATE_SESSIONS": "0",
}


class FaultRun:
    """`installation` with a relay of its own beside the application's, and clients that never pause for
    long."""

    def __init__(self, installation: Installation, disks: SmallDisks, notes: Path) -> None:
        self.installation = installation
        self.disks = disks
        self.clients: list[Client] = []
        self.witness: Witness
        self._notes = notes
        self._began = time.monotonic()
        self._relay: subprocess.Popen[str] | None = None
        self._writer: subprocess.Popen[str] | None = None
        self._written: list[str] = []

    def start(self) -> None:
        """Start everything, and wait until every client has been served."""
        app = self.installation.app
        self.installation.start()
        made = json.loads(self._beside("tenants", f"{3 + WRITTEN_BY_SQL}"))
        # The first relay is the application's.
        app.stop()
        self.start_relay()
        self._read_until_active()
        self.installation.start()
        self.witness = Witness(self.installation.servers["postgres"].address)
        kinds = (ChatClient, SessionClient, SessionClient)
        self.clients = [
            kind(app, each["tenant"], each["key"]) for kind, each in zip(kinds, made, strict=False)
        ]
        self._written = [each["tenant"] for each in made[len(kinds) :]]
        for client in self.clients:
            client.start()
        self._writer = self._spawn("write", str(self._notes), *self._written)
        self.wait_until(lambda: all(client.acknowledged for client in self.clients), "no client is served")
        self.tell("all clients are served")

    def tell(self, what: str) -> None:
        """Print it, with the seconds since the beginning and what was acknowledged by now."""
        acknowledged = sum(
            map(len, (*(each.acknowledged for each in self.clients), *self.written().values()))
        )
        print(f"{time.monotonic() - self._began:.1f} s: {what}; {acknowledged} acknowledged", flush=True)

    def silent_for(self) -> float:
        """Seconds since a commit was acknowledged."""
        return time.time() - self._notes.stat().st_mtime

    def start_relay(self) -> None:
        """Start another relay beside the application."""
        self._relay = self._spawn("relay")

    def kill_relay(self) -> None:
        """`kill -9` of it."""
        assert self._relay is not None
        self._relay.kill()
        self._relay.communicate()

    def kill_app(self) -> None:
        """`kill -9` of the application, and start it again."""
        self.installation.app.kill()
        self.installation.start()

    def delivering(self) -> None:
        """Wait until something that is committed from now on has come into the log, of each tenant."""
        marks = self.witness.ask("SELECT coalesce(max(id), 0) FROM outbox_witness")[0][0]
        waiting = f"""
            SELECT count(DISTINCT tenant_id) FROM outbox_witness
            JOIN audit_link USING (tenant_id, event_id) WHERE id > {int(marks)}"""
        served = len(self._written) + 2  # who chats may wait for a turn
        self.wait_until(lambda: self.witness.ask(waiting)[0][0] >= served, "nothing comes into the log")

    def end(self) -> None:
        """Let the clients end, and wait until nothing is owed."""
        for client in self.clients:
            client.stop()
        self._end(self._writer)
        self.wait_until(self._settled, "something is still owed")
        self.kill_relay()
        self.tell("nothing is owed")

    def abandon(self) -> None:
        """End whatever still runs."""
        for process in (self._relay, self._writer):
            if process is not None and process.poll() is None:
                process.kill()
                process.communicate()
        for client in self.clients:
            client.ask_to_stop()

    def written(self) -> dict[str, list[str]]:
        """By tenant, the event_ids whose commit was acknowledged, in that order."""
        found: dict[str, list[str]] = {tenant: [] for tenant in self._written}
        for line in self._notes.read_text().splitlines():
            tenant, event_id = line.split()
            found[tenant].append(event_id)
        return found

    def logged(self) -> dict[str, Any]:
        """What the log has of every tenant that wrote."""
        tenants = [client.tenant for client in self.clients] + self._written
        logged: dict[str, Any] = json.loads(self._beside("logged", *tenants))
        return logged

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for `condition`, through whatever the database's absence does to it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _holds(condition):
            assert time.monotonic() < deadline, what
            time.sleep(0.1)

    def _settled(self) -> bool:
        if self.witness.ask("SELECT id FROM turn WHERE status = 'running'"):
            return False
        if self.witness.ask("SELECT id FROM outbox_message"):
            return False
        checks = self.installation.readiness()["checks"]
        return bool(checks["memory"]["detail"] == "memory: 0 events wait")

    def _read_until_active(self) -> None:
        assert self._relay is not None and self._relay.stdout is not None
        assert self._relay.stdout.readline() == "active\n"

    def _environment(self) -> dict[str, str]:
        environment = self.installation.app.environment(self.installation.environment)
        return {**environment, "DJANGO_SETTINGS_MODULE": "soma.project.settings"}

    def _spawn(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.event_side", *words],
            env=self._environment(), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _beside(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "tests.acceptance.event_side", *words],
            env=self._environment(), cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    @staticmethod
    def _end(process: subprocess.Popen[str] | None) -> None:
        assert process is not None
        process.communicate("", timeout=60)
        assert process.returncode == 0


def cut_seconds() -> float:
    """How long a server is cut off: what is promised is a minute."""
    return float(os.environ.get("SOMA_FAULT_CUT_SECONDS", "10"))


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except (psycopg.Error, OSError, KeyError):
        return False
