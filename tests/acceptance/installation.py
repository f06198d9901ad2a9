"""The application on real servers of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from soma.project.stack.kafka import TOOLS, java_command
from soma.project.stack.server import Server as StackServer
from tests.acceptance.server import Server

RECOVERY_SECONDS = 60.0


class Installation:
    """A home whose application uses `servers`, by name, with further `settings`."""

    def __init__(self, home: Path, servers: dict[str, StackServer], **settings: str) -> None:
        self.app = Server(home)
        self.servers = servers
        self._settings = settings

    @property
    def environment(self) -> dict[str, str]:
        """What points the application at the servers, and its other settings."""
        addresses = {
            name: value for server in self.servers.values() for name, value in server.environment.items()
        }
        return {**addresses, **self._settings}

    def start(self) -> None:
        """Start the application."""
        self.app.start(**self.environment)

    def somagent(self, *words: str, code: int = 0) -> Any:
        """A command beside the running application, which ends with `code`; the JSON that it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "soma.project.main", *words, "--json"],
            env=self.app.environment(self.environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, f"{words}: {done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def conversation(self) -> str:
        """A new conversation."""
        made: str = self.app.post("/api/v2/chat/conversations", {})["id"]
        return made

    def send(self, conversation: str, text: str) -> httpx.Response:
        """Post a message, whatever comes of it."""
        return self.app.patiently(
            "POST", f"/api/v2/chat/conversations/{conversation}/messages", {"message": text}
        )

    def begin(self, conversation: str, text: str) -> str:
        """Post a message that is accepted; its turn."""
        accepted = self.send(conversation, text)
        assert accepted.status_code == httpx.codes.ACCEPTED, accepted.text
        turn_id: str = accepted.json()["turn_id"]
        return turn_id

    def turn(self, conversation: str, text: str) -> dict[str, Any]:
        """A turn from its message to its end."""
        return self.app.finished(self.begin(conversation, text))

    def speaking(self, conversation: str) -> str:
        """A turn that has begun to tell a long story."""
        turn_id = self.begin(conversation, "Tell me a long story about the sea.")
        url = f"{self.app.url}/api/v2/chat/turns/{turn_id}/events"
        headers = {"Authorization": f"Bearer {self.app.jwt}"}
        with httpx.stream("GET", url, headers=headers, timeout=60) as stream:
            for line in stream.iter_lines():
                if line == "event: answer.delta":
                    return turn_id
        raise AssertionError("the turn ended without a word")

    def readiness(self) -> dict[str, Any]:
        """What /readyz tells."""
        answer: dict[str, Any] = httpx.get(f"{self.app.url}/readyz", timeout=30).json()
        return answer

    def wait_until(self, reached: Callable[[], bool], what: str) -> None:
        """Wait for what the application does by itself. Raises AssertionError."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        while not reached():
            assert time.monotonic() < deadline, f"{what}; it is {self.readiness()}"
            time.sleep(0.2)

    def wait_until_ready(self) -> None:
        """Wait until nothing is lacking."""
        self.wait_until(lambda: self.readiness().get("status") == "ready", "it does not become ready")

    def consumed(self, topic: str, *, tenant: str = "") -> list[dict[str, Any]]:
        """What Kafka's own console consumer reads in `topic`: {headers, key, value} of each record."""
        kafka = self.servers["kafka"]
        jars = kafka.kind.program(lambda _: None).path
        done = subprocess.run(
            [*java_command(jars, heap="128m"), TOOLS["console-consumer"], "--bootstrap-server", kafka.address,
             "--topic", topic, "--from-beginning", "--timeout-ms", "4000",
             "--formatter-property", "print.key=true", "--formatter-property", "print.headers=true"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        # The tool's own log goes to the same place.
        records = [line.split("\t", 2) for line in done.stdout.splitlines() if line.count("\t") >= 2]
        found = [
            {
                "headers": dict(pair.split(":", 1) for pair in headers.split(",")),
                "key": key,
                "value": json.loads(value),
            }
            for headers, key, value in records
        ]
        return [each for each in found if not tenant or each["key"] == tenant]
