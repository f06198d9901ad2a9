"""A turn as its record tells it: nothing of it comes from rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.agent.domain.capsule import Capsule, capsule_of_document
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.iteration_document import hashes_in, iterations_of
from soma.agent.domain.iteration_inputs import IterationInputs
from soma.agent.domain.message import Message
from soma.agent.domain.turn import Turn
from soma.agent.services.replay.turn_log import TurnLog
from soma.base.canonical import json_value
from soma.base.tenancy import Principal
from soma.events.api import require_blobs

NOBODY = UUID(int=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedTurn:
    """What the loop had and what it did, iteration by iteration."""

    turn: Turn
    capsule: Capsule
    message: Message
    history: tuple[Message, ...]
    iterations: Sequence[Iteration]
    inputs: Sequence[IterationInputs]

    def turn_at(self, attempt: int) -> Turn:
        """The turn as an attempt had it."""
        return replace(self.turn, attempt=attempt)


def recorded_turn(log: TurnLog) -> RecordedTurn | None:
    """The turn of a log without gaps, in the tenant's open transaction; None where it had no iteration, so
    that there is nothing to run. Raises BlobMissing, BlobAltered."""
    started = log.started
    if started is None or not log.iterations:
        return None
    told = started.payload
    conversation, agent = UUID(told["conversation_id"]), UUID(told["agent_id"])
    names = [each.payload["record_hash"] for each in log.iterations]
    records = [json_value(require_blobs([conversation], [name])[name]) for name in names]
    beginning = records[0]["beginning"]
    contents = require_blobs([conversation, agent], _named(records, beginning))
    return RecordedTurn(
        turn=_turn(started.tenant_id, told, beginning, records[-1]["inputs"]["attempt"]),
        capsule=capsule_of_document(json_value(contents[beginning["capsule"]])),
        message=_message(beginning["message"], contents),
        history=tuple(_message(each, contents) for each in beginning["history"]),
        iterations=iterations_of([each["iteration"] for each in records], contents),
        inputs=[IterationInputs.from_dict(each["inputs"]) for each in records],
    )


def _named(records: Sequence[Mapping[str, Any]], beginning: Mapping[str, Any]) -> list[str]:
    said = [beginning["message"], *beginning["history"]]
    long = [name for each in records for name in hashes_in(each["iteration"])]
    return [beginning["capsule"], *(each["hash"] for each in said), *long]


def _message(told: Mapping[str, Any], contents: Mapping[str, bytes]) -> Message:
    return Message(
        id=UUID(told["id"]),
        turn_id=UUID(told["turn_id"]),
        role=told["role"],
        content=contents[told["hash"]].decode(),
        created_at=datetime.fromisoformat(told["created_at"]),
    )


def _turn(tenant_id: UUID, told: Mapping[str, Any], beginning: Mapping[str, Any], attempt: int) -> Turn:
    """The turn, with what the loop asks it for: leases and sessions are not its business."""
    return Turn(
        id=UUID(told["turn_id"]),
        principal=Principal(tenant_id=tenant_id, user_id=UUID(told["user_id"]), session_id=NOBODY, roles=()),
        conversation_id=UUID(told["conversation_id"]),
        agent_id=UUID(told["agent_id"]),
        capsule_version=int(told["capsule_version"]),
        user_message_id=UUID(beginning["message"]["id"]),
        seed=told["seed"],
        seeded=beginning["seeded"],
        model=told["model"],
        rlm=beginning["rlm"],
        input_hash=told["input_hash"],
        lease_owner="",
        attempt=attempt,
        attempts=({"first_frame_id": 1, "resumed_iteration": None},),
        created_at=datetime.fromisoformat(beginning["created_at"]),
    )
