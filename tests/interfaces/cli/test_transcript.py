"""A turn written to a terminal."""

import io
from typing import Any

import pytest
from rich.console import Console

from soma.agent.api import Frame
from soma.interfaces.cli.transcript import Transcript

pytestmark = pytest.mark.req("CLI-001")


def written(*frames: tuple[str, dict[str, Any]]) -> str:
    console = Console(file=io.StringIO(), markup=False, highlight=False, soft_wrap=True, width=200)
    transcript = Transcript(console)
    for number, (event, data) in enumerate(frames, start=1):
        transcript.show(Frame(id=number, event=event, data={"turn_id": "t", "iteration": 0, **data}))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


ANSWER = {
    "iterations": 2,
    "tools_used": ["calculator"],
    "confidence": 0.5,
    "degraded_reasons": [],
    "exit_reason": "converged",
}
END = ("turn.completed", {"exit_reason": "converged", "latency_ms": 1234.0})


def test_tokens_tools_and_summary() -> None:
    text = written(
        ("plan", {"evidence": [{"id": "1"}]}),
        ("tool.intent", {"tool": "calculator", "arguments": {"a": 1}, "decision": "allow", "reasons": []}),
        ("tool.done", {"tool": "calculator", "status": "ok", "output": 42, "latency_ms": 3.0}),
        ("verify", {"confidence": 0.25, "decision": "continue"}),
        ("answer.delta", {"text": "forty-"}),
        ("answer.delta", {"text": "two"}),
        ("answer", ANSWER | {"text": "forty-two"}),
        END,
    )
    assert text.splitlines() == [
        "recalled 1",
        '→ calculator {"a":1}',
        "← calculator ok 42 (3 ms)",
        "iteration 1 · confidence 0.25 · continue",
        "forty-two",
        "2 iterations · calculator · confidence 0.50 · converged · 1.2 s",
    ]


def test_better_answer_of_an_earlier_iteration_is_shown_in_the_end() -> None:
    text = written(
        ("plan", {"evidence": []}),
        ("answer.delta", {"text": "good"}),
        ("plan", {"evidence": []}),
        ("answer.delta", {"text": "worse"}),
        ("verify", {"confidence": 0.1, "decision": "max_iterations"}),
        ("answer", ANSWER | {"text": "good"}),
        END,
    )
    assert text.splitlines()[-2] == "good"


def test_failure_is_said() -> None:
    assert "model_unavailable: no model" in written(
        ("turn.failed", {"code": "model_unavailable", "detail": "no model"})
    )


def test_words_of_a_model_cannot_steer_the_terminal() -> None:
    text = written(
        ("answer.delta", {"text": "\x1b[2Jgone\x07"}), ("answer.delta", {"text": "[bold]x[/bold]"})
    )
    assert text == "[2Jgone[bold]x[/bold]"


def test_resumed_iteration_drops_its_partial_text() -> None:
    text = written(
        ("plan", {"evidence": []}),
        ("answer.delta", {"text": "half an ans"}),
        ("turn.started", {"attempt": 2, "resumed_iteration": 0}),
        ("plan", {"evidence": []}),
        ("answer.delta", {"text": "whole"}),
        ("answer", ANSWER | {"text": "whole"}),
    )
    assert text.splitlines() == ["half an ans", "resumed at iteration 0", "whole"]
