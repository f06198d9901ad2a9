"""What credit for evidence makes of where an agent stands, before it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from soma.brain.domain.evidence_feedback import EvidenceFeedback
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.ranking_credit import Credited, credit, discredit
from soma.brain.domain.ranking_state import RankingState
from soma.brain.domain.signal_weights import SIGNALS
from soma.brain.domain.weights import BOUNDS
from soma.brain.kernels.temperature import next_tau
from soma.brain.services.ranking_rows import EVERYWHERE, Rankings, standing_rankings


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceCredit:
    """The agent's `state` with the τ that suits how the evidence was scored, and the `rankings` that change;
    none where there was nothing to learn."""

    credited: Credited
    state: LearnedState
    rankings: Mapping[str, RankingState]

    @property
    def hashes(self) -> dict[str, str]:
        """Of the rankings, by namespace."""
        return {namespace: state.hash for namespace, state in self.rankings.items()}


def evidence_credit(feedback: EvidenceFeedback, state: LearnedState) -> EvidenceCredit:
    """What `feedback` makes of an agent that stands at `state`, whose row is locked."""
    standing = standing_rankings(feedback.tenant_id, feedback.agent_id, feedback.namespace)
    learn = discredit if feedback.discredits else credit
    credited = learn(standing.state, standing.everywhere, feedback.judged)
    if not credited.applied:
        return EvidenceCredit(credited=credited, state=state, rankings={})
    return EvidenceCredit(
        credited=credited,
        state=state if feedback.discredits else _selecting(state, standing, feedback),
        rankings={EVERYWHERE: credited.everywhere, feedback.namespace: credited.after},
    )


def _selecting(state: LearnedState, standing: Rankings, feedback: EvidenceFeedback) -> LearnedState:
    weights = standing.state.weights(standing.agent).to_dict()
    scores = np.array(
        [sum(weights[name] * each.features.get(name, 0.0) for name in SIGNALS) for each in feedback.judged]
    )
    relevant = np.array([each.relevant for each in feedback.judged])
    tau = next_tau(state.weights.tau, scores, relevant, *BOUNDS["tau"])
    return replace(state, weights=replace(state.weights, tau=tau), step=state.step + 1)
