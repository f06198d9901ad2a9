"""soma.brain.domain.raw_rule: the rule of seed 000, with its own numbers, and the faults that are its"""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.domain.feedback import Feedback, RewardParts, Signals
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning import Learning, learn
from soma.brain.domain.learning_signal import LearningSignal
from soma.brain.domain.weights import BOUNDS

pytestmark = pytest.mark.req("LEARN-002")


def raw(confidence: float, *, latency_ms: float = 100.0, tools_used: int = 0) -> Signals:
    """What the raw rule takes in of an iteration."""
    return Feedback(
        tenant_id=UUID(int=1),
        agent_id="a",
        turn_id=UUID(int=2),
        iteration=0,
        reward=RewardParts(confidence=confidence, latency_ms=latency_ms, deadline_ms=12_500.0, user=0.0),
        novelty=0.3,
        tools_used=tools_used,
    ).signals_for(LearningSignal.RAW)


def until_bound(confidence: float, bound: dict[str, float]) -> dict[str, int]:
    """After how many steps of constant confidence each weight stands at its `bound`."""
    state, steps = LearnedState(), dict[str, int]()
    for number in range(1, 200):
        state = learn(state, raw(confidence)).after
        for name, value in bound.items():
            if getattr(state.weights, name) == value:
                steps.setdefault(name, number)
    return steps


def test_the_seeds_example_of_confidence_92_gives_the_numbers_of_its_code() -> None:
    """5.1 of the seed: confidence .92 in 2341 ms with one tool. α 1.05 is what its answer shows, too."""
    learning = learn(LearnedState(), raw(0.92, latency_ms=2341.0, tools_used=1))
    levels, weights = learning.after.neuromodulators, learning.after.weights
    assert levels.dopamine == pytest.approx(0.592)
    assert levels.serotonin == pytest.approx(0.5058)
    assert levels.norepinephrine == levels.acetylcholine == 0.1
    assert learning.learning_rate == pytest.approx(0.0546)
    assert weights.alpha == weights.lambda_ == pytest.approx(1.050232)
    assert round(weights.alpha, 2) == 1.05
    assert weights.gamma == pytest.approx(0.074884)
    assert weights.mu == pytest.approx(0.087442)
    assert weights.nu == pytest.approx(0.037442)
    assert (weights.beta, weights.tau) == (0.2, 0.7)


def test_the_signal_is_never_negative_and_every_weight_ends_at_a_bound() -> None:
    ends = {"nu": 0.01, "gamma": 0.0, "mu": 0.01, "alpha": 5.0, "lambda_": 5.0}
    assert until_bound(0.8, ends) == {"nu": 4, "gamma": 5, "mu": 8, "alpha": 84, "lambda_": 84}


@given(st.floats(0.0, 1.0))
def test_the_gate_never_closes(confidence: float) -> None:
    learning = learn(LearnedState(), raw(confidence))
    assert 0.4 - 1e-12 <= learning.salience <= 0.6 + 1e-12
    assert learning.applied


def test_dopamine_rises_where_the_turn_failed() -> None:
    assert learn(LearnedState(), raw(0.1)).after.neuromodulators.dopamine > 0.5
    worse = Signals(reward=0.1, novelty=1.0, urgency=0.0, attention=0.0)
    assert learn(LearnedState(), worse).after.neuromodulators.dopamine < 0.5


@pytest.mark.parametrize(
    ("given", "level"),
    [({"latency_ms": 5_001.0}, "norepinephrine"), ({"tools_used": 2}, "acetylcholine")],
)
def test_what_starts_at_a_half_is_cut_to_a_tenth(given: dict[str, Any], level: str) -> None:
    start = LearnedState.from_dict({"neuromodulators": {level: 0.0}})
    assert getattr(learn(LearnedState(), raw(0.5)).after.neuromodulators, level) == 0.1
    assert getattr(learn(start, raw(0.5)).after.neuromodulators, level) == 0.0
    assert getattr(learn(start, raw(0.5, **given)).after.neuromodulators, level) == pytest.approx(0.01)


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 20_000.0), st.integers(0, 3)), max_size=40))
def test_nothing_leaves_its_bounds_and_the_same_again_gives_the_same(
    sequence: list[tuple[float, float, int]],
) -> None:
    def run() -> list[Learning]:
        learnings, state = [], LearnedState()
        for confidence, latency_ms, tools_used in sequence:
            signals = raw(confidence, latency_ms=latency_ms, tools_used=tools_used)
            learnings.append(learn(state, signals))
            state = learnings[-1].after
        return learnings

    ran = run()
    assert ran == run()
    for learning in ran:
        for name, (low, high) in BOUNDS.items():
            assert low <= getattr(learning.after.weights, name) <= high
        assert learning.to_dict()["signal"] == "raw"


def test_by_default_weights_follow_the_prediction_error() -> None:
    feedback = Feedback(
        tenant_id=UUID(int=1),
        agent_id="a",
        turn_id=UUID(int=2),
        iteration=0,
        reward=RewardParts(confidence=0.1, latency_ms=1.0, deadline_ms=1000.0),
        novelty=1.0,
    )
    learning = learn(LearnedState(), feedback.signals)
    assert learning.signal is LearningSignal.PREDICTION_ERROR
    assert learning.after.weights.alpha < 1.0
