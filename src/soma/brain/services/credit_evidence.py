"""Learning from what was said of a question's evidence."""

from soma.base.crypto import SigningKey
from soma.brain.domain.checkpoint import Checkpoint, CheckpointKind
from soma.brain.domain.evidence_feedback import EvidenceFeedback, EvidenceLearning
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.ranking_state import RankingState
from soma.brain.models import LearnedCheckpointRow, RankingVersionRow
from soma.brain.services.chain import Head, Link, append, locked_head
from soma.brain.services.checkpoint_rows import checkpoint_of
from soma.brain.services.evidence_credit import EvidenceCredit, evidence_credit
from soma.brain.services.learned_state import learned_state
from soma.brain.services.ranking_rows import keep, standing_rankings


def credit_evidence(feedback: EvidenceFeedback, key: SigningKey | None = None) -> EvidenceLearning:
    """See Brain.credit_evidence."""
    learned_state(feedback.tenant_id, feedback.agent_id, LearnedState())
    head = locked_head(feedback.tenant_id, feedback.agent_id)
    known = _known(feedback)
    if known is not None:
        return known
    credit = evidence_credit(feedback, head.state)
    if not credit.rankings:
        return EvidenceLearning(state=credit.credited.after)
    return _store(feedback, head, credit, key)


def _store(
    feedback: EvidenceFeedback, head: Head, credit: EvidenceCredit, key: SigningKey | None
) -> EvidenceLearning:
    made = append(
        head,
        Link(
            state=credit.state,
            kind=CheckpointKind.FEEDBACK,
            source_id=feedback.source_id,
            rankings=credit.hashes,
        ),
        key,
    )
    keep(feedback.tenant_id, feedback.agent_id, made.sequence, credit.rankings)
    credited = credit.credited
    return EvidenceLearning(
        state=credited.after, checkpoint=made, agreement=credited.agreed, rollback=credited.rollback
    )


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
