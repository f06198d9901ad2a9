"""Accepting a message: message, turn and `turn_started` in one transaction."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connections

from soma.agent.domain.message import checked_text
from soma.agent.domain.seed import MAXIMUM_SEED, seed_of
from soma.agent.domain.turn import Turn, TurnStatus
from soma.agent.models import CapsuleRow, MessageRow, TurnRow
from soma.agent.services.capsules import Capsules
from soma.agent.services.gate import Gate, Thing
from soma.agent.services.leases import LEASE_SECONDS
from soma.agent.services.load_turn import Beginning, dialogue
from soma.agent.services.recording import words
from soma.agent.services.relate import phase_of
from soma.agent.services.rows import turn_of
from soma.agent.services.turn_event import turn_event
from soma.base import clock
from soma.base.canonical import sha256_hex
from soma.base.database import APP, tenant_transaction
from soma.base.errors import Conflict, InvalidInput, NotFound
from soma.base.ids import new_id
from soma.base.insertion import insert
from soma.base.tenancy import Principal
from soma.brain.api import Brain, LearnedState
from soma.events.api import Event, keep_blobs, publish

MAXIMUM_KEY_LENGTH = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageCommand:
    """A message to be answered."""

    principal: Principal
    conversation_id: UUID
    text: str
    seed: int | None
    idempotency_key: str | None
    model: str
    rlm: bool
    lease_owner: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """The turn; `beginning` is None when an idempotency key named one that exists."""

    turn: Turn
    status: TurnStatus
    beginning: Beginning | None


def start_turn(command: MessageCommand, capsules: Capsules, gate: Gate, brain: Brain) -> Started:
    """Check, then store. Raises InvalidInput, LimitExceeded, NotFound, Denied, Conflict."""
    checked_text(command.text)
    _check_options(command)
    try:
        with tenant_transaction(command.principal.tenant_id):
            existing = _existing(command)
            return existing or _start(command, capsules, gate, brain)
    except IntegrityError as error:
        return _after_collision(command, error)


def _start(command: MessageCommand, capsules: Capsules, gate: Gate, brain: Brain) -> Started:
    owner_id, version = _conversation(command.conversation_id)
    thing = Thing(
        type="conversation",
        id=command.conversation_id,
        conversation_id=command.conversation_id,
        owner_id=owner_id,
    )
    passed = gate.require(command.principal, "write", "chat:write", thing)
    capsule = capsules.load(version)
    request_phases = [
        phase_of(passed.relation),
        {
            "phase": "policy",
            "at": clock.iso(clock.now()),
            "ms": round(passed.policy.latency_ms, 3),
            "decision": "allow",
            "reasons": list(passed.policy.reasons),
            "policy_hash": passed.policy.policy_hash,
        },
        {
            "phase": "capsule",
            "at": clock.iso(clock.now()),
            "decision": "certified",
            "version": capsule.version,
        },
    ]
    row = _turn_row(command, version, request_phases)
    insert(row, _message_row(command, row))
    keep_blobs(row.tenant_id, [words(row.conversation_id, command.text)])
    turn = turn_of(row)
    publish(_turn_started(turn))
    message, history = dialogue(row.conversation_id, row.user_message_id)
    beginning = Beginning(
        capsule=capsule,
        message=message,
        history=history,
        learned=brain.learned_state(row.tenant_id, str(row.agent_id), LearnedState()),
    )
    return Started(turn=turn, status=TurnStatus.RUNNING, beginning=beginning)


CONVERSATION = """
    SELECT conversation.user_id, capsule.id, capsule.tenant_id, capsule.name, capsule.version, capsule.status
    FROM conversation JOIN capsule ON capsule.id = conversation.capsule_id
    WHERE conversation.id = %s
"""
"""Whose a conversation is and which capsule runs it. SQL, because every turn asks it, and the ORM takes five
times as long to write the join."""


def _conversation(conversation_id: UUID) -> tuple[UUID, CapsuleRow]:
    """The owner and the capsule, whose other fields are read when somebody looks. Raises NotFound."""
    with connections[APP].cursor() as cursor:
        cursor.execute(CONVERSATION, [conversation_id])
        found = cursor.fetchone()
    if found is None:
        raise NotFound("there is no such conversation")
    owner_id, *values = found
    return owner_id, CapsuleRow.from_db(APP, ["id", "tenant_id", "name", "version", "status"], values)


def _turn_row(command: MessageCommand, capsule: CapsuleRow, phases: list[dict[str, Any]]) -> TurnRow:
    turn_id = new_id()
    now = clock.now()
    return TurnRow(
        id=turn_id,
        tenant_id=command.principal.tenant_id,
        conversation_id=command.conversation_id,
        user_id=command.principal.user_id,
        session_id=command.principal.session_id,
        roles=list(command.principal.roles),
        agent_id=capsule.id,
        capsule_version=capsule.version,
        user_message_id=new_id(),
        status=TurnStatus.RUNNING,
        seed=seed_of(turn_id) if command.seed is None else command.seed,
        seeded=command.seed is not None,
        model=command.model,
        rlm=command.rlm,
        input_hash=sha256_hex(command.text.encode()),
        trace_id=command.principal.trace_id,
        idempotency_key=command.idempotency_key,
        lease_owner=command.lease_owner,
        lease_expires_at=now + timedelta(seconds=LEASE_SECONDS),
        attempts=[{"first_frame_id": 1, "resumed_iteration": None}],
        phases=phases,
        created_at=now,
    )


def _message_row(command: MessageCommand, turn: TurnRow) -> MessageRow:
    return MessageRow(
        id=turn.user_message_id,
        tenant_id=turn.tenant_id,
        conversation_id=turn.conversation_id,
        turn_id=turn.id,
        role="user",
        content=command.text,
        created_at=turn.created_at,
    )


def _turn_started(turn: Turn) -> Event:
    return turn_event(
        turn,
        "chat.turn_started",
        {
            "conversation_id": str(turn.conversation_id),
            "user_id": str(turn.principal.user_id),
            "agent_id": str(turn.agent_id),
            "capsule_version": str(turn.capsule_version),
            "input_hash": turn.input_hash,
            "seed": turn.seed,
            "model": turn.model,
        },
    )


def _existing(command: MessageCommand) -> Started | None:
    if command.idempotency_key is None:
        return None
    row = TurnRow.objects.filter(idempotency_key=command.idempotency_key).first()
    if row is None:
        return None
    if row.user_id != command.principal.user_id or row.conversation_id != command.conversation_id:
        raise Conflict("this idempotency key was used for another message")
    if row.input_hash != sha256_hex(command.text.encode()):
        raise Conflict("this idempotency key was used for another message")
    return Started(turn=turn_of(row), status=TurnStatus(row.status), beginning=None)


def _after_collision(command: MessageCommand, error: IntegrityError) -> Started:
    with tenant_transaction(command.principal.tenant_id):
        existing = _existing(command)
    if existing is not None:
        return existing
    if "turn_one_running" in str(error):
        raise Conflict("a turn of this conversation is still running") from error
    raise error


def _check_options(command: MessageCommand) -> None:
    if command.seed is not None and not 0 <= command.seed <= MAXIMUM_SEED:
        raise InvalidInput(f"the seed is {command.seed}; it lies between 0 and {MAXIMUM_SEED}")
    key = command.idempotency_key
    if key is not None and not 0 < len(key) <= MAXIMUM_KEY_LENGTH:
        raise InvalidInput(f"an idempotency key has 1 to {MAXIMUM_KEY_LENGTH} characters")
