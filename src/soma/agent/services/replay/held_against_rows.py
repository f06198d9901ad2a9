"""A turn as the log tells it, held against the rows that it left."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from soma.agent.domain.divergence import Divergence, Place, same
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.replay_report import Hashes
from soma.agent.domain.steps import BEGINNING, compared, end, place, steps_of
from soma.agent.domain.turn import TurnStatus
from soma.agent.models import MessageRow, TurnRow
from soma.agent.services.replay.recorded_turn import RecordedTurn
from soma.agent.services.replay.turn_log import FAILED, TurnLog
from soma.agent.services.rows import iterations_of
from soma.base.canonical import sha256_hex
from soma.base.canonical_json import canonical_json
from soma.brain.api import Brain, TurnLine

BETWEEN = "the log and the database"
FROM_COMPLETED = {"prompt_tokens": "context_tokens"}
"""Members of an outcome that the event has under another name."""
OUTCOME = (
    "exit_reason",
    "iterations",
    "confidence",
    "convergence_score",
    "tools_used",
    "degraded_reasons",
    "prompt_tokens",
    "completion_tokens",
    "first_token_ms",
    "latency_ms",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTurn:
    """What the rows say of a turn. `words` are its messages by their role."""

    row: TurnRow
    words: Mapping[str, str]
    iterations: list[Iteration]
    line: TurnLine


def stored_turn(row: TurnRow, brain: Brain) -> StoredTurn:
    """The rows of a turn, in the tenant's open transaction. Raises BlobMissing."""
    return StoredTurn(
        row=row,
        words=dict(MessageRow.objects.filter(turn_id=row.id).values_list("role", "content")),
        iterations=iterations_of(row.id),
        line=brain.turn_line(row.tenant_id, row.id),
    )


def held_against_rows(
    log: TurnLog, recorded: RecordedTurn | None, stored: StoredTurn
) -> Iterator[Divergence]:
    """Where the rows are not what the log says, step by step."""
    yield from _beginning(log, stored)
    told = list(recorded.iterations) if recorded else []
    yield from _iterations(told, stored)
    for was in told:
        yield from _learned(was, recorded, stored)
    yield from _ending(log, stored)


def hashes(rebuilt: list[Iteration], answer: str | None, stored: StoredTurn) -> dict[str, Hashes]:
    """Of the parts of the turn's state, as the loop has come to them again and as rows keep them."""
    return {
        "weights": Hashes(rebuilt=_learnt(rebuilt, "weights_after"), stored=_kept(stored, "weights_after")),
        "neuromodulators": Hashes(
            rebuilt=_learnt(rebuilt, "neuromodulators_after"), stored=_kept(stored, "neuromodulators_after")
        ),
        "iterations": Hashes(rebuilt=_whole(rebuilt), stored=_whole(stored.iterations)),
        "message": Hashes(
            rebuilt=None if answer is None else sha256_hex(answer.encode()),
            stored=_said(stored, answer),
        ),
    }


def _beginning(log: TurnLog, stored: StoredTurn) -> Iterator[Divergence]:
    row, told = stored.row, {} if log.started is None else log.started.payload
    found = {
        "turn_id": str(row.id),
        "conversation_id": str(row.conversation_id),
        "user_id": str(row.user_id),
        "agent_id": str(row.agent_id),
        "capsule_version": str(row.capsule_version),
        "input_hash": row.input_hash,
        "seed": row.seed,
        "model": row.model,
        "message": sha256_hex(stored.words.get("user", "").encode()),
    }
    yield from _unequal(BEGINNING, {**told, "message": told.get("input_hash")}, found)


def _iterations(told: list[Iteration], stored: StoredTurn) -> Iterator[Divergence]:
    rows = {each.number: each for each in stored.iterations}
    for was in told:
        if was.number in rows:
            yield from compared(was.number, steps_of(was), steps_of(rows[was.number]), BETWEEN)
        else:
            yield from _unequal(place(was.number, "record"), {"row": "one"}, {"row": "none"})
    for number in sorted(rows.keys() - {was.number for was in told}):
        yield from _unequal(place(number, "record"), {"row": "none"}, {"row": "one"})


