"""Chromium, driven over a pipe by the Chrome DevTools Protocol: no driver and no dependency."""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

BINARIES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --remote-debugging-pipe"
).split()
PIPES = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
"""The browser reads commands from descriptor 3 and writes answers to 4; each ends with a NUL."""
ANSWER_SECONDS = 30.0
LOOK_SECONDS = 0.05
CONTROL = 2
KEYS = {"Enter": 13, "Escape": 27, "/": 191, "k": 75}


def binary() -> str | None:
    """The browser of this machine, or None."""
    return next(filter(None, map(shutil.which, BINARIES)), None)


@contextmanager
def chromium(program: str, *, width: int = 1440, height: int = 900) -> "Iterator[Chromium]":
    """A browser with one blank tab and a profile of its own."""
    with tempfile.TemporaryDirectory(prefix="soma-chromium-", ignore_cleanup_errors=True) as profile:
        commands, answers = os.pipe(), os.pipe()
        size = f"--window-size={width},{height}"
        browser = [program, *FLAGS, size, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(
            ["bash", "-c", PIPES, "pipes", str(commands[0]), str(answers[1]), *browser],
            pass_fds=(commands[0], answers[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands[0])
        os.close(answers[1])
        try:
            yield Chromium(commands[1], answers[0])
        finally:
            process.terminate()
            process.wait()
            os.close(commands[1])
            os.close(answers[0])


class Chromium:
    """One tab."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._unread = b""
        self._sent = 0
        self._session: str | None = None
        self.faults: list[str] = []
        target = self._do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._do(f"{domain}.enable")

    def open(self, address: str) -> None:
        """Go to `address`."""
        self._do("Page.navigate", url=address)

    def reload(self) -> None:
        """Load the page again; return once the old one is gone."""
        self.evaluate("window.old = true")
        self._do("Page.reload")
        self.wait("window.old === undefined && document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        """What JavaScript `expression` gives, promises awaited, as JSON values. Raises AssertionError."""
        answer = self._do("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = 20.0) -> None:
        """Return once `expression` is truthy. Raises AssertionError after `seconds`."""
        end = time.monotonic() + seconds
        while not self._holds(expression):
            assert time.monotonic() < end, f"never held: {expression}; faults: {self.faults}"
            time.sleep(LOOK_SECONDS)

    def write(self, text: str) -> None:
        """Type `text` where the cursor is."""
        self._do("Input.insertText", text=text)

    def press(self, key: str, *, control: bool = False) -> None:
        """Press and let go of a key of KEYS."""
        stroke = {"key": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": CONTROL if control else 0}
        typed = {"text": "\r"} if key == "Enter" else {}
        self._do("Input.dispatchKeyEvent", type="keyDown", **stroke, **typed)
        self._do("Input.dispatchKeyEvent", type="keyUp", **stroke)

    def _holds(self, expression: str) -> bool:
        # While a page is being replaced there is nothing to evaluate in.
        try:
            return self.evaluate(f"Boolean({expression})") is True
        except (AssertionError, RuntimeError):
            return False

    def _do(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._sent += 1
        message: dict[str, Any] = {"id": self._sent, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._sent:
            self._note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            readable, _, _ = select.select([self._answers], [], [], ANSWER_SECONDS)
            assert readable, "the browser does not answer"
            received = os.read(self._answers, 1 << 16)
            assert received, "the browser has ended"
            self._unread += received
        message, _, self._unread = self._unread.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def _note(self, event: dict[str, Any]) -> None:
        told = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.faults.append(json.dumps(told["exceptionDetails"]))
        if event.get("method") == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.faults.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
