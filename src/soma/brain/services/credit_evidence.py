"""Learning from what was said of a question's evidence."""

from dataclasses import replace

import numpy as np

from soma.brain.domain.checkpoint import Checkpoint, CheckpointKind
from soma.brain.domain.evidence_feedback import EvidenceFeedback, EvidenceLearning
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.ranking_credit import Credited, credit
from soma.brain.domain.ranking_state import RankingState
from soma.brain.domain.signal_weights import SIGNALS
from soma.brain.domain.weights import BOUNDS
from soma.brain.kernels.temperature import next_tau
from soma.brain.models import LearnedCheckpointRow, RankingVersionRow
from soma.brain.services.chain import Head, Link, append, locked_head
from soma.brain.services.checkpoint_rows import checkpoint_of
from soma.brain.services.learned_state import learned_state
from soma.brain.services.ranking_rows import EVERYWHERE, Rankings, keep, standing_rankings


def credit_evidence(feedback: EvidenceFeedback) -> EvidenceLearning:
    """See Brain.credit_evidence."""
    learned_state(feedback.tenant_id, feedback.agent_id, LearnedState())
    head = locked_head(feedback.tenant_id, feedback.agent_id)
    known = _known(feedback)
    if known is not None:
        return known
    standing = standing_rankings(feedback.tenant_id, feedback.agent_id, feedback.namespace)
    credited = credit(standing.state, standing.agent, feedback.judged)
    if not credited.applied:
        return EvidenceLearning(state=credited.after)
    return _store(feedback, head, standing, credited)


def _store(
    feedback: EvidenceFeedback, head: Head, standing: Rankings, credited: Credited
) -> EvidenceLearning:
    states = {
        EVERYWHERE: RankingState(own=credited.agent),
        feedback.namespace: credited.after,
    }
    made = append(
        head,
        Link(
            state=_selecting(head.state, standing, feedback),
            kind=CheckpointKind.FEEDBACK,
            source_id=feedback.source_id,
            rankings={namespace: state.hash for namespace, state in states.items()},
        ),
    )
    keep(feedback.tenant_id, feedback.agent_id, made.sequence, states)
    return EvidenceLearning(
        state=credited.after, checkpoint=made, agreement=credited.agreed, rollback=credited.rollback
    )


def _selecting(state: LearnedState, standing: Rankings, feedback: EvidenceFeedback) -> LearnedState:
    """`state` with the τ that suits how the evidence was scored."""
    weights = standing.state.weights(standing.agent).to_dict()
    scores = np.array(
        [sum(weights[name] * each.features.get(name, 0.0) for name in SIGNALS) for each in feedback.judged]
    )
    relevant = np.array([each.relevant for each in feedback.judged])
    tau = next_tau(state.weights.tau, scores, relevant, *BOUNDS["tau"])
    return replace(state, weights=replace(state.weights, tau=tau), step=state.step + 1)


def _known(feedback: EvidenceFeedback) -> EvidenceLearning | None:
    """What the same feedback did when it came the first time."""
    row = LearnedCheckpointRow.objects.filter(
        tenant_id=feedback.tenant_id, agent_id=feedback.agent_id, source_id=feedback.source_id
    ).first()
    if row is None:
        return None
    made: Checkpoint = checkpoint_of(row)
    return EvidenceLearning(state=_version(feedback, made.sequence), checkpoint=made, repeated=True)


def _version(feedback: EvidenceFeedback, sequence: int) -> RankingState:
    row = RankingVersionRow.objects.filter(
        tenant_id=feedback.tenant_id,
        agent_id=feedback.agent_id,
        namespace=feedback.namespace,
        sequence=sequence,
    ).first()
    if row is not None:
        return RankingState.from_bytes(row.state)
    # The same name for feedback on another namespace.
    return standing_rankings(feedback.tenant_id, feedback.agent_id, feedback.namespace).state
