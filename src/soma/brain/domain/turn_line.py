"""What a turn has learned, as it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from soma.brain.domain.checkpoint import Checkpoint
from soma.brain.domain.learning import Learning


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnLine:
    """The feedbacks of a turn by iteration, and the checkpoint that added them to the agent; None before
    there is one."""

    steps: Mapping[int, Learning]
    checkpoint: Checkpoint | None
