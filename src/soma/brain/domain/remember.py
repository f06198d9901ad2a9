"""What is to be remembered, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from soma.brain.domain.guard_decision import GuardDecision
from soma.brain.domain.session import session_of


@dataclass(frozen=True, kw_only=True, slots=True)
class RememberItem:
    """One thing to remember. `(namespace, key)` names it: the same key again rewrites it.

    `provenance` is a flat JSON object, and mandatory: `trace_id`, and where the content comes from, as one
    of `source_turn`, `source_document` and `source_request`. Also read are `input_hash` (SHA-256 of the
    message it stems from: RecallRequest.exclude_input_hash), `kind` (else the utterance's own) and
    `recalled_from` (the memory that was repeated here: such text is refused). `importance` is in [0, 1]; None
    has it found from the text.

    `session` names what it was said in: neighbours there help to find each other. Without one it is the
    provenance's `session`, `conversation_id` or `source_document`, if it has one. `record_id` is what a new
    memory is to be called; without one it gets an id of its own.
    """

    namespace: str
    key: str
    content: str
    role: str
    occurred_at: datetime
    importance: float | None = None
    speaker: str = ""
    session: str = ""
    record_id: UUID | None = None
    provenance: Mapping[str, Any]

    @property
    def session_name(self) -> str:
        """The session, given or known from the provenance; "" for none."""
        return self.session or session_of(self.provenance)


class RefusalReason(StrEnum):
    """Why something is not remembered."""

    EMPTY = "empty"
    OVERSIZE = "oversize"
    NOT_TEXT = "not_text"
    BAD_NAME = "bad_name"
    BAD_IMPORTANCE = "bad_importance"
    BAD_TIME = "bad_time"
    BAD_PROVENANCE = "bad_provenance"
    NO_PROVENANCE = "no_provenance"
    RECALLED = "recalled"
    PERSONAL_DATA = "personal_data"
    POLICY = "policy"
    TRIVIAL = "trivial"
    QUOTA = "quota"


MALFORMED = frozenset(
    {
        RefusalReason.OVERSIZE,
        RefusalReason.NOT_TEXT,
        RefusalReason.BAD_NAME,
        RefusalReason.BAD_IMPORTANCE,
        RefusalReason.BAD_TIME,
        RefusalReason.BAD_PROVENANCE,
        RefusalReason.NO_PROVENANCE,
    }
)
"""Faults of who asks, which never pass by; the others are decisions about what is worth keeping."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """An item that was not taken, and why: `detail` names the limit or what is missing."""

    namespace: str
    key: str
    reason: RefusalReason
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """An item that memory holds, under `record_id`; `rewritten` if its key held something else before."""

    namespace: str
    key: str
    record_id: UUID
    rewritten: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """What became of a batch, each in the batch's order. Deduplicated items stood there already, under
    their own key or another; `record_id` is that of the memory that stands. `decisions` has one for each
    item, with the rule that decided."""

    stored: tuple[Kept, ...] = ()
    deduplicated: tuple[Kept, ...] = ()
    refused: tuple[Refusal, ...] = ()
    decisions: tuple[GuardDecision, ...] = ()
