"""The record of a turn held against its events: what an event says follows from what its record says."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from soma.agent.domain.convergence import ExitReason
from soma.agent.domain.divergence import Divergence, Place, same
from soma.agent.domain.steps import BEGINNING, end, place
from soma.agent.domain.turn import Turn
from soma.agent.services.finish_turn import Answer, turn_completed
from soma.agent.services.iteration_events import iteration_completed, tool_executed
from soma.agent.services.progress import Progress
from soma.agent.services.replay.recorded_turn import RecordedTurn
from soma.agent.services.replay.turn_log import COMPLETED, REMEMBER, TurnLog
from soma.agent.services.run_turn import answer_text, best_iteration, outcome_of
from soma.base.canonical import sha256_hex
from soma.events.api import Event

BETWEEN = "the log's events and its records"


def held_against_events(log: TurnLog, recorded: RecordedTurn) -> Iterator[Divergence]:
    """Where the events of the beginning and of the iterations are not those of the records."""
    began = {
        "input_hash": sha256_hex(recorded.message.content.encode()),
        "capsule_version": str(recorded.capsule.version),
        "agent_id": str(recorded.capsule.id),
    }
    told = {} if log.started is None else log.started.payload
    yield from _unequal(BEGINNING, {name: told.get(name) for name in began}, began)
    for event, was, inputs in zip(log.iterations, recorded.iterations, recorded.inputs, strict=True):
        turn = recorded.turn_at(inputs.attempt)
        made = iteration_completed(turn, was, event.payload["record_hash"])
        yield from _unequal(place(was.number, "record"), event.payload, _payload(made))
        tools = [_payload(tool_executed(turn, was, one)) for one in was.executions]
        yield from _unequal(place(was.number, "tools"), log.tools(was.number), tools)


def held_against_end(log: TurnLog, progress: Progress) -> Iterator[Divergence]:
    """Where the event of the end is not what follows from the iterations that the loop has come to. Times,
    what the process went without, and the ids that were given are the event's own."""
    ended = log.ended
    if ended is None or ended.type != COMPLETED:
        return
    told = ended.payload
    progress.degraded = list(told["degraded_reasons"])
    best = best_iteration(progress.iterations, refine=progress.capsule.loop.refine)
    outcome = replace(
        outcome_of(progress, _reason(progress), best),
        latency_ms=told["latency_ms"],
        first_token_ms=told["first_token_ms"],
    )
    text = answer_text(progress, best)
    message_id = told["message_id"] and UUID(told["message_id"])
    answer = Answer(text=text, message_id=message_id if text else None)
    made = turn_completed(progress, answer, outcome, (told["checkpoint"], told["checkpoint_hash"]))
    yield from _unequal(end("finish"), told, _payload(made))
    yield from _remembered(log, progress.turn, progress.message.content, text)


def _reason(progress: Progress) -> ExitReason:
    """A turn that stopped without a reason to was stopped."""
    last = progress.iterations[-1].decision if progress.iterations else "continue"
    return ExitReason.CANCELLED if last == "continue" else ExitReason(last)


def _remembered(log: TurnLog, turn: Turn, question: str, answer: str) -> Iterator[Divergence]:
    requested = log.requested
    if requested is None:
        return
    wanted = {role: sha256_hex(text.encode()) for role, text in (("user", question), ("assistant", answer))}
    said = {each["role"]: each.get("content_hash") for each in requested["items"]}
    expected = {role: wanted[role] for role in said if role in wanted}
    yield from _unequal(end("answer"), {REMEMBER: said}, {REMEMBER: expected})


def _unequal(where: Place, expected: Any, found: Any) -> Iterator[Divergence]:
    if not same(expected, found):
        yield Divergence(place=where, between=BETWEEN, expected=expected, found=found)


def _payload(event: Event) -> Mapping[str, Any]:
    return dict(event.payload)
