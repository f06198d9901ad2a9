"""soma.brain.kernels.neuromodulation"""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels import neuromodulation as kernel

Step = Callable[[float, float, float], float]
RANGES: list[tuple[Step, float, float]] = [
    (kernel.dopamine, 0.2, 0.8),
    (kernel.serotonin, 0.0, 1.0),
    (kernel.norepinephrine, 0.0, 1.0),
    (kernel.acetylcholine, 0.0, 1.0),
]


@pytest.mark.req("LEARN-003")
@pytest.mark.parametrize(("step", "low", "high"), RANGES)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(-1, 1))
def test_levels_stay_in_their_range(
    step: Step, low: float, high: float, level: float, rest: float, signal: float
) -> None:
    assert low <= step(level, rest, signal) <= high


@pytest.mark.req("LEARN-003")
@pytest.mark.parametrize("step", [kernel.dopamine, kernel.norepinephrine, kernel.acetylcholine])
@pytest.mark.parametrize("start", [0.2, 0.8])
@pytest.mark.parametrize("rest", [0.4, 0.5])
def test_without_a_signal_a_level_falls_back_to_rest(step: Step, start: float, rest: float) -> None:
    level = start
    for _ in range(100):
        level = step(level, rest, 0.0)
    assert level == pytest.approx(rest, abs=1e-4)


@pytest.mark.req("LEARN-003")
def test_dopamine_rises_with_a_better_reward_than_expected_and_falls_with_a_worse() -> None:
    assert kernel.dopamine(0.5, 0.5, 0.3) > 0.5 > kernel.dopamine(0.5, 0.5, -0.3)


@pytest.mark.req("LEARN-003")
def test_serotonin_rises_when_all_is_as_expected_and_falls_with_surprise_of_either_sign() -> None:
    assert kernel.serotonin(0.5, 0.5, 0.0) > 0.5
    assert kernel.serotonin(0.5, 0.5, 0.9) == kernel.serotonin(0.5, 0.5, -0.9) < 0.5


@pytest.mark.req("LEARN-003")
def test_norepinephrine_rises_with_urgency() -> None:
    assert kernel.norepinephrine(0.5, 0.5, 1.0) > kernel.norepinephrine(0.5, 0.5, 0.1) > 0.5


@pytest.mark.req("LEARN-003")
def test_acetylcholine_rises_with_attention() -> None:
    assert kernel.acetylcholine(0.5, 0.5, 1.0) > kernel.acetylcholine(0.5, 0.5, 0.1) > 0.5


@pytest.mark.req("LEARN-003")
@pytest.mark.parametrize(
    ("latency", "errors", "urgent"), [(0.0, 0, 0.0), (0.4, 0, 0.4), (0.4, 1, 0.5), (0.1, 3, 0.875)]
)
def test_urgency_is_the_deadline_or_the_errors(latency: float, errors: int, urgent: float) -> None:
    assert kernel.urgency(latency, errors) == urgent


@pytest.mark.req("LEARN-003")
def test_attention_is_novelty_and_the_use_of_tools() -> None:
    assert kernel.attention(0.0, 0) == 0.0
    assert kernel.attention(1.0, 0) == pytest.approx(0.7)
    assert kernel.attention(0.0, 1) == kernel.attention(0.0, 4) == pytest.approx(0.3)
    assert kernel.attention(1.0, 1) == pytest.approx(1.0)
