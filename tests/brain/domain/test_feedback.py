"""soma.brain.domain.feedback"""

from uuid import UUID

import pytest

from soma.base.errors import InvalidInput
from soma.brain.domain.feedback import Feedback, RewardParts


def feedback(parts: RewardParts, novelty: float = 0.5) -> Feedback:
    return Feedback(
        tenant_id=UUID(int=1),
        agent_id="a",
        turn_id=UUID(int=2),
        iteration=0,
        reward=parts,
        novelty=novelty,
        errors=1,
        tools_used=2,
    )


@pytest.mark.req("LEARN-001")
def test_signals_are_made_of_the_parts() -> None:
    signals = feedback(
        RewardParts(confidence=0.8, tool_success=1.0, latency_ms=250, deadline_ms=1000)
    ).signals
    assert signals.reward == pytest.approx((4 * 0.8 + 2 * 1.0 + 1 * 0.75 + 0.5 * 1.0) / 7.5)
    assert signals.novelty == 0.5
    assert signals.urgency == 0.5
    assert signals.attention == pytest.approx(0.65)


@pytest.mark.req("LEARN-001")
def test_rounding_beyond_the_range_is_cut_off() -> None:
    parts = RewardParts(confidence=1.0000001, tool_success=-1e-9, latency_ms=-1, deadline_ms=1000, cost=1.5)
    signals = feedback(parts, novelty=1.0000001).signals
    assert signals.reward == pytest.approx((4 + 0 + 1 + 0) / 7.5)
    assert signals.novelty == 1.0


@pytest.mark.req("LEARN-002")
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("part", ["confidence", "user", "latency_ms"])
def test_what_is_no_number_is_refused(part: str, value: float) -> None:
    parts = {"confidence": 0.5, "latency_ms": 1.0, "deadline_ms": 2.0, part: value}
    with pytest.raises(InvalidInput, match=part):
        RewardParts(**parts)
