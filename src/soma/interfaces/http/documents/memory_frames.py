"""Who did what, when, where and why: asked of the frames that memories tell."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from soma.interfaces.http.documents.base import FilledText, Given, Sent
from soma.interfaces.http.documents.memory import Namespace

RoleName = Literal["who", "what", "when", "where", "why"]
Known = Annotated[FilledText, Field(max_length=200)]


class FrameQuery(Sent):
    """What is `wanted` of events of which `known` roles are told. Without a `method`, what no lookup finds is
    read out of superpositions, where a part of what is known is enough."""

    known: Annotated[dict[RoleName, Known], Field(min_length=1)]
    wanted: RoleName
    namespace: Namespace = "default"
    top_k: Annotated[int, Field(ge=1)] = 8
    method: Literal["lookup", "holographic"] | None = None


class Answer(Given):
    """What fills the role, as it was said, and the memories that say so. `matched` is the share of what is
    known that the best of them has; `z` how far the answer stood above the noise it was read from."""

    text: str
    token: str
    confidence: float
    matched: float
    score: float
    z: float | None
    record_ids: list[UUID]


class FrameAnswers(Given):
    """The answers, best first, and the method that found them."""

    answers: list[Answer]
    method: str
    frames: int
    latency_ms: float