def _learned(was: Iteration, recorded: RecordedTurn | None, stored: StoredTurn) -> Iterator[Divergence]:
    """The brain's own step of the iteration; one that was cancelled has none."""
    step, state = stored.line.steps.get(was.number), None
    if recorded is not None:
        state = recorded.inputs[was.number].state
    if was.state == "cancelled":
        yield from _unequal(place(was.number, "learn"), {"step": False}, {"step": step is not None})
        return
    found = None if step is None else {**step.to_dict(), "from_state": step.before.to_bytes().hex()}
    yield from _unequal(place(was.number, "learn"), {**was.learning, "from_state": state}, found)


def _ending(log: TurnLog, stored: StoredTurn) -> Iterator[Divergence]:
    row, ended = stored.row, log.ended
    if ended is None:
        return
    if ended.type == FAILED:
        failure = {name: ended.payload[name] for name in ("code", "detail")}
        expected = {"status": TurnStatus.FAILED.value, "outcome": failure}
        yield from _unequal(end("finish"), expected, {"status": row.status, "outcome": row.outcome})
        return
    yield from _unequal(end("finish"), _completed(ended.payload), _row_end(row))
    said = stored.words.get("assistant", "")
    told = ended.payload["output_hash"]
    yield from _unequal(end("answer"), {"sha256": told}, {"sha256": sha256_hex(said.encode())})
    yield from _checkpoint(ended.payload, stored)


def _completed(told: Mapping[str, Any]) -> dict[str, Any]:
    cancelled = told["exit_reason"] == "cancelled"
    return {
        "status": (TurnStatus.CANCELLED if cancelled else TurnStatus.COMPLETED).value,
        "outcome": {name: told[FROM_COMPLETED.get(name, name)] for name in OUTCOME},
        "message_id": told["message_id"],
        "output_hash": told["output_hash"],
        "iterations": told["iterations"],
    }


def _row_end(row: TurnRow) -> dict[str, Any]:
    return {
        "status": row.status,
        "outcome": row.outcome,
        "message_id": None if row.message_id is None else str(row.message_id),
        "output_hash": row.output_hash,
        "iterations": row.iterations,
    }


def _checkpoint(told: Mapping[str, Any], stored: StoredTurn) -> Iterator[Divergence]:
    """Where the turn left its agent: the row says what the log does, and its hash covers it."""
    made = stored.line.checkpoint
    if made is None:
        return
    expected = {"sequence": told["checkpoint"], "hash": told["checkpoint_hash"]}
    found = {"sequence": made.sequence, "hash": made.expected_hash()}
    yield from _unequal(end("checkpoint"), expected, found)


def _unequal(where: Place, expected: Any, found: Any) -> Iterator[Divergence]:
    if not same(expected, found):
        yield Divergence(place=where, between=BETWEEN, expected=expected, found=found)


def _learnt(iterations: list[Iteration], name: str) -> str | None:
    return _hash(iterations[-1].learning[name]) if iterations else None


def _kept(stored: StoredTurn, name: str) -> str | None:
    """As the brain keeps it; a turn that was cancelled before it learned anything has it in its iteration."""
    last = stored.iterations[-1] if stored.iterations else None
    step = None if last is None else stored.line.steps.get(last.number)
    if step is not None:
        return _hash(step.to_dict()[name])
    return None if last is None else _hash(last.learning[name])


def _whole(iterations: list[Iteration]) -> str:
    return _hash([dict(steps_of(each)) for each in iterations])


def _said(stored: StoredTurn, answer: str | None) -> str | None:
    said = stored.words.get("assistant", None if answer is None else "")
    return None if said is None else sha256_hex(said.encode())


def _hash(value: Any) -> str:
    return sha256_hex(canonical_json(value))
