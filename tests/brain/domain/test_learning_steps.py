"""Laws of learning over long random feedback: 100,000 steps in all."""

import math
import random
from collections.abc import Iterator
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.domain.feedback import Feedback, RewardParts, Signals
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning import learn
from soma.brain.domain.learning_signal import LearningSignal
from soma.brain.domain.modulation import Modulation
from soma.brain.domain.weights import BOUNDS, GAINS, Weights
from soma.brain.kernels.temperature import ENTROPY, LARGEST, entropy, next_tau
from tests.brain.domain.test_learning import states

pytestmark = pytest.mark.req("LEARN-002")

PARTS, SEQUENCES, STEPS = 4, 25, 1_000
LARGEST_NORM = math.hypot(*(high for _, high in BOUNDS.values()))
FARTHEST = math.hypot(*GAINS.values()) / 4
"""How far the coupled baseline lets the weights go from where they were: see kernels.prediction."""


def feedbacks(seed: int, follows: LearningSignal) -> Iterator[Signals]:
    """What the iterations of an agent tell whose luck changes now and then."""
    chance = random.Random(seed)
    luck = chance.random()
    for _ in range(STEPS):
        luck = chance.random() if chance.random() < 0.02 else luck
        yield Feedback(
            tenant_id=UUID(int=1),
            agent_id="a",
            turn_id=UUID(int=2),
            iteration=0,
            reward=RewardParts(
                confidence=chance.betavariate(0.1 + 4 * luck, 4.1 - 4 * luck),
                tool_success=chance.choice([None, 0.0, 0.5, 1.0]),
                verification=chance.choice([None, None, 0.0, 1.0]),
                user=chance.choice([None, None, None, 0.0, 1.0]),
                latency_ms=chance.expovariate(1 / 4_000),
                deadline_ms=12_500.0,
                cost=chance.random(),
            ),
            novelty=chance.random(),
            errors=chance.choice([0, 0, 0, 1, 3]),
            tools_used=chance.choice([0, 0, 1, 4]),
        ).signals_for(follows)


def require_lawful(state: LearnedState) -> None:
    """Bounds and norms, of the state and of what it does to a turn."""
    weights, levels = state.weights, state.neuromodulators
    for name, (low, high) in BOUNDS.items():
        assert low <= getattr(weights, name) <= high
    assert math.hypot(*weights.to_dict().values()) <= LARGEST_NORM
    assert 0.2 <= levels.dopamine <= 0.8
    assert all(0.0 <= level <= 1.0 for level in levels.to_dict().values())
    assert 0.0 <= state.reward_baseline <= 1.0
    done = Modulation.of(levels)
    assert BOUNDS["tau"][0] <= done.weights(weights).tau <= BOUNDS["tau"][1]
    assert 0.5 <= done.haste <= 1.0
    assert 0.5 <= done.recall <= 1.5


def distance(one: Weights, other: Weights) -> float:
    """Euclidean."""
    return math.dist(list(one.to_dict().values()), list(other.to_dict().values()))


@pytest.mark.parametrize("part", range(PARTS))
@settings(max_examples=SEQUENCES, deadline=None)
@given(start=states, number=st.integers(0, 2**32 - 1), follows=st.sampled_from(LearningSignal))
def test_no_feedback_breaks_a_law_and_the_same_gives_the_same_bytes(
    part: int, start: LearnedState, number: int, follows: LearningSignal
) -> None:
    state, again, seed = start, start, PARTS * number + part
    for signals, repeated in zip(feedbacks(seed, follows), feedbacks(seed, follows), strict=True):
        assert signals == repeated
        state, again = learn(state, signals).after, learn(again, repeated).after
        require_lawful(state)
        if follows is LearningSignal.PREDICTION_ERROR:
            assert distance(state.weights, start.weights) <= FARTHEST + 1e-9
    assert state.step == start.step + STEPS
    assert state.to_bytes() == again.to_bytes()
    assert LearnedState.from_bytes(state.to_bytes()).hash == state.hash


@given(st.integers(0, 2**32 - 1), st.integers(2, 20), st.floats(0.0, 3.0), st.floats(*BOUNDS["tau"]))
def test_the_entropy_cap_holds_to_within_a_step_whatever_is_said(
    seed: int, count: int, spread: float, tau: float
) -> None:
    """Where no τ within its bounds makes the choice clear enough, τ is as low as it can be."""
    low, high = BOUNDS["tau"]
    random_ = np.random.default_rng(seed)
    scores = random_.normal(scale=spread, size=count)
    for _ in range(60):
        relevant = random_.random(count) < 0.3
        relevant[random_.integers(count)] = True
        tau = next_tau(tau, scores, relevant, low, high)
        assert low <= tau <= high
    below = max(low, tau - LARGEST)
    assert below == low or entropy(scores, below) <= ENTROPY + 1e-9
