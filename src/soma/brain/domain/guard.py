"""What may become a memory."""

import math
from collections.abc import Callable
from datetime import UTC

from soma.brain.domain.capsule_reference import capsule_of
from soma.brain.domain.remember import Refusal, RefusalReason, RememberItem

MAX_CONTENT = 32 * 1024
"""Bytes of UTF-8: the limit of a message."""
MAX_NAMESPACE = 200
MAX_KEY = 300
MAX_LABEL = {"role": 40, "speaker": 200, "session": 2_000}
MAX_PROVENANCE = 16 * 1024
"""Bytes of UTF-8, names and texts together."""
SOURCES = ("source_turn", "source_document", "source_request")

Verdict = tuple[RefusalReason, str] | None


def refusal(item: RememberItem) -> Refusal | None:
    """Why `item` may not be remembered; None if it may."""
    for rule in RULES:
        verdict = rule(item)
        if verdict is not None:
            reason, detail = verdict
            return Refusal(namespace=item.namespace, key=item.key, reason=reason, detail=detail)
    return None


def _text(item: RememberItem) -> Verdict:
    for name in ("content", "namespace", "key", "role", "speaker", "session"):
        if not _storable(getattr(item, name)):
            return RefusalReason.NOT_TEXT, f"The {name} has a character that cannot be stored"
    return None


def _storable(text: str) -> bool:
    """No NUL, which PostgreSQL refuses, and no lone surrogates, which UTF-8 does."""
    return "\0" not in text and text.encode(errors="ignore").decode() == text


def _size(item: RememberItem) -> Verdict:
    if not item.content.strip():
        return RefusalReason.EMPTY, "There is no content"
    size = len(item.content.encode())
    if size > MAX_CONTENT:
        return RefusalReason.OVERSIZE, f"The content is {size} bytes; the limit is {MAX_CONTENT} bytes"
    return None


def _names(item: RememberItem) -> Verdict:
    limits = {"namespace": MAX_NAMESPACE, "key": MAX_KEY}
    for name, limit in limits.items():
        if not 1 <= len(getattr(item, name)) <= limit:
            return RefusalReason.BAD_NAME, f"The {name} takes 1 to {limit} characters"
    if capsule_of(item.namespace) is not None:
        return RefusalReason.BAD_NAME, "The namespace is a memory capsule's; only what was signed is there"
    for name, limit in MAX_LABEL.items():
        if len(getattr(item, name)) > limit:
            return RefusalReason.BAD_NAME, f"The {name} takes at most {limit} characters"
    return None


def _importance(item: RememberItem) -> Verdict:
    if item.importance is None or 0.0 <= item.importance <= 1.0:
        return None
    return RefusalReason.BAD_IMPORTANCE, f"The importance is {item.importance}; it takes 0 to 1"


def _time(item: RememberItem) -> Verdict:
    if item.occurred_at.tzinfo is None:
        return RefusalReason.BAD_TIME, "The time of occurrence has no time zone"
    try:
        item.occurred_at.astimezone(UTC)
    except OverflowError:  # PostgreSQL would keep it, and could never give it back
        return RefusalReason.BAD_TIME, "The time of occurrence is not within the years 1 to 9999"
    return None


def _provenance(item: RememberItem) -> Verdict:
    for name, value in item.provenance.items():
        if not (_storable(name) and _scalar(value)):
            return (
                RefusalReason.BAD_PROVENANCE,
                f"The provenance's {name!r} is no text, number of 64 bits or flag",
            )
    size = sum(len(str(each).encode()) for pair in item.provenance.items() for each in pair)
    if size > MAX_PROVENANCE:
        return (
            RefusalReason.BAD_PROVENANCE,
            f"It has {size} bytes of provenance; the limit is {MAX_PROVENANCE}",
        )
    if not item.provenance.get("trace_id"):
        return RefusalReason.NO_PROVENANCE, "The provenance has no trace_id"
    if not any(item.provenance.get(source) for source in SOURCES):
        return RefusalReason.NO_PROVENANCE, f"The provenance has none of {', '.join(SOURCES)}"
    return None


def _scalar(value: object) -> bool:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and -(2**63) <= value < 2**63)


def _recalled(item: RememberItem) -> Verdict:
    origin = item.provenance.get("recalled_from")
    return (RefusalReason.RECALLED, f"This is the memory {origin}, recalled") if origin else None


RULES: tuple[Callable[[RememberItem], Verdict], ...] = (
    _text, _size, _names, _importance, _time, _provenance, _recalled,
)  # fmt: skip
"""Asked in this order; the first that objects decides."""
