"""The rule by which feedback on evidence changes how a namespace ranks. No clock, no chance: the same input
gives the same bits (LEARN-002)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from soma.brain.domain.belief import HIGHEST, LOWEST, PRIOR, Belief, Floats
from soma.brain.domain.ranking_state import DOUBT, SHIPPED, RankingState
from soma.brain.domain.signal_weights import SIGNALS
from soma.brain.kernels.agreement import LIMIT, Flags, agreement, next_trust
from soma.brain.kernels.credit import differences, newton_step
from soma.brain.kernels.gain import discounted_gain, next_advantages

MARGIN = 1.0
"""How far the namespace's own weights may fall behind the shipped ones, in whole questions lost of late,
before they are given up: .03 of nDCG a question, if it goes on."""


PLAIN = (
    SHIPPED.weights,
    np.array([SHIPPED.mean[i] if name in ("dense", "lexical") else 0.0 for i, name in enumerate(SIGNALS)]),
)
"""The orders that sensible feedback agrees with: the shipped one, or meaning and words alone, where what the
shipped one makes of conversations does not suit. The better one counts; by chance it agrees in .55."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """One memory that answered a question, with the signals it was ranked by (those left out are 0), and
    whether it was relevant: cited, used, or marked right."""

    features: Mapping[str, float]
    relevant: bool


class Rollback(StrEnum):
    """Why a namespace gave up what it had learned."""

    DISTRUST = "distrust"
    REGRET = "regret"


@dataclass(frozen=True, kw_only=True, slots=True)
class Credited:
    """What one question's feedback did. Where `applied` is false it told nothing: all or none of the evidence
    was relevant."""

    before: RankingState
    after: RankingState
    agent: Belief
    agreed: float | None = None
    rollback: Rollback | None = None

    @property
    def applied(self) -> bool:
        """Whether there was anything to learn."""
        return self.agreed is not None


def credit(before: RankingState, agent: Belief, judged: Sequence[Judgement]) -> Credited:
    """Learn from one question's evidence. `agent` is what the agent has learned in all its namespaces, and
    learns with this one.

    Feedback is trusted while it agrees with the shipped order better than chance does; where trust is lost,
    or the namespace's own weights have done worse than the shipped ones by MARGIN, they are given up.
    """
    relevant = np.array([each.relevant for each in judged], dtype=np.bool_)
    if not relevant.any() or relevant.all():
        return Credited(before=before, after=before, agent=agent)
    features = np.array([[each.features.get(name, 0.0) for name in SIGNALS] for each in judged])
    agreed = max(agreement(features @ plain, relevant) for plain in PLAIN)
    counted = replace(before, trust=next_trust(before.trust, agreed), questions=before.questions + 1)
    if counted.trust < DOUBT:
        return _doubted(before, counted, agent, agreed)
    advantages = _advantages(counted, agent, features, relevant)
    seen = differences(features[relevant], features[~relevant])
    learned = replace(counted, advantages=advantages, own=_learn(counted.own, seen))
    shared = _learn(agent, seen) if learned.trust > 0.0 else agent
    if advantages[1] < -MARGIN:
        best = agent if advantages[0] > 0.0 else SHIPPED
        learned = _give_up(learned, best)
        return Credited(before=before, after=learned, agent=shared, agreed=agreed, rollback=Rollback.REGRET)
    return Credited(before=before, after=learned, agent=shared, agreed=agreed)


def _doubted(before: RankingState, counted: RankingState, agent: Belief, agreed: float) -> Credited:
    """Nothing is learned; and once trust is lost altogether, nothing that was learned is kept."""
    lost = counted.trust <= -LIMIT and counted.own != SHIPPED
    return Credited(
        before=before,
        after=_give_up(counted, SHIPPED) if lost else counted,
        agent=agent,
        agreed=agreed,
        rollback=Rollback.DISTRUST if lost else None,
    )


def _advantages(state: RankingState, agent: Belief, features: Floats, relevant: Flags) -> tuple[float, float]:
    """Before anything is learned from the question: each expert is judged by what it did not know."""
    scores = features @ state.experts(agent).T
    gains = np.array([discounted_gain(relevant[np.argsort(-each, kind="stable")]) for each in scores.T])
    _, of_agent, own = next_advantages(np.array([0.0, *state.advantages]), gains).tolist()
    return of_agent, own


def _learn(belief: Belief, seen: Floats) -> Belief:
    return Belief.of(*newton_step(belief.weights, belief.certainty, PRIOR, seen, LOWEST, HIGHEST))


def _give_up(state: RankingState, instead: Belief) -> RankingState:
    return replace(
        state,
        own=Belief.around(instead.mean),
        advantages=(state.advantages[0], 0.0),
        rollbacks=state.rollbacks + 1,
    )
