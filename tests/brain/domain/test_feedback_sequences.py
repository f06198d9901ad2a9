"""Laws of learning over random sequences of rewards and of marked evidence: bounds, the same bytes for the
same input, and never more lost to the shipped order than was staked.

The suite runs 500 of them; 100,000 are run by
`pytest --hypothesis-profile=thorough --timeout=0 tests/brain/domain/test_feedback_sequences.py`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.domain.belief import HIGHEST, LOWEST, PRIOR, SIZE, Belief
from soma.brain.domain.evidence_feedback import LARGEST_SIGNAL
from soma.brain.domain.feedback import Signals
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning import learn
from soma.brain.domain.ranking_credit import Judgement, credit, discredit
from soma.brain.domain.ranking_state import ELSEWHERE, RankingState
from soma.brain.domain.signal_weights import SIGNALS
from soma.brain.domain.weights import BOUNDS
from soma.brain.kernels.agreement import LIMIT
from soma.brain.kernels.credit import REMEMBERED
from soma.brain.kernels.stake import MOST, STAKE
from soma.brain.kernels.temperature import next_tau

pytestmark = pytest.mark.req("LEARN-002", "LEARN-004")

TIMES = 5
"""So many times the examples of the profile."""

LONGEST = 2.0 * LARGEST_SIGNAL * math.sqrt(SIZE)
LARGEST_PRECISION = float(np.linalg.norm(PRIOR)) + LONGEST**2 / (4.0 * (1.0 - REMEMBERED))
LARGEST_WEIGHTS = math.hypot(*(high for _, high in BOUNDS.values()))
LARGEST_MEAN = float(np.linalg.norm(np.maximum(np.abs(LOWEST), np.abs(HIGHEST))))

share = st.floats(0.0, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """Evidence of one question: `count` memories whose signals are drawn from `seed` at a `scale`, and how
    somebody marks them, or which a bad answer used."""

    seed: int
    count: int
    scale: float
    marks: str
    discredits: bool

    def judged(self) -> Sequence[Judgement]:
        rng = np.random.default_rng(self.seed)
        drawn = rng.normal(scale=self.scale, size=(self.count, SIZE)) * (rng.random(SIZE) < rng.random())
        features = np.clip(drawn, -LARGEST_SIGNAL, LARGEST_SIGNAL)
        best = np.argsort(np.argsort(-(features @ Belief().weights))) < 3
        relevant = {
            "best": best,
            "worst": ~best,
            "all": np.ones(self.count, np.bool_),
            "some": rng.random(self.count) < rng.random(),
        }[self.marks]
        return [
            Judgement(features=dict(zip(SIGNALS, row.tolist(), strict=True)), relevant=bool(one))
            for row, one in zip(features, relevant, strict=True)
        ]


rewards = st.builds(Signals, reward=share, novelty=share, urgency=share, attention=share)
evidence = st.builds(
    Marked,
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 20),
    scale=st.sampled_from([0.0, 1e-6, 1.0, 20.0]),
    marks=st.sampled_from(["best", "worst", "all", "some"]),
    discredits=st.booleans(),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where an agent stands with one namespace."""

    state: LearnedState
    ranking: RankingState
    everywhere: RankingState
    won: float = 0.0

    def after(self, given_: Signals | Marked) -> "Standing":
        if isinstance(given_, Signals):
            return replace(self, state=learn(self.state, given_).after)
        judged = given_.judged()
        taken_in = discredit if given_.discredits else credit
        done = taken_in(self.ranking, self.everywhere, judged)
        state = self._selecting(judged) if done.agreed is not None else self.state
        return Standing(state=state, ranking=done.after, everywhere=done.everywhere, won=self.won + done.won)

    def _selecting(self, judged: Sequence[Judgement]) -> LearnedState:
        weights = np.array(list(self.ranking.weights(self.everywhere.own).to_dict().values()))
        scores = np.array([[each.features[name] for name in SIGNALS] for each in judged]) @ weights
        relevant = np.array([each.relevant for each in judged])
        tau = next_tau(self.state.weights.tau, scores, relevant, *BOUNDS["tau"])
        return replace(self.state, weights=replace(self.state.weights, tau=tau))

    def to_bytes(self) -> bytes:
        return self.state.to_bytes() + self.ranking.to_bytes() + self.everywhere.to_bytes()

    def require_lawful(self) -> None:
        for name, (low, high) in BOUNDS.items():
            assert low <= getattr(self.state.weights, name) <= high
        assert math.hypot(*self.state.weights.to_dict().values()) <= LARGEST_WEIGHTS
        assert all(0.0 <= level <= 1.0 for level in self.state.neuromodulators.to_dict().values())
        for belief in (self.ranking.own, self.everywhere.own):
            assert ((belief.weights >= LOWEST) & (belief.weights <= HIGHEST)).all()
            assert np.linalg.norm(belief.weights) <= LARGEST_MEAN
            assert np.linalg.norm(belief.certainty) <= LARGEST_PRECISION
        ranks = np.array(list(self.ranking.weights(self.everywhere.own).to_dict().values()))
        assert ((ranks >= LOWEST - 1e-12) & (ranks <= HIGHEST + 1e-12)).all()
        assert -LIMIT <= self.ranking.trust <= LIMIT
        assert max(abs(self.ranking.lead), abs(self.everywhere.lead)) <= MOST
        assert 0.0 <= self.ranking.balance <= 1.0
        assert self.won >= -(2.0 * STAKE + ELSEWHERE) - 1e-9
        assert self.ranking.shares().sum() == pytest.approx(1.0)


def run(sequence: Sequence[Signals | Marked], *, watched: bool) -> bytes:
    standing = Standing(state=LearnedState(), ranking=RankingState(), everywhere=RankingState())
    for each in sequence:
        standing = standing.after(each)
        if watched:
            standing.require_lawful()
    return standing.to_bytes()


@settings(max_examples=TIMES * settings().max_examples, deadline=None)
@given(st.lists(rewards | evidence, min_size=1, max_size=12))
def test_no_sequence_breaks_a_bound_and_the_same_gives_the_same_bytes(
    sequence: list[Signals | Marked],
) -> None:
    assert run(sequence, watched=True) == run(sequence, watched=False)
