"""What is asked of a namespace's frames, and what they answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from soma.base.errors import InvalidInput, LimitExceeded
from soma.brain.domain.frame import MAX_TEXT, Role, filler_of
from soma.brain.domain.frame_times import times_of
from soma.brain.domain.recall import MAX_TOP_K

ISO_TOKEN = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?")


class FrameMethod(StrEnum):
    """`lookup` finds the stored frames that fill every known role with just these tokens. `holographic` reads
    the latest frames out of superpositions: frames that match in part are found too."""

    LOOKUP = "lookup"
    HOLOGRAPHIC = "holographic"


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameQuestion:
    """Who, what, when, where or why is `wanted` of events of which `known` roles are told, in `namespace` of
    `tenant_id`. Without a `method`, what no lookup finds is read holographically.

    Raises InvalidInput for no known role, for a role that there is not, and for a filler that is no text or
    has no words; LimitExceeded for one that is too long, and for a top_k beyond 100.
    """

    tenant_id: UUID
    namespace: str
    known: Mapping[str, str]
    wanted: str
    top_k: int = 8
    method: FrameMethod | None = None

    def __post_init__(self) -> None:
        if not self.known:
            raise InvalidInput("No role is known")
        for role in (*self.known, self.wanted):
            if role not in set(Role):
                raise InvalidInput(f"There is no role {role!r}; there are {', '.join(Role)}")
        for role, text in self.known.items():
            _check(role, text)
        if self.top_k < 1:
            raise InvalidInput(f"top_k is {self.top_k}; it takes 1 to {MAX_TOP_K}")
        if self.top_k > MAX_TOP_K:
            raise LimitExceeded("top_k", maximum=MAX_TOP_K, actual=self.top_k, unit="answers")

    def cues(self, at: datetime) -> tuple[tuple[Role, str], ...]:
        """The known roles with the tokens of their fillers; times as they are seen from `at`."""
        return tuple((Role(role), _token(Role(role), text, at)) for role, text in self.known.items())


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameAnswer:
    """A filler of the wanted role: `text` as it was said, its `token`, and the memories whose stored frames
    fill the role with it (`record_ids`, best first).

    `matched` is the share of the known roles that the best of these frames has, wholly or in part. `score` is
    the whitened cosine, in [−1, 1], of the memory's vector to what the cues brought out of the superposition,
    and `z` how far the filler stood above the noise; a lookup has 1 and none. `confidence` in [0, 1] is
    `matched`, times the certainty that the reading is no noise: it says how surely memory was told so, not
    whether that is true.
    """

    text: str
    token: str
    confidence: float
    matched: float
    score: float
    z: float | None
    record_ids: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameAnswers:
    """The answers, best first, the `method` that found them, and how many `frames` it asked: for a lookup
    those that it found."""

    answers: tuple[FrameAnswer, ...]
    method: FrameMethod
    frames: int
    latency_ms: float


def _check(role: str, text: str) -> None:
    if len(text) > MAX_TEXT:
        raise LimitExceeded(f"known.{role}", maximum=MAX_TEXT, actual=len(text), unit="characters")
    if "\0" in text or text.encode(errors="ignore").decode() != text:
        raise InvalidInput(f"The known {role} has a character that is no text")
    if not filler_of(text).token:
        raise InvalidInput(f"The known {role} has no words")


def _token(role: Role, text: str, at: datetime) -> str:
    if role is Role.WHEN:
        if ISO_TOKEN.fullmatch(text):
            return text
        times = [filler.token for filler, _, _ in times_of(text, at)]
        if times:
            return times[0]
    if role is Role.WHO and text.casefold() in FIRST_PERSON:
        return "user"
    return filler_of(text).token


FIRST_PERSON = frozenset({"i", "me", "myself"})
"""Who tells something without being named stands in frames by their part in the conversation."""
