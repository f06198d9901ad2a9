"""Conversations, messages and turns."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from soma.agent.api import MAXIMUM_MESSAGE_BYTES
from soma.base.errors import LimitExceeded
from soma.interfaces.http.documents.base import FilledText, Given, Sent, Text

SEED_LIMIT = 2**32 - 1


def within_limit(text: str) -> str:
    """`text`, if a message may be so long. Raises LimitExceeded."""
    size = len(text.encode())
    if size > MAXIMUM_MESSAGE_BYTES:
        raise LimitExceeded("message", maximum=MAXIMUM_MESSAGE_BYTES, actual=size, unit="bytes")
    return text


Id = Annotated[UUID, Field(strict=False)]
Words = Annotated[FilledText, AfterValidator(within_limit)]


class ConversationRequest(Sent):
    """A conversation to begin."""

    title: Annotated[Text, Field(max_length=200)] | None = None
    agent: Annotated[FilledText, Field(max_length=120)] | None = None


class MessageRequest(Sent):
    """What a person says, and the seed of the answer's sampling.

    The ids may be left out: the address and the token say the same. Where they are given, they must agree.
    """

    message: Words
    seed: Annotated[int, Field(ge=0, le=SEED_LIMIT)] | None = None
    conversation_id: Id | None = None
    user_id: Id | None = None
    tenant_id: Id | None = None


class Message(Given):
    """One message of a conversation."""

    id: UUID
    role: str
    content: str
    turn_id: UUID | None
    created_at: datetime
    confidence: float | None
    iterations: int | None
    tools_used: list[str]


class ConversationSummary(Given):
    """A conversation without its messages."""

    id: UUID
    title: str
    agent: str
    created_at: datetime


class Conversation(ConversationSummary):
    """A conversation with its messages, oldest first."""

    messages: list[Message]
    running_turn: UUID | None


class Conversations(Given):
    """The latest conversations, newest first."""

    items: list[ConversationSummary]


class Accepted(Given):
    """A turn that has begun."""

    turn_id: UUID
    conversation_id: UUID
    status: str


class Turn(Given):
    """Where a turn stands, and how it ended."""

    id: UUID
    conversation_id: UUID
    status: str
    seed: int
    iterations: int
    confidence: float | None
    convergence_score: float | None
    exit_reason: str | None
    answer: str | None
    degraded_reasons: list[str]
    tools_used: list[str]
    failure: dict[str, str] | None
    model: str
    started_at: datetime
    completed_at: datetime | None
    first_token_ms: float | None
    latency_ms: float | None
