"""What was recalled, as the evidence of an answer."""

from collections.abc import Sequence

from soma.agent.domain.evidence import EvidenceBlock
from soma.agent.domain.message import Message
from soma.brain.api import Evidence


def blocks(recalled: Sequence[Evidence], history: Sequence[Message]) -> tuple[EvidenceBlock, ...]:
    """The evidence blocks of what was recalled, without what `history` says anyway."""
    shown = {str(message.turn_id) for message in history}
    return tuple(_block(each) for each in recalled if each.provenance.get("source_turn") not in shown)


def _block(each: Evidence) -> EvidenceBlock:
    return EvidenceBlock(
        id=str(each.record_id),
        content=each.content,
        role=each.role,
        occurred_at=each.occurred_at,
        score=each.score,
        confidence=each.confidence,
        features=dict(each.features),
        provenance=dict(each.provenance),
        layer=each.layer.value,
        probability=each.probability,
    )
