"""soma.brain.domain.learned_state, with weights and neuromodulators"""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from soma.base.errors import InvalidInput
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.neuromodulators import Neuromodulators
from soma.brain.domain.weights import BOUNDS, FIELD_OF, Weights
from tests.brain.domain.test_learning import states


@given(states)
@pytest.mark.req("LEARN-002")
def test_every_form_reads_back_to_the_same_bits(state: LearnedState) -> None:
    assert LearnedState.from_bytes(state.to_bytes()) == state
    assert LearnedState.from_vector(state.vector()) == state
    assert LearnedState.from_dict(state.to_dict()) == state


@given(states)
@pytest.mark.req("LEARN-002")
def test_the_hash_tells_the_least_difference(state: LearnedState) -> None:
    nudged = math.nextafter(state.weights.alpha, 10.0)
    assert replace(state, weights=replace(state.weights, alpha=nudged)).hash != state.hash
    assert replace(state, step=state.step + 1).hash != state.hash
    assert len(state.hash) == 128


@pytest.mark.req("LEARN-001")
def test_a_capsule_need_not_name_everything() -> None:
    state = LearnedState.from_dict({"weights": {"lambda": 2.0}, "neuromodulators": {"noradrenaline": 0.25}})
    assert state.weights == Weights(lambda_=2.0)
    assert state.neuromodulators == state.resting == Neuromodulators(norepinephrine=0.25)
    assert LearnedState.from_dict({}) == LearnedState()


@pytest.mark.req("LEARN-001")
def test_initial_weights_are_the_seeds() -> None:
    assert Weights().to_dict() == {
        "alpha": 1.0, "beta": 0.2, "gamma": 0.1, "tau": 0.7, "lambda": 1.0, "mu": 0.1, "nu": 0.05,
    }  # fmt: skip


@pytest.mark.req("LEARN-001")
@pytest.mark.parametrize(
    "broken",
    [
        {"weights": {"lambda_": 1.0}},
        {"weights": {"omega": 1.0}},
        {"weights": {"gamma": 1.01}},
        {"weights": {"alpha": float("nan")}},
        {"neuromodulators": {"dopamine": 0.1}},
        {"neuromodulators": {"cortisol": 0.5}},
        {"neuromodulators": {"serotonin": 1.1}},
        {"reward_baseline": 1.1},
        {"reward_baseline": float("nan")},
        {"step": -1},
    ],
)
def test_what_no_state_can_be_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        LearnedState.from_dict(broken)


@pytest.mark.req("LEARN-002")
def test_bytes_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="136 bytes"):
        LearnedState.from_bytes(b"short")
    with pytest.raises(ValueError, match="17 values"):
        LearnedState.from_vector([1.0])


@pytest.mark.req("LEARN-001")
def test_every_weight_has_bounds_that_hold_its_initial_value() -> None:
    assert set(BOUNDS) == set(FIELD_OF.values())
    assert all(low < getattr(Weights(), name) < high for name, (low, high) in BOUNDS.items())
