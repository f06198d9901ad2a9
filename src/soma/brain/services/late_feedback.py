"""Learning from what somebody says of a turn after it."""

from soma.base.crypto import SigningKey
from soma.brain.domain.checkpoint import CheckpointKind
from soma.brain.domain.late_feedback import LateFeedback, LateLearning
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning import learn
from soma.brain.models import LearnedCheckpointRow
from soma.brain.services.chain import Link, append, locked_head
from soma.brain.services.checkpoint_rows import checkpoint_of
from soma.brain.services.evidence_credit import evidence_credit
from soma.brain.services.learned_state import learned_state
from soma.brain.services.ranking_rows import keep


def late_feedback(given: LateFeedback, key: SigningKey | None = None) -> LateLearning:
    """See Brain.late_feedback."""
    evidence = given.evidence
    learned_state(evidence.tenant_id, evidence.agent_id, LearnedState())
    head = locked_head(evidence.tenant_id, evidence.agent_id)
    known = LearnedCheckpointRow.objects.filter(
        tenant_id=evidence.tenant_id, agent_id=evidence.agent_id, source_id=evidence.source_id
    ).first()
    if known is not None:
        return LateLearning(checkpoint=checkpoint_of(known))
    learning = learn(head.state, given.feedback.signals)
    credit = evidence_credit(evidence, learning.after)
    made = append(
        head,
        Link(
            state=credit.state,
            kind=CheckpointKind.FEEDBACK,
            source_id=evidence.source_id,
            rankings=credit.hashes,
        ),
        key,
    )
    keep(evidence.tenant_id, evidence.agent_id, made.sequence, credit.rankings)
    return LateLearning(checkpoint=made, learning=learning, credited=credit.credited)
