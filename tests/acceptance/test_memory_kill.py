"""`kill -9` of the real server while it stores memories: nothing is lost, nothing is there twice."""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from tests.acceptance.server import ROOT, Server
from tests.prepared_home import PrepareHome

pytestmark = [pytest.mark.req("MEM-001", "MEM-003"), pytest.mark.timeout(400)]

KILLS = 5
BATCH = 12
WRITERS = 2
REQUESTS = 120
SETTLE_SECONDS = 90.0
UNLIMITED = {"SOMAGENT_RATE_REQUESTS": "0", "SOMAGENT_RATE_TENANT_REQUESTS": "0"}


@pytest.fixture
def server(prepare_home: PrepareHome) -> Iterator[Server]:
    """A server with a home of its own, which is short: it holds a socket."""
    home = prepare_home(Path(tempfile.mkdtemp(prefix="soma-mkill-")))
    made = Server(home)
    yield made
    made.stop()
    shutil.rmtree(home, ignore_errors=True)


class Writers:
    """Post batches one after another, and note which of them the server has answered."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._number = 0
        self._lock = threading.Lock()
        self.sent: set[int] = set()
        self.answered: set[int] = set()

    def until_killed(self, moment: float) -> None:
        """Write until the server, which is killed `moment` seconds after its first answer, is gone."""
        known = len(self.answered)
        threads = [threading.Thread(target=self._write_on) for _ in range(WRITERS)]
        for thread in threads:
            thread.start()
        while len(self.answered) == known and any(thread.is_alive() for thread in threads):
            time.sleep(0.002)
        time.sleep(moment)
        self._server.kill()
        for thread in threads:
            thread.join()

    def write(self, number: int) -> None:
        """The batch `number`; returns when it was answered."""
        answer = httpx.post(
            f"{self._server.url}/v1/memory/remember",
            json={"items": [{"key": key, "content": f"Note {key} is about tea"} for key in keys_of(number)]},
            headers={"Authorization": f"Bearer {self._server.jwt}"},
            timeout=60,
        )
        answer.raise_for_status()
        assert not answer.json()["refused"], answer.text
        with self._lock:
            self.answered.add(number)

    def _write_on(self) -> None:
        try:
            while True:
                with self._lock:
                    self._number += 1
                    number = self._number
                    self.sent.add(number)
                self.write(number)
        except httpx.TransportError:
            return  # it was killed


def keys_of(number: int) -> list[str]:
    return [f"note-{number}-{place}" for place in range(BATCH)]


def beside(server: Server, *words: str) -> list[str]:
    """What tests/acceptance/memory_side.py prints."""
    environment = server.environment({**UNLIMITED, "DJANGO_SETTINGS_MODULE": "soma.project.settings"})
    done = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.memory_side", *words],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    keys: list[str] = json.loads(done.stdout)
    return keys


def test_ingest_survives_kill_9_at_any_moment(server: Server) -> None:
    writers, rng = Writers(server), Random(11)
    for _ in range(KILLS):
        server.start(**UNLIMITED)
        writers.until_killed(rng.uniform(0.0, 0.4))
    server.start(**UNLIMITED)

    held = Counter(beside(server, "check"))
    assert writers.answered
    for number in writers.sent:
        present = sum(held[key] for key in keys_of(number))
        assert present == BATCH or (present == 0 and number not in writers.answered), number

    for number in sorted(writers.sent):
        writers.write(number)
    assert beside(server, "check") == sorted(key for number in writers.sent for key in keys_of(number))


def test_consolidation_survives_kill_9_at_any_moment(server: Server) -> None:
    rng = Random(12)
    server.start(**UNLIMITED)
    wanted = sorted(beside(server, "request", str(REQUESTS)))
    for _ in range(KILLS):
        time.sleep(rng.uniform(0.0, 0.4))
        server.kill()
        server.start(**UNLIMITED)
        held = beside(server, "check")
        assert set(held) <= set(wanted)

    deadline = time.monotonic() + SETTLE_SECONDS
    while (held := beside(server, "check")) != wanted:
        assert time.monotonic() < deadline, f"{len(held)} of {len(wanted)} are there"
