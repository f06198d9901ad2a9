"""What is asked of memory and given to it directly."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from soma.base.errors import LimitExceeded
from soma.brain.api import NAMESPACE_PATTERN, RESERVED
from soma.interfaces.http.documents.base import FilledText, Given, Sent, Text, Time, storable
from soma.interfaces.http.documents.chat import Id

MAX_QUERY_BYTES = 32 * 1024
MAX_ITEMS = 100
MAX_VALUES = 100
MAX_TEXT = 1000
"""Characters of a value of the provenance."""


def askable(text: str) -> str:
    """`text`, if a query may be so long. Raises LimitExceeded."""
    size = len(text.encode())
    if size > MAX_QUERY_BYTES:
        raise LimitExceeded("query", maximum=MAX_QUERY_BYTES, actual=size, unit="bytes")
    return text


def unreserved(name: str) -> str:
    """`name`, if a caller may give a field of that name. Raises a validation error."""
    if name in RESERVED:
        raise PydanticCustomError("field_reserved", "This field is written by the system")
    return name


def listed(value: object) -> object:
    """A value alone is a list of one."""
    return [value] if isinstance(value, str) else value


def scalar(value: object) -> object:
    """`value`, if it is text, a number or a flag that can be stored and filtered by. Raises a validation
    error."""
    if isinstance(value, str) and len(value) <= MAX_TEXT:
        return storable(value)
    if isinstance(value, bool) or (isinstance(value, int) and -(2**63) <= value < 2**63):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise PydanticCustomError(
        "value_scalar", "A value is a text of at most 1000 characters, a number of 64 bits or a flag"
    )


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Namespace = Annotated[str, Field(pattern=NAMESPACE_PATTERN)]
"""A name of the caller's own; `default` is what chats remember in."""
Kind = Literal["statement", "question", "command", "reply", "document"]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
OwnField = Annotated[FieldName, AfterValidator(unreserved)]
Label = Annotated[Text, Field(max_length=200)]
Scalar = Annotated[
    Any,
    AfterValidator(scalar),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "maxLength": MAX_TEXT}, {"type": "number"}, {"type": "boolean"}]}
    ),
]
Wanted = Annotated[
    list[Annotated[Text, Field(max_length=MAX_TEXT)]], Field(min_length=1, max_length=MAX_VALUES)
]


class RecallFilters(Sent):
    """Which memories may answer: those that meet all of it. A field takes one value or several, of which a
    memory has to have one; `until` is excluded. `provenance` names what was given as such."""

    role: Wanted | None = None
    speaker: Wanted | None = None
    since: Time | None = None
    until: Time | None = None
    session: Wanted | None = None
    conversation_id: Wanted | None = None
    agent_id: Wanted | None = None
    source_turn: Wanted | None = None
    source_document: Wanted | None = None
    source_request: Wanted | None = None
    provenance: Annotated[dict[FieldName, Wanted], Field(max_length=16)] = {}

    @model_validator(mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        """One value stands for a list of it."""
        if not isinstance(value, dict):
            return value
        given = {name: listed(each) for name, each in value.items() if name not in {"since", "until"}}
        provenance = value.get("provenance")
        if isinstance(provenance, dict):
            given["provenance"] = {name: listed(each) for name, each in provenance.items()}
        return {**value, **given}


class RecallQuery(Sent):
    """What to look for in the caller's own memory; with a `conversation_id` also in what that conversation
    has at hand. `min_score` is the least cosine. What is linked to the best evidence is found up to `k_hop`
    (0 to 3) links away. `explain` asks what each score is made of. `diversity` prefers what is unlike the
    evidence before it; 0 is the order of scores. With `capsule_ids` (ID or ID@VERSION each) memories come
    from these memory capsules, and from nowhere else."""

    query: Annotated[FilledText, AfterValidator(askable)]
    namespace: Namespace = "default"
    top_k: Annotated[int, Field(ge=1)] = 8
    k_hop: Annotated[int, Field(ge=0)] = 1
    min_score: Share = 0.0
    as_of: Time | None = None
    kinds: Annotated[list[Kind], Field(min_length=1, max_length=5)] | None = None
    filters: RecallFilters = RecallFilters()
    capsule_ids: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=16)] = []
    explain: bool = False
    conversation_id: Id | None = None
    diversity: Share = 0.0


