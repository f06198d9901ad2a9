"""Loading what a turn needs to run, from its first iteration or from the last committed one."""

import asyncio

from soma.agent.domain.prompt import HISTORY_LIMIT
from soma.agent.domain.turn import Turn
from soma.agent.models import CapsuleRow, MessageRow
from soma.agent.services.capsules import Capsules
from soma.agent.services.progress import Progress
from soma.agent.services.rows import iterations_of, message_of
from soma.agent.services.streams import TurnStream
from soma.base.database import tenant_transaction
from soma.brain.api import Brain, LearnedState


def load_turn(
    turn: Turn, stream: TurnStream, stop: asyncio.Event, capsules: Capsules, brain: Brain
) -> Progress:
    """The progress of `turn` as committed. Raises Denied when the capsule may not run."""
    with tenant_transaction(turn.principal.tenant_id):
        capsule = capsules.load(CapsuleRow.objects.get(id=turn.agent_id))
        *history, message = reversed(
            MessageRow.objects.filter(
                conversation_id=turn.conversation_id, id__lte=turn.user_message_id
            ).order_by("-id")[: HISTORY_LIMIT + 1]
        )
        progress = Progress(
            turn=turn,
            capsule=capsule,
            message=message_of(message),
            history=tuple(map(message_of, history)),
            learned=brain.learned_state(
                turn.principal.tenant_id, str(turn.agent_id), LearnedState(), turn_id=turn.id
            ),
            stream=stream,
            stop=stop,
        )
        if turn.attempt > 1:
            _resume(progress)
    return progress


def _resume(progress: Progress) -> None:
    progress.iterations = iterations_of(progress.turn.id)
    if progress.iterations:
        progress.evidence = progress.iterations[0].evidence
        progress.recalled = True
        progress.novelty = progress.iterations[0].novelty
