"""When a turn is done, and how good it was."""

from datetime import UTC, datetime

import pytest

from soma.agent.domain.convergence import (
    Convergence,
    ExitReason,
    exit_reason,
    success_factor,
    tool_utility,
)
from soma.agent.domain.tool import ToolCall, ToolExecution, ToolStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def execution(output: object, status: ToolStatus = ToolStatus.OK) -> ToolExecution:
    """A finished call."""
    return ToolExecution(
        call=ToolCall(call_id="1", tool="calculator", arguments={}),
        status=status,
        output=output,
        reasons=(),
        policy_hash="",
        latency_ms=1.0,
        idempotency_key="k",
        started_at=NOW,
        completed_at=NOW,
    )


@pytest.mark.req("RLM-002")
def test_the_score_is_the_product() -> None:
    assert Convergence(confidence=0.9, success_factor=0.5, tool_utility=0.5).score == pytest.approx(0.225)


@pytest.mark.req("RLM-002")
def test_the_factors_are_one_where_no_tool_ran() -> None:
    denied = execution("no", ToolStatus.DENIED)

    assert success_factor([]) == success_factor([denied]) == 1
    assert tool_utility("anything", []) == tool_utility("anything", [denied]) == 1


@pytest.mark.req("RLM-002")
def test_success_is_of_what_was_executed() -> None:
    runs = [execution("1"), execution("x", ToolStatus.ERROR), execution("no", ToolStatus.DENIED)]

    assert success_factor(runs) == 0.5


@pytest.mark.req("RLM-002")
@pytest.mark.parametrize(
    ("text", "utility"),
    [
        ("It is 408.", 0.5),
        ("It is 408, on a Saturday.", 1),
        ("It is 4,080.", 0),
        ("I do not know.", 0),
    ],
)
def test_a_result_counts_as_used_when_the_answer_carries_it(text: str, utility: float) -> None:
    results = [execution({"result": "408"}), execution({"now": "Saturday"})]

    assert tool_utility(text, results) == utility


@pytest.mark.req("RLM-002")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"confidence": 0.95}, ExitReason.CONVERGED),
        ({"confidence": 0.95, "tool_calls": 1}, None),
        ({}, ExitReason.LLM_COMPLETED),
        ({"refine": True}, None),
        ({"refine": True, "iteration": 9}, ExitReason.MAX_ITERATIONS),
        ({"tool_calls": 1, "iteration": 9}, ExitReason.MAX_ITERATIONS),
        ({"tool_calls": 1, "tokens_spent": 1000}, ExitReason.BUDGET_EXHAUSTED),
    ],
)
def test_the_reasons_to_stop(changes: dict[str, float], reason: ExitReason | None) -> None:
    given = {
        "iteration": 0,
        "tool_calls": 0,
        "tokens_spent": 10,
        "threshold": 0.9,
        "max_iterations": 10,
        "token_budget": 1000,
        "refine": False,
    }
    confidence = changes.pop("confidence", 0.5)
    convergence = Convergence(confidence=confidence, success_factor=1, tool_utility=1)

    assert exit_reason(convergence, **{**given, **changes}) is reason  # type: ignore[arg-type]
