"""A turn as it happens, written to a terminal."""

from collections.abc import Callable
from typing import Any

import orjson
from rich.console import Console

from soma.agent.api import Frame
from soma.interfaces.cli.terminal import printable

OUTPUT_SHOWN = 200
"""Characters of a tool's output."""


class Transcript:
    """Writes tokens as they come, and around them, dimly, what the turn does."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._text = ""
        self._fresh_line = True
        self._answer: dict[str, Any] = {}
        self._show: dict[str, Callable[[dict[str, Any]], None]] = {
            "turn.started": self._started,
            "plan": self._planned,
            "answer.delta": self._delta,
            "tool.intent": self._intended,
            "tool.done": self._done,
            "verify": self._verified,
            "answer": self._answered,
            "turn.completed": self._completed,
            "turn.failed": self._failed,
        }

    def show(self, frame: Frame) -> None:
        """Write what `frame` tells."""
        show = self._show.get(frame.event)
        if show is not None:
            show(frame.data)

    def _started(self, data: dict[str, Any]) -> None:
        if data.get("resumed_iteration") is not None:
            self._text = ""
            self._aside(f"resumed at iteration {data['resumed_iteration']}")

    def _planned(self, data: dict[str, Any]) -> None:
        self._text = ""
        evidence = len(data.get("evidence", ()))
        if evidence:
            self._aside(f"recalled {evidence}")

    def _delta(self, data: dict[str, Any]) -> None:
        self._text += data["text"]
        self._write(data["text"])

    def _intended(self, data: dict[str, Any]) -> None:
        denied = "" if data["decision"] == "allow" else f" denied: {'; '.join(data['reasons'])}"
        arguments = orjson.dumps(data["arguments"]).decode()
        self._aside(f"→ {data['tool']} {arguments}{denied}")

    def _done(self, data: dict[str, Any]) -> None:
        output = orjson.dumps(data.get("output")).decode()[:OUTPUT_SHOWN]
        self._aside(f"← {data['tool']} {data['status']} {output} ({data.get('latency_ms') or 0:.0f} ms)")

    def _verified(self, data: dict[str, Any]) -> None:
        self._aside(f"iteration {data['iteration'] + 1} · {_shown(data['confidence'])} · {data['decision']}")

    def _answered(self, data: dict[str, Any]) -> None:
        self._answer = data
        if data["text"].strip() != self._text.strip():
            self._write(data["text"])

    def _completed(self, data: dict[str, Any]) -> None:
        answer = self._answer
        parts = [
            _counted(answer.get("iterations", 0)),
            *answer.get("tools_used", ()),
            _shown(answer.get("confidence")),
            str(data["exit_reason"]),
            f"{(data.get('latency_ms') or 0) / 1000:.1f} s",
            *(f"degraded: {reason}" for reason in answer.get("degraded_reasons", ())),
        ]
        self._aside(" · ".join(parts))

    def _failed(self, data: dict[str, Any]) -> None:
        self._end_line()
        self._console.print(printable(f"{data['code']}: {data['detail']}"), style="red")

    def _write(self, text: str) -> None:
        shown = printable(text)
        if shown:
            self._console.print(shown, end="")
            self._fresh_line = shown.endswith("\n")

    def _aside(self, text: str) -> None:
        self._end_line()
        self._console.print(printable(text), style="dim")

    def _end_line(self) -> None:
        if not self._fresh_line:
            self._console.print()
        self._fresh_line = True


def _counted(iterations: int) -> str:
    return "1 iteration" if iterations == 1 else f"{iterations} iterations"


def _shown(confidence: float | None) -> str:
    return "confidence unknown" if confidence is None else f"confidence {confidence:.2f}"
