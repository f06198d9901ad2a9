"""Looking at what a turn has learned."""

from uuid import UUID

from soma.brain.domain.turn_line import TurnLine
from soma.brain.models import LearnedCheckpointRow, LearnedStepRow
from soma.brain.services.apply_feedback import learning_of
from soma.brain.services.checkpoint_rows import checkpoint_of


def turn_line(tenant_id: UUID, turn_id: UUID) -> TurnLine:
    """See Brain.turn_line."""
    steps = LearnedStepRow.objects.filter(tenant_id=tenant_id, turn_id=turn_id).order_by("iteration")
    made = LearnedCheckpointRow.objects.filter(tenant_id=tenant_id, turn_id=turn_id).order_by("-sequence")
    last = made.first()
    return TurnLine(
        steps={row.iteration: learning_of(row) for row in steps},
        checkpoint=None if last is None else checkpoint_of(last),
    )
