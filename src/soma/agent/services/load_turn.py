"""Loading what a turn needs to run, from its first iteration or from the last committed one."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connections

from soma.agent.domain.capsule import Capsule
from soma.agent.domain.message import Message
from soma.agent.domain.prompt import HISTORY_LIMIT
from soma.agent.domain.turn import Turn
from soma.agent.models import CapsuleRow
from soma.agent.services.capsules import Capsules
from soma.agent.services.progress import Progress
from soma.agent.services.rows import iterations_of
from soma.agent.services.streams import TurnStream
from soma.base.database import APP, tenant_transaction
from soma.brain.api import Brain, LearnedState, Modulation


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """What a turn starts from. A process that has just accepted it has read this already."""

    capsule: Capsule
    message: Message
    history: tuple[Message, ...]
    learned: LearnedState


LAST_ID = UUID(int=2**128 - 1)

DIALOGUE = """
    SELECT id, turn_id, role, content, created_at
    FROM message WHERE conversation_id = %s AND id <= %s ORDER BY id DESC LIMIT %s
"""
"""A message and those before it, newest first. SQL, because every turn asks it, and the ORM takes five times
as long to write the query and to make rows of what it finds."""


def dialogue(conversation_id: UUID, message_id: UUID) -> tuple[Message, tuple[Message, ...]]:
    """A message and the history before it, oldest first, inside an open transaction."""
    *history, message = _until(conversation_id, message_id, HISTORY_LIMIT + 1)
    return message, tuple(history)


def history_of(conversation_id: UUID) -> tuple[Message, ...]:
    """The history of a message to come, oldest first, inside an open transaction."""
    return tuple(_until(conversation_id, LAST_ID, HISTORY_LIMIT))


def _until(conversation_id: UUID, message_id: UUID, limit: int) -> list[Message]:
    with connections[APP].cursor() as cursor:
        cursor.execute(DIALOGUE, [conversation_id, message_id, limit])
        rows = cursor.fetchall()
    return [_message(row) for row in reversed(rows)]


def _message(row: tuple[UUID, UUID, str, str, datetime]) -> Message:
    message_id, turn_id, role, content, created_at = row
    return Message(id=message_id, turn_id=turn_id, role=role, content=content, created_at=created_at)


def begin(turn: Turn, beginning: Beginning, stream: TurnStream, stop: asyncio.Event) -> Progress:
    """The progress of a turn that nothing was done for yet."""
    return Progress(
        turn=turn,
        capsule=beginning.capsule,
        message=beginning.message,
        history=beginning.history,
        learned=beginning.learned,
        stream=stream,
        stop=stop,
        modulation=Modulation.of(beginning.learned.neuromodulators),
    )


def load_turn(
    turn: Turn, stream: TurnStream, stop: asyncio.Event, capsules: Capsules, brain: Brain
) -> Progress:
    """The progress of `turn` as committed. Raises Denied when the capsule may not run."""
    tenant_id = turn.principal.tenant_id
    with tenant_transaction(tenant_id):
        message, history = dialogue(turn.conversation_id, turn.user_message_id)
        beginning = Beginning(
            capsule=capsules.load(CapsuleRow.objects.get(id=turn.agent_id)),
            message=message,
            history=history,
            learned=brain.learned_state(tenant_id, str(turn.agent_id), LearnedState(), turn_id=turn.id),
        )
        iterations = iterations_of(turn.id)
    progress = begin(turn, beginning, stream, stop)
    if iterations:
        progress.iterations = iterations
        progress.evidence = iterations[0].evidence
        progress.novelty = iterations[0].novelty
        progress.recalled = True
        progress.modulation = Modulation.from_dict(iterations[0].modulation)
    return progress
