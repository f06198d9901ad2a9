"""A message of a conversation."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from soma.base.errors import InvalidInput, LimitExceeded

MAXIMUM_MESSAGE_BYTES = 32 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """Somebody's words."""

    id: UUID
    turn_id: UUID
    role: str
    content: str
    created_at: datetime


def checked_text(text: str) -> str:
    """`text` if it can be a message. Raises InvalidInput, or LimitExceeded past 32 KiB of UTF-8."""
    if not text.strip():
        raise InvalidInput("the message is empty")
    if "\x00" in text:
        raise InvalidInput("the message holds a NUL character, which text cannot carry")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidInput("the message holds a lone surrogate, which is no character") from None
    if size > MAXIMUM_MESSAGE_BYTES:
        raise LimitExceeded("the message", maximum=MAXIMUM_MESSAGE_BYTES, actual=size, unit="bytes")
    return text
