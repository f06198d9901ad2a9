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
from soma.brain.kernels.gain import discounted_gain
from soma.brain.kernels.stake import COST, favour, next_balance, next_lead, stake

GONE = 0.125
"""Learned weights are given up when no more than this share is left of what they had been staked with."""

MARGIN = 1.0
"""How far, in whole questions, the namespace's own weights may fall behind the agent's before these take
their place."""

MANY = 10
"""Nobody who looks finds as many memories in a row that are all relevant: who says so has not looked, and
agrees with any order by chance."""

CHANCE = 0.5

BLAME = 0.5
"""How much a bad answer speaks against what it used. The turn has given that credit as if it were right; both
together say that what bad answers use is right in two of three."""

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
    """What one question's feedback did to the namespace, and to what the agent knows `everywhere`; `won` is
    what the learned weights' share was better than the shipped order by, in questions. Where `applied` is
    false it told nothing: none of the evidence was relevant, or all of few."""

    before: RankingState
    after: RankingState
    everywhere: RankingState
    agreed: float | None = None
    won: float = 0.0
    rollback: Rollback | None = None

    @property
    def applied(self) -> bool:
        """Whether there was anything to learn."""
        return self.after != self.before


def credit(before: RankingState, everywhere: RankingState, judged: Sequence[Judgement]) -> Credited:
    """Learn from one question's evidence. `everywhere` is what the agent has learned in all its namespaces,
    which learns with this one.

    Feedback is trusted while it agrees with the shipped order better than chance does, and that of somebody
    who finds everything relevant does not; where trust is lost, or what the learned weights were staked with
    is GONE, the namespace's own are given up.
    """
    relevant = np.array([each.relevant for each in judged], dtype=np.bool_)
    alike = relevant.all()
    if not relevant.any() or (alike and len(judged) < MANY):
        return Credited(before=before, after=before, everywhere=everywhere)
    features = np.array([[each.features.get(name, 0.0) for name in SIGNALS] for each in judged])
    agreed = CHANCE if alike else max(agreement(features @ plain, relevant) for plain in PLAIN)
    counted = replace(before, trust=next_trust(before.trust, agreed), questions=before.questions + 1)
    if alike or counted.trust < DOUBT:
        return _unheeded(before, counted, everywhere, agreed)
    gains = _gains(before, everywhere.own, features, relevant)
    seen = differences(features[relevant], features[~relevant])
    learned = replace(_settled(before, counted, gains), own=_learn(counted.own, seen))
    shared = _shared(everywhere, gains, seen) if learned.trust > 0.0 else everywhere
    instead = _better(learned, everywhere.own)
    if instead is not None:
        learned = _give_up(learned, instead)
    return Credited(
        before=before,
        after=learned,
        everywhere=shared,
        agreed=agreed,
        won=float(before.shares() @ gains),
        rollback=None if instead is None else Rollback.REGRET,
    )


def discredit(before: RankingState, everywhere: RankingState, judged: Sequence[Judgement]) -> Credited:
    """Take back some of the credit of what a bad answer used, which are the relevant ones of `judged`.

    That an answer was bad may be due to much else, and says nothing of what would have been right: trust and
    balance stay. Where feedback makes no sense nothing is taken back.
    """
    used = np.array([each.relevant for each in judged], dtype=np.bool_)
    if not used.any() or used.all() or before.trust < DOUBT:
        return Credited(before=before, after=before, everywhere=everywhere)
    features = np.array([[each.features.get(name, 0.0) for name in SIGNALS] for each in judged])
    seen = differences(features[~used], features[used])
    return Credited(
        before=before,
        after=replace(before, own=_learn(before.own, seen, BLAME)),
        everywhere=replace(everywhere, own=_learn(everywhere.own, seen, BLAME))
        if before.trust > 0.0
        else everywhere,
    )


def _unheeded(
    before: RankingState, counted: RankingState, everywhere: RankingState, agreed: float
) -> Credited:
    """Nothing is learned; and once trust is lost altogether, nothing that was learned is kept."""
    lost = counted.trust <= -LIMIT and counted.own != SHIPPED
    return Credited(
        before=before,
        after=_give_up(replace(counted, balance=0.0), SHIPPED) if lost else counted,
        everywhere=everywhere,
        agreed=agreed,
        rollback=Rollback.DISTRUST if lost else None,
    )


def _gains(state: RankingState, agent: Belief, features: Floats, relevant: Flags) -> Floats:
    """By how much each of EXPERTS orders the evidence better than the first, (3,), before anything is learned
    from the question: each is judged by what it did not know."""
    scores = features @ state.experts(agent).T
    gains = np.array([discounted_gain(relevant[np.argsort(-each, kind="stable")]) for each in scores.T])
    ahead: Floats = gains - gains[0]
    return ahead


def _settled(before: RankingState, counted: RankingState, gains: Floats) -> RankingState:
    """`counted` with the balance and the lead after a question that `before` has ranked. Where it ranked as
    shipped, for want of trust, nothing was at stake."""
    _, of_agent, of_own = gains.tolist()
    own = favour(before.lead)
    gain = (1.0 - own) * of_agent + own * of_own
    return replace(
        counted,
        balance=before.balance if before.trust < DOUBT else next_balance(before.balance, gain),
        lead=next_lead(before.lead, of_own - of_agent),
    )


def _better(state: RankingState, agent: Belief) -> Belief | None:
    """What had better be in the place of the namespace's own weights, if anything."""
    if state.balance < GONE * stake(state.rollbacks):
        return SHIPPED
    return agent if state.lead < -MARGIN else None


def _shared(everywhere: RankingState, gains: Floats, seen: Floats) -> RankingState:
    lead = next_lead(everywhere.lead, float(gains[1]) - COST)
    return replace(everywhere, own=_learn(everywhere.own, seen), lead=lead)


def _learn(belief: Belief, seen: Floats, weight: float = 1.0) -> Belief:
    return Belief.of(*newton_step(belief.weights, belief.certainty, PRIOR, seen, LOWEST, HIGHEST, weight))


def _give_up(state: RankingState, instead: Belief) -> RankingState:
    return replace(
        state,
        own=Belief.around(instead.mean),
        balance=max(state.balance, stake(state.rollbacks + 1)),
        lead=0.0,
        rollbacks=state.rollbacks + 1,
    )
