"""Conversations: creating and reading them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.agent.models import ConversationRow, MessageRow, TurnFeedbackRow, TurnRow
from soma.agent.services.capsules import DEFAULT_NAME, Capsules, named
from soma.agent.services.gate import Gate, Thing
from soma.agent.services.relate import may, may_use, ties_of_conversation
from soma.base import clock
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, NotFound
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.events.api import Event, publish
from soma.policy.api import PermissionDenied, Policy, PolicyInput

MAXIMUM_TITLE = 200
TITLE_FROM_MESSAGE = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageView:
    """A message as faces show it; the last five fields are of the turn that wrote it, `thumb` of what the
    reader said of it."""

    id: UUID
    role: str
    content: str
    turn_id: UUID
    created_at: datetime
    confidence: float | None = None
    iterations: int | None = None
    tools_used: tuple[str, ...] = ()
    thumb: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationSummary:
    """A conversation in a list."""

    id: UUID
    title: str
    agent: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationView:
    """A conversation with its messages, oldest first. `running_turn` is the turn at work, if any."""

    id: UUID
    title: str
    agent: str
    created_at: datetime
    messages: tuple[MessageView, ...]
    running_turn: UUID | None


def create_conversation(
    principal: Principal, *, title: str | None, agent: str | None, capsules: Capsules, gate: Gate
) -> ConversationView:
    """A new conversation with the agent called `agent`, by default the tenant's default one.
    Raises Denied, NotFound, InvalidInput, Unavailable."""
    _require_for_own(gate.policy, principal, "chat:write")
    title = _checked_title(title)
    capsules.ensure_default(principal.tenant_id)
    with tenant_transaction(principal.tenant_id):
        capsule = named(agent or DEFAULT_NAME)
        gate.relations.require(principal.tenant_id, may_use(principal, capsule.id))
        row = ConversationRow.objects.create(
            id=new_id(),
            tenant_id=principal.tenant_id,
            user_id=principal.user_id,
            capsule=capsule,
            title=title,
            created_at=clock.now(),
        )
        ties = ties_of_conversation(
            principal.tenant_id, row.id, agent_id=capsule.id, owner_id=principal.user_id
        )
        gate.relations.write(principal.tenant_id, touch=ties)
        publish(_created(row, principal))
        return _view(row, ())


def _created(row: ConversationRow, principal: Principal) -> Event:
    return Event(
        tenant_id=row.tenant_id,
        type="conversation.created",
        key=str(row.id),
        trace_id=principal.trace_id,
        occurred_at=row.created_at,
        payload={
            "conversation_id": str(row.id),
            "agent_id": str(row.capsule_id),
            "user_id": str(row.user_id),
        },
    )


def conversations(principal: Principal, *, limit: int, gate: Gate) -> list[ConversationSummary]:
    """The caller's own conversations that they may read, newest first. Raises Denied."""
    _require_for_own(gate.policy, principal, "chat:read")
    with tenant_transaction(principal.tenant_id):
        own = (
            ConversationRow.objects.filter(user_id=principal.user_id)
            .select_related("capsule")
            .order_by("-id")[:limit]
        )
        rows = _may_be_read(principal, list(own), gate)
        titles = _first_words([row for row in rows if not row.title])
        return [
            ConversationSummary(
                id=row.id,
                title=row.title or titles.get(row.id, ""),
                agent=row.capsule.name,
                created_at=row.created_at,
            )
            for row in rows
        ]


def conversation(principal: Principal, conversation_id: UUID, *, gate: Gate) -> ConversationView:
    """One conversation. Raises NotFound, Denied."""
    with tenant_transaction(principal.tenant_id):
        row = readable(principal, conversation_id, gate)
        messages = list(MessageRow.objects.filter(conversation_id=row.id).order_by("id"))
        turns = {turn.id: turn for turn in TurnRow.objects.filter(conversation_id=row.id)}
        if not row.title:
            row.title = _first_words([row]).get(row.id, "")
        thumbs = _thumbs(principal, row)
        views = [_message_view(each, turns[each.turn_id], thumbs.get(each.turn_id)) for each in messages]
        return _view(row, tuple(views), turns)


