"""soma.brain.kernels.reward"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels.reward import compose_reward, used_share

share = st.floats(0.0, 1.0)
known = st.none() | share


@given(share, known, known, known, share, share)
@pytest.mark.req("LEARN-001")
def test_reward_is_a_share(
    confidence: float,
    tool_success: float | None,
    verification: float | None,
    user: float | None,
    latency: float,
    cost: float,
) -> None:
    parts = {"tool_success": tool_success, "verification": verification, "user": user}
    assert 0.0 <= compose_reward(confidence=confidence, latency=latency, cost=cost, **parts) <= 1.0


@pytest.mark.req("LEARN-001")
def test_all_parts_alike_give_just_that() -> None:
    reward = compose_reward(
        confidence=0.25, tool_success=0.25, verification=0.25, user=0.25, latency=0.75, cost=0.75
    )
    assert reward == pytest.approx(0.25)


@pytest.mark.req("LEARN-001")
def test_a_part_that_was_not_measured_counts_neither_way() -> None:
    unmeasured = compose_reward(
        confidence=0.5, tool_success=None, verification=None, user=None, latency=0.5, cost=0.5
    )
    assert unmeasured == pytest.approx(0.5)


@given(share, st.sampled_from(["tool_success", "verification", "user"]))
@pytest.mark.req("LEARN-001")
def test_a_better_part_is_a_better_reward(confidence: float, part: str) -> None:
    parts: dict[str, float | None] = {"tool_success": None, "verification": None, "user": None}
    bad = compose_reward(confidence=confidence, latency=0.5, cost=0.5, **{**parts, part: 0.0})
    good = compose_reward(confidence=confidence, latency=0.5, cost=0.5, **{**parts, part: 1.0})
    assert good > bad


@pytest.mark.req("LEARN-001")
def test_slow_and_dear_is_worse() -> None:
    def reward(latency: float, cost: float) -> float:
        return compose_reward(
            confidence=0.5, tool_success=None, verification=None, user=None, latency=latency, cost=cost
        )

    assert reward(0.0, 0.0) > reward(1.0, 0.0)
    assert reward(0.0, 0.0) > reward(0.0, 1.0)


@pytest.mark.req("LEARN-001")
@pytest.mark.parametrize(
    ("spent", "allowed", "used"), [(0, 10, 0.0), (5, 10, 0.5), (20, 10, 1.0), (-1, 10, 0.0), (0, 0, 1.0)]
)
def test_used_share(spent: float, allowed: float, used: float) -> None:
    assert used_share(spent, allowed) == used
