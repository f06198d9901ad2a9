"""soma.brain.domain.modulation: what each neuromodulator does, how far, and nothing at rest"""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.domain.modulation import Modulation
from soma.brain.domain.neuromodulators import Neuromodulators
from soma.brain.domain.weights import BOUNDS, Weights

pytestmark = pytest.mark.req("LEARN-003")

share = st.floats(0.0, 1.0)
levels = st.builds(
    Neuromodulators,
    dopamine=st.floats(0.2, 0.8),
    serotonin=share,
    norepinephrine=share,
    acetylcholine=share,
)
EFFECTS = {
    "dopamine": {"learning_rate"},
    "serotonin": {"tau", "patience"},
    "norepinephrine": {"haste", "fast_model"},
    "acetylcholine": {"recall", "memory_lane"},
}


def at(**changed: float) -> Modulation:
    """The effects of resting levels but for those `changed`."""
    return Modulation.of(replace(Neuromodulators(), **changed))


def test_at_rest_there_is_no_effect_at_all() -> None:
    assert at() == Modulation() == Modulation.from_dict({})
    assert Modulation().weights(Weights()) == Weights()
    assert Modulation().top_k(5) == 5
    assert Modulation().deadline(60.0) == 60.0


@given(levels)
def test_every_effect_is_bounded(given_levels: Neuromodulators) -> None:
    made = Modulation.of(given_levels)
    assert 0.035 - 1e-12 <= made.learning_rate <= 0.06 + 1e-12
    assert 0.7 <= made.tau <= 1.3
    assert 1 <= made.patience <= 3
    assert 0.5 <= made.haste <= 1.0
    assert 0.5 <= made.recall <= 1.5
    assert 0.5 <= made.memory_lane <= 1.5


@pytest.mark.parametrize("name", EFFECTS)
@given(given_levels=levels)
def test_each_level_has_its_own_effects_and_no_others(name: str, given_levels: Neuromodulators) -> None:
    effects = Modulation.of(given_levels).to_dict()
    alone = at(**{name: getattr(given_levels, name)}).to_dict()
    rest = Modulation().to_dict()
    for effect, value in alone.items():
        assert value == (effects if effect in EFFECTS[name] else rest)[effect]


@given(share, share)
def test_more_of_a_level_never_means_less_of_its_effect(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert at(dopamine=high).learning_rate >= at(dopamine=low).learning_rate
    assert at(serotonin=high).tau <= at(serotonin=low).tau
    assert at(serotonin=high).patience >= at(serotonin=low).patience
    assert at(norepinephrine=high).haste <= at(norepinephrine=low).haste
    assert at(norepinephrine=high).fast_model >= at(norepinephrine=low).fast_model
    assert at(acetylcholine=high).recall >= at(acetylcholine=low).recall
    assert at(acetylcholine=high).memory_lane >= at(acetylcholine=low).memory_lane


def test_dopamine_scales_the_learning_rate() -> None:
    assert [at(dopamine=level).learning_rate for level in (0.2, 0.5, 0.7, 0.8)] == pytest.approx(
        [0.035, 0.05, 0.06, 0.06]
    )


def test_serotonin_lowers_tau_and_raises_patience() -> None:
    assert [at(serotonin=level).tau for level in (0.0, 0.5, 1.0)] == pytest.approx([1.3, 1.0, 0.7])
    assert [at(serotonin=level).patience for level in (0.0, 0.5, 0.74, 0.75, 1.0)] == [1, 1, 1, 2, 3]


@given(levels, st.floats(*BOUNDS["tau"]))
def test_tau_stays_within_its_bounds(given_levels: Neuromodulators, tau: float) -> None:
    learned = replace(Weights(), tau=tau)
    changed = Modulation.of(given_levels).weights(learned)
    assert BOUNDS["tau"][0] <= changed.tau <= BOUNDS["tau"][1]
    assert replace(changed, tau=tau) == learned


def test_norepinephrine_cuts_deadlines_and_prefers_the_fast_model() -> None:
    assert [at(norepinephrine=level).deadline(60.0) for level in (0.0, 0.5, 0.75, 1.0)] == [60, 60, 45, 30]
    assert [at(norepinephrine=level).fast_model for level in (0.5, 0.74, 0.75)] == [False, False, True]


def test_acetylcholine_widens_recall_and_the_memory_lane() -> None:
    assert [at(acetylcholine=level).top_k(5) for level in (0.0, 0.5, 0.8, 1.0)] == [2, 5, 6, 8]
    assert [at(acetylcholine=level).memory_lane for level in (0.0, 0.5, 1.0)] == [0.5, 1.0, 1.5]


@given(levels, st.integers(1, 100))
def test_recall_is_never_asked_for_more_than_it_gives(given_levels: Neuromodulators, usual: int) -> None:
    assert 1 <= Modulation.of(given_levels).top_k(usual) <= 100


@given(levels)
def test_a_record_of_it_is_it(given_levels: Neuromodulators) -> None:
    made = Modulation.of(given_levels)
    assert Modulation.from_dict(json.loads(json.dumps(made.to_dict()))) == made
