"""Repeating a seeded turn.

Whoever gives a seed wants the same answer again. Memory and weights move on between two such turns, so the
later one takes what the first one recalled, how it shared out its lanes and what neuromodulators did to it
from the record; the rest of its prompt is the same by itself. Without a seed, a turn uses all that is known
now.
"""

from soma.agent.domain.iteration import Iteration
from soma.agent.domain.turn import Turn, TurnStatus
from soma.agent.models import MessageRow, TurnRow
from soma.agent.services.rows import iterations_of
from soma.base.database import tenant_transaction

CANDIDATES = 16
"""Earlier turns looked at; the first that opened its conversation counts."""


def first_run(turn: Turn) -> tuple[Iteration, ...]:
    """The iterations of the first turn that opened a conversation of the same user and agent with the
    same message and the same given seed; none if there is no such turn."""
    with tenant_transaction(turn.principal.tenant_id):
        same = TurnRow.objects.filter(
            input_hash=turn.input_hash,
            seed=turn.seed,
            seeded=True,
            user_id=turn.principal.user_id,
            agent_id=turn.agent_id,
            capsule_version=turn.capsule_version,
            model=turn.model,
            rlm=turn.rlm,
            status=TurnStatus.COMPLETED,
            id__lt=turn.id,
        ).order_by("id")
        for row in same[:CANDIDATES]:
            if not MessageRow.objects.filter(
                conversation_id=row.conversation_id, id__lt=row.user_message_id
            ).exists():
                return tuple(iterations_of(row.id))
    return ()