class Filler(Given):
    """What fills a role, as it was said, and the token that it is compared by."""

    text: str
    token: str


class Frame(Given):
    """Who did what, when, where and why; a role that nothing was read for is absent."""

    roles: Mapping[str, list[Filler]]


class Evidence(Given):
    """One memory that answers. `features` has the cosines (`similarity`, `best_sentence`) and the signals,
    `explanation` what each signal adds to the score, and `frames` the events that the memory was read to
    tell, both where they were asked for. `layer` is `working` for what the conversation has at hand,
    `long_term` otherwise; `capsule` is ID@VERSION of the memory capsule that it came in."""

    record_id: UUID
    tenant_id: UUID
    content: str
    role: str
    speaker: str
    score: float
    probability: float
    features: Mapping[str, float]
    explanation: Mapping[str, float] | None
    frames: list[Frame] | None
    confidence: float
    calibration: str
    provenance: Mapping[str, Any]
    occurred_at: datetime
    layer: str
    capsule: str | None


class Understood(Given):
    """How the query was read."""

    dense: str
    terms: list[str]
    named: list[str]
    asked_of: str
    wants_time: bool
    periods: list[str]


class Recalled(Given):
    """The evidence, best first. `novelty` is 1 where nothing known comes near the query. What follows it is
    there where an explanation was asked for."""

    evidence: list[Evidence]
    novelty: float
    latency_ms: float
    understood: Understood | None = None
    timings_ms: Mapping[str, float] | None = None


class Item(Sent):
    """One thing to remember. The same key again rewrites it; without one, it gets a name of its own. Without
    an importance it gets one by what it says. `session` is what it was said in. `provenance` says more of
    where it comes from; recall filters by it."""

    content: FilledText
    namespace: Namespace | None = None
    key: Annotated[FilledText, Field(max_length=200)] | None = None
    role: Annotated[FilledText, Field(max_length=40)] = "user"
    speaker: Label = ""
    session: Label = ""
    importance: Share | None = None
    occurred_at: Time | None = None
    provenance: Annotated[dict[OwnField, Scalar], Field(max_length=32)] = {}


class RememberRequest(Sent):
    """Things to remember in the caller's own memory: `items`, or the members of one of them. Those that name
    no namespace are kept in `namespace`."""

    namespace: Namespace = "default"
    items: Annotated[list[Item], Field(min_length=1, max_length=MAX_ITEMS)]

    @model_validator(mode="before")
    @classmethod
    def _one(cls, value: object) -> object:
        """One thing alone is a list of one."""
        if not isinstance(value, dict) or "items" in value or "content" not in value:
            return value
        return {"items": [value]}


class Kept(Given):
    """A thing that memory holds."""

    key: str
    record_id: UUID
    rewritten: bool


class Refused(Given):
    """A thing that memory did not take, and why."""

    key: str
    reason: str
    detail: str


class Decision(Given):
    """What the guard decided of a thing: `store`, `hash` (tokens stand for the classes of personal data in
    `hashed`) or `refuse`, by which rule."""

    key: str
    verdict: str
    rule: str
    detail: str
    hashed: list[str]


class Remembered(Given):
    """What became of each thing, and why."""

    stored: list[Kept]
    deduplicated: list[Kept]
    refused: list[Refused]
    decisions: list[Decision]


class Memory(Given):
    """One memory."""

    record_id: UUID
    namespace: str
    key: str
    content: str
    role: str
    speaker: str
    importance: float
    provenance: Mapping[str, Any]
    occurred_at: datetime
    created_at: datetime


class NamespaceSize(Given):
    """How many memories a namespace holds, and when the latest of them happened."""

    name: str
    memories: int
    latest: datetime


class Namespaces(Given):
    """The caller's namespaces that hold something."""

    items: list[NamespaceSize]


class Forgotten(Given):
    """How many memories are gone."""

    forgotten: int


class Imported(Given):
    """What became of the lines of an import."""

    stored: int
    updated: int
    unchanged: int
    duplicates: int
    links: int