def require_readable(principal: Principal, conversation_id: UUID, *, gate: Gate) -> None:
    """Pass if `principal` may read the conversation. Raises NotFound, Denied."""
    with tenant_transaction(principal.tenant_id):
        readable(principal, conversation_id, gate)


def readable(principal: Principal, conversation_id: UUID, gate: Gate) -> ConversationRow:
    """The row, inside an open transaction, if `principal` may read it. Raises NotFound, Denied."""
    row = ConversationRow.objects.select_related("capsule").filter(id=conversation_id).first()
    if row is None:
        raise NotFound("there is no such conversation")
    thing = Thing(type="conversation", id=row.id, conversation_id=row.id, owner_id=row.user_id)
    gate.require(principal, "read", "chat:read", thing)
    return row


def _may_be_read(principal: Principal, rows: list[ConversationRow], gate: Gate) -> list[ConversationRow]:
    checks = [may(principal, "read", row.id) for row in rows]
    decisions = gate.relations.check_bulk(principal.tenant_id, checks)
    for decision in decisions:
        if decision.failed:
            raise PermissionDenied(decision)
    return [row for row, decision in zip(rows, decisions, strict=True) if decision.allow]


def _require_for_own(policy: Policy, principal: Principal, action: str) -> None:
    """The policy's leave for `action` on the caller's own conversations in general."""
    policy.require(
        PolicyInput(
            action=action,
            principal=principal,
            resource={
                "type": "conversation",
                "tenant_id": str(principal.tenant_id),
                "owner_id": str(principal.user_id),
            },
        )
    )


def _first_words(rows: list[ConversationRow]) -> dict[UUID, str]:
    first = (
        MessageRow.objects.filter(conversation_id__in=[row.id for row in rows], role="user")
        .order_by("conversation_id", "id")
        .distinct("conversation_id")
    )
    return {row.conversation_id: " ".join(row.content.split())[:TITLE_FROM_MESSAGE] for row in first}


def _view(
    row: ConversationRow, messages: tuple[MessageView, ...], turns: dict[UUID, TurnRow] | None = None
) -> ConversationView:
    running = [turn.id for turn in (turns or {}).values() if turn.status == "running"]
    return ConversationView(
        id=row.id,
        title=row.title,
        agent=row.capsule.name,
        created_at=row.created_at,
        messages=messages,
        running_turn=running[0] if running else None,
    )


def _thumbs(principal: Principal, row: ConversationRow) -> dict[UUID, str | None]:
    """What the principal says of the conversation's turns, as it stands."""
    said = TurnFeedbackRow.objects.filter(turn__conversation_id=row.id, user_id=principal.user_id)
    return {each.turn_id: each.said["thumb"] for each in said.order_by("revision")}


def _message_view(row: MessageRow, turn: TurnRow, thumb: str | None) -> MessageView:
    told: dict[str, Any] = turn.outcome or {}
    answered = row.role == "assistant"
    return MessageView(
        id=row.id,
        role=row.role,
        content=row.content,
        turn_id=row.turn_id,
        created_at=row.created_at,
        confidence=told.get("confidence") if answered else None,
        iterations=told.get("iterations") if answered else None,
        tools_used=tuple(told.get("tools_used", ())) if answered else (),
        thumb=thumb if answered else None,
    )


def _checked_title(title: str | None) -> str:
    text = " ".join((title or "").split())
    if len(text) > MAXIMUM_TITLE:
        raise InvalidInput(f"the title has {len(text)} characters; the limit is {MAXIMUM_TITLE}")
    if "\x00" in text:
        raise InvalidInput("the title holds a NUL character, which text cannot carry")
    return text
