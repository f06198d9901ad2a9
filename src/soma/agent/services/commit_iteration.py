"""One transaction for an iteration: its row, its tools, what was learnt, its events. The resume point."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import connections

from soma.agent.domain.iteration import Iteration
from soma.agent.domain.iteration_document import document_of
from soma.agent.domain.iteration_inputs import IterationInputs
from soma.agent.domain.shelf import Shelf
from soma.agent.domain.turn import Turn
from soma.agent.errors import LeaseLost
from soma.agent.models import ToolExecutionRow
from soma.agent.services.assess import feedback_of
from soma.agent.services.iteration_events import iteration_completed, tool_executed
from soma.agent.services.leases import LEASE_SECONDS
from soma.agent.services.progress import Progress
from soma.agent.services.record_intent import STARTED
from soma.agent.services.recording import record_of
from soma.agent.services.rows import execution_row, iteration_row
from soma.base import clock
from soma.base.database import APP, tenant_transaction
from soma.base.insertion import insert
from soma.brain.api import Brain, LearnedState
from soma.events.api import Content, keep_blobs, publish


def commit_iteration(
    progress: Progress, draft: Iteration, inputs: IterationInputs, brain: Brain, *, cancelled: bool
) -> tuple[Iteration, LearnedState]:
    """Learn from `draft` and store everything; the iteration with its learning, and the new state.

    A cancelled iteration teaches nothing. Raises LeaseLost, and then nothing is stored.
    """
    turn = progress.turn
    with tenant_transaction(turn.principal.tenant_id):
        _advance(turn, draft.number + 1)
        if cancelled:
            taught, after = nothing_learned(progress.learned), progress.learned
        else:
            learning = brain.apply_feedback(feedback_of(progress, draft))
            taught, after = learning.to_dict(), learning.after
        iteration = replace(draft, learning=taught, completed_at=clock.now())
        shelf = Shelf()
        document = document_of(iteration, shelf)
        _store(turn, document, noted=_noted(progress, draft))
        record, *beginning = record_of(progress, document, inputs)
        keep_blobs(turn.principal.tenant_id, [record, *beginning, *_shelved(turn, shelf)])
        publish(
            iteration_completed(turn, iteration, record.hash),
            *(tool_executed(turn, iteration, one) for one in iteration.executions),
        )
    return iteration, after


ADVANCE_TURN = """
    UPDATE turn SET iterations = %s, lease_expires_at = %s
    WHERE id = %s AND lease_owner = %s AND attempt = %s AND status = 'running'
"""
"""Moves a turn on if this attempt still holds its lease. SQL, because it is the one statement that every
iteration of every turn waits for, and the ORM takes six times its time to write it."""


def _advance(turn: Turn, iterations: int) -> None:
    until = clock.now() + timedelta(seconds=LEASE_SECONDS)
    with connections[APP].cursor() as cursor:
        cursor.execute(ADVANCE_TURN, [iterations, until, turn.id, turn.lease_owner, turn.attempt])
        if cursor.rowcount != 1:
            raise LeaseLost("the turn's lease has passed to another process")


def _noted(progress: Progress, draft: Iteration) -> bool:
    """Whether intents of its tools were committed before, which their results replace."""
    specs = (progress.capsule.tool(one.call.tool) for one in draft.executions)
    return any(spec is not None and not spec.idempotent for spec in specs)


def _store(turn: Turn, document: dict[str, Any], *, noted: bool) -> None:
    number, executions = document["number"], document["executions"]
    if noted:
        ToolExecutionRow.objects.filter(
            turn_id=turn.id,
            iteration=number,
            status=STARTED,
            tool__in=[one["tool"] for one in executions],
        ).delete()
    rows = [execution_row(turn, number, position, one) for position, one in enumerate(executions)]
    insert(*rows, iteration_row(turn, document))


def _shelved(turn: Turn, shelf: Shelf) -> list[Content]:
    """What rows name by hash."""
    return [
        Content(owner_id=turn.conversation_id, data=data, lasting=True) for data in shelf.contents.values()
    ]


def nothing_learned(state: LearnedState) -> dict[str, Any]:
    """What a cancelled iteration has for its learning."""
    weights, levels = state.weights.to_dict(), state.neuromodulators.to_dict()
    return {
        "weights_before": weights,
        "weights_after": weights,
        "neuromodulators_before": levels,
        "neuromodulators_after": levels,
        "reward": None,
        "prediction_error": None,
        "salience": None,
        "learning_rate": 0.0,
        "applied": False,
    }
