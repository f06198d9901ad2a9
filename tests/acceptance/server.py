"""A real `somagent up` in a process of its own, for tests that kill it."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import httpx

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
TURN_SECONDS = 60.0
PATIENCE_SECONDS = 5.0
TOO_SLOW = re.compile(r"gave no answer (within|in time)")


class Server:
    """Serves one home on one port; may be killed and started again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.url = ""
        self.key = ""
        self._process: subprocess.Popen[str] | None = None
        self.jwt = ""

    def start(self, **environment: str) -> None:
        """Start, and return once it listens. What it says from then on is read and thrown away: a full pipe
        would stop it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "soma.project.main", "up", "--port", "0"],
            env=self.environment(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        told = ""
        for line in self._process.stdout:
            told += line
            key = re.search(r"\bsoma_[0-9a-f]{32}_\S+", line)
            self.key = key.group() if key and not self.key else self.key
            address = re.search(r"Open (http://[^/\s]+)", line)
            if address:
                self.url = address.group(1)
                threading.Thread(target=_read_to_its_end, args=[self._process.stdout], daemon=True).start()
                self._sign_in()
                return
        raise AssertionError(f"the server did not start:\n{told}")

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self.wait_until_dead()

    def wait_until_dead(self) -> None:
        """Wait for its own end by SIGKILL."""
        assert self._process is not None
        try:
            status = self._process.wait(TURN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError("the server lives on") from None
        assert status == -signal.SIGKILL

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)

    def post(self, path: str, body: dict[str, Any], *, idempotency_key: str = "") -> dict[str, Any]:
        """POST JSON; the JSON that came back."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        answer = self.patiently("POST", path, body, headers)
        assert answer.is_success, answer.text
        value: dict[str, Any] = answer.json()
        return value

    def get(self, path: str) -> dict[str, Any]:
        """GET JSON."""
        answer = self.patiently("GET", path)
        assert answer.is_success, answer.text
        value: dict[str, Any] = answer.json()
        return value

    def patiently(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Ask, and ask again where a server was too slow to permit it: on a busy machine the tenth of a
        second that a decision may take is soon over."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            sent = {**self._bearer(), **(headers or {})}
            answer = httpx.request(method, f"{self.url}{path}", json=body, headers=sent, timeout=60)
            slow = answer.status_code == httpx.codes.FORBIDDEN and TOO_SLOW.search(answer.text)
            if not slow or time.monotonic() >= deadline:
                return answer

    def finished(self, turn_id: str) -> dict[str, Any]:
        """The turn, once it is over."""
        deadline = time.monotonic() + TURN_SECONDS
        while time.monotonic() < deadline:
            turn = self.get(f"/api/v2/chat/turns/{turn_id}")
            if turn["status"] != "running":
                return turn
            time.sleep(0.1)
        raise AssertionError(f"the turn did not finish: {turn}")

    def _sign_in(self) -> None:
        minted = httpx.post(
            f"{self.url}/v1/session/mint",
            json={},
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=30,
        )
        self.jwt = minted.json()["jwt"]

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.jwt}"}

    def environment(self, extra: dict[str, str]) -> dict[str, str]:
        """Ours without any setting of SomaStack's, with this home and `extra`."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SOMA")}
        return {
            **kept,
            "SOMAGENT_HOME": str(self.home),
            "SOMAGENT_DEPLOYMENT_MODE": "test",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            "PYTHONUNBUFFERED": "1",
            **extra,
        }


def _read_to_its_end(pipe: IO[str]) -> None:
    """The database, which a killed server leaves behind, may hold the pipe for as long as it lives."""
    with pipe:
        pipe.read()
