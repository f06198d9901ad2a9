"""Following the subjects of a conversation as its turns are consolidated."""

from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.base.database import tenant_transaction
from soma.brain.domain.segment import Segment, SegmentState
from soma.brain.models import ConversationSegmentRow


def follow(
    tenant_id: UUID, conversation_id: UUID, sequence: int, said: NDArray[np.float32]
) -> Segment | None:
    """Where the conversation stands after the turn whose event has `sequence`, with `said` (k, d) the vectors
    of its items. The same event again changes nothing; None for one that comes after a later one, as after
    its retry as a dead letter: segments are told in the order of turns. Opens a transaction of its own."""
    with tenant_transaction(tenant_id):
        rows = ConversationSegmentRow.objects.select_for_update()
        row = rows.filter(tenant_id=tenant_id, conversation_id=conversation_id).first()
        if row is not None and sequence <= row.sequence:
            return _segment(row) if sequence == row.sequence else None
        beginning = SegmentState.beginning(said.shape[1])
        before = beginning if row is None else SegmentState.from_bytes(bytes(row.state))
        state = before.after(said.astype(np.float64))
        segment = state.segment()
        ConversationSegmentRow.objects.bulk_create(
            [_row(tenant_id, conversation_id, sequence, state, segment)],
            update_conflicts=True,
            unique_fields=["tenant_id", "conversation_id"],
            update_fields=["sequence", "turns", "start", "change_probability", "state"],
        )
        return segment


def present_segment(tenant_id: UUID, conversation_id: UUID) -> Segment | None:
    """See Brain.segment."""
    with tenant_transaction(tenant_id):
        rows = ConversationSegmentRow.objects.defer("state")
        row = rows.filter(tenant_id=tenant_id, conversation_id=conversation_id).first()
    return None if row is None else _segment(row)


def _segment(row: ConversationSegmentRow) -> Segment:
    return Segment(start=row.start, turns=row.turns, change_probability=row.change_probability)


def _row(
    tenant_id: UUID, conversation_id: UUID, sequence: int, state: SegmentState, segment: Segment
) -> ConversationSegmentRow:
    return ConversationSegmentRow(
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        sequence=sequence,
        turns=segment.turns,
        start=segment.start,
        change_probability=segment.change_probability,
        state=state.to_bytes(),
    )
