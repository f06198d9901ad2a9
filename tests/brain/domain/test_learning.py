"""soma.brain.domain.learning: the rule as a whole"""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.domain.feedback import Signals
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning import Learning, learn
from soma.brain.domain.neuromodulators import Neuromodulators
from soma.brain.domain.weights import BOUNDS, GAINS, Weights

share = st.floats(0.0, 1.0)
signals = st.builds(Signals, reward=share, novelty=share, urgency=share, attention=share)
weights = st.builds(Weights, **{name: st.floats(*bounds) for name, bounds in BOUNDS.items()})
levels = st.builds(
    Neuromodulators,
    dopamine=st.floats(0.2, 0.8),
    serotonin=share,
    norepinephrine=share,
    acetylcholine=share,
)
states = st.builds(
    LearnedState,
    weights=weights,
    neuromodulators=levels,
    resting=levels,
    reward_baseline=share,
    step=st.integers(0, 1_000_000),
)


def run(state: LearnedState, sequence: list[Signals]) -> list[Learning]:
    learnings = []
    for each in sequence:
        learnings.append(learn(state, each))
        state = learnings[-1].after
    return learnings


@given(states, st.lists(signals, min_size=1, max_size=30))
@pytest.mark.req("LEARN-001")
def test_nothing_leaves_its_bounds(state: LearnedState, sequence: list[Signals]) -> None:
    after = run(state, sequence)[-1].after
    for name, (low, high) in BOUNDS.items():
        assert low <= getattr(after.weights, name) <= high
    assert 0.2 <= after.neuromodulators.dopamine <= 0.8
    assert all(0.0 <= level <= 1.0 for level in after.neuromodulators.to_dict().values())
    assert 0.0 <= after.reward_baseline <= 1.0


@given(states, st.lists(signals, min_size=1, max_size=10))
@pytest.mark.req("LEARN-002")
def test_the_same_input_gives_the_same_bits(state: LearnedState, sequence: list[Signals]) -> None:
    first, second = run(state, sequence)[-1].after, run(state, sequence)[-1].after
    assert first.to_bytes() == second.to_bytes()
    assert first.hash == second.hash


@given(states, signals)
@pytest.mark.req("LEARN-001")
def test_each_weight_moves_as_the_reported_rate_gain_and_error_say(
    state: LearnedState, signal: Signals
) -> None:
    learning = learn(state, signal)
    for name, (low, high) in BOUNDS.items():
        moved = (
            getattr(state.weights, name) + learning.learning_rate * GAINS[name] * learning.prediction_error
        )
        assert getattr(learning.after.weights, name) == pytest.approx(min(high, max(low, moved)), abs=1e-12)


@given(states, signals)
@pytest.mark.req("LEARN-001")
def test_below_the_gate_nothing_changes_but_the_step(state: LearnedState, signal: Signals) -> None:
    learning = learn(state, signal)
    assert learning.applied is (learning.salience >= 0.3)
    assert learning.after.step == state.step + 1
    if not learning.applied:
        assert learning.learning_rate == 0.0
        assert learning.after.vector()[:-1] == state.vector()[:-1]


@pytest.mark.req("LEARN-003")
def test_the_rate_is_that_of_the_dopamine_which_the_error_just_moved() -> None:
    better = learn(LearnedState(), Signals(reward=0.9, novelty=1.0, urgency=0.0, attention=0.0))
    worse = learn(LearnedState(), Signals(reward=0.1, novelty=1.0, urgency=0.0, attention=0.0))
    assert better.after.neuromodulators.dopamine == pytest.approx(0.58)
    assert better.learning_rate == pytest.approx(0.054)
    assert worse.after.neuromodulators.dopamine == pytest.approx(0.42)
    assert worse.learning_rate == pytest.approx(0.046)


@pytest.mark.req("LEARN-003")
def test_every_neuromodulator_acts_on_its_own_signal() -> None:
    calm = Signals(reward=0.5, novelty=1.0, urgency=0.0, attention=0.0)
    quiet = learn(LearnedState(), calm).after.neuromodulators
    assert quiet.serotonin > 0.5
    assert quiet.norepinephrine == quiet.acetylcholine == quiet.dopamine == 0.5
    urgent = learn(LearnedState(), Signals(reward=0.5, novelty=1.0, urgency=1.0, attention=0.0))
    assert urgent.after.neuromodulators.norepinephrine > 0.5
    attentive = learn(LearnedState(), Signals(reward=0.5, novelty=1.0, urgency=0.0, attention=1.0))
    assert attentive.after.neuromodulators.acetylcholine > 0.5


def rewards(kind: str, length: int) -> list[float]:
    chance = random.Random(20_000)
    uniform = [chance.random() for _ in range(length)]
    if kind == "uniform":
        return uniform
    goods = {"coin": 0.5, "mostly good": 0.9, "mostly bad": 0.1, "all good": 1.0, "all bad": 0.0}
    return [float(draw < goods[kind]) for draw in uniform]


@pytest.mark.req("LEARN-001")
@pytest.mark.parametrize("kind", ["uniform", "coin", "mostly good", "mostly bad", "all good", "all bad"])
@pytest.mark.parametrize("novelty", [0.1, 0.3, 0.9])
def test_long_runs_of_any_reward_end_at_no_corner(kind: str, novelty: float) -> None:
    """The seed's rule has every weight at a bound after 84 steps, and random rewards end there too."""
    state = LearnedState()
    for reward in rewards(kind, 5_000):
        state = learn(state, Signals(reward=reward, novelty=novelty, urgency=0.2, attention=0.2)).after
        for name, (low, high) in BOUNDS.items():
            value, start = getattr(state.weights, name), getattr(LearnedState().weights, name)
            assert low < value < high
            assert abs(value - start) <= abs(GAINS[name]) / 8 + 1e-9


@pytest.mark.req("LEARN-001")
def test_to_dict_is_what_streams_and_traces_show() -> None:
    shown = learn(LearnedState(), Signals(reward=0.9, novelty=1.0, urgency=0.0, attention=0.0)).to_dict()
    assert shown["weights_before"] == LearnedState().weights.to_dict()
    assert shown["weights_after"]["lambda"] > 1.0
    assert shown["neuromodulators_after"]["dopamine"] > shown["neuromodulators_before"]["dopamine"]
    assert (shown["reward"], shown["applied"]) == (0.9, True)
    assert shown["prediction_error"] == pytest.approx(0.4)
    assert shown["salience"] == pytest.approx(0.76)
