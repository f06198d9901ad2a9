"""What is asked of memory, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from soma.brain.domain.capsule_reference import CapsuleReference
from soma.brain.domain.frame import Frame
from soma.brain.domain.memory_link import DEFAULT_HOPS
from soma.brain.domain.recall_filter import EVERYTHING, RecallFilter
from soma.brain.domain.understood import Understood
from soma.brain.domain.utterance import UtteranceKind
from soma.brain.domain.weights import Weights

MAX_TOP_K = 100

MIN_SCORE = 0.3
"""The least cosine of a memory that may be evidence in a chat. Measured with MiniLM (int8) on 95 short facts
and a question about each (tests/brain/told_and_asked.py):

| cosine at least | fact, its question | fact, another's question | fact, unrelated request |
|---|---|---|---|
| .20 | 100 % | 14.1 % | 5.8 % |
| .25 | 98.9 % | 7.3 % | 2.4 % |
| .30 | 96.8 % | 4.1 % | .8 % |
| .35 | 89.5 % | 2.3 % | .3 % |
| .40 | 83.2 % | 1.2 % | .1 % |

Below .3 noise doubles with each step while hardly a fact is won; above it facts are lost. The facts missed
at .3 stand in a sentence beside another ("I am 37 years old and have a dog named Biscuit").
"""

STATEMENTS = (UtteranceKind.STATEMENT, UtteranceKind.DOCUMENT)
"""What counts as evidence in a chat: what people have told, and the documents that they have given."""


class Layer(StrEnum):
    """Where evidence stands: what the conversation has at hand, or what is remembered for good."""

    WORKING = "working"
    LONG_TERM = "long_term"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecallRequest:
    """What to look for. Memories come from `namespace` of `tenant_id`, at most `top_k` (1 to 100) of them.
    They are weighed by `weights`, for a caller that holds its agent's; else as rewards have taught
    `agent_id`, which costs a statement; without either, as no agent has. What feedback on evidence has taught
    `agent_id` counts either way.

    `min_score` is the least cosine to the query, of the memory or of one of its sentences, in [0, 1].
    `exclude_input_hash` leaves out what stems from that very message: a turn must not recall itself; the
    guard adds `exclude_keyed_hash`, under which a message with personal data in it is known. `as_of`
    leaves out what occurred later, and is the time that ages are taken at. `kinds` are the utterances that
    count, None is all of them; `only` restricts them further. With `capsule_ids` memories come from these
    memory capsules, at most 16, and from nowhere else, whatever the namespace. `explain` asks what each score
    is the sum of. What is linked to the best evidence is found within `k_hop` (0 to 3) links, under the same
    conditions at each.

    `diversity` in [0, 1] prefers memories that are unlike those before them, the more the less like the query
    they may be; 0 is the order of the scores. No two memories of the very same text are evidence, ever.

    With a `conversation_id` what that conversation has at hand is asked as well, of the same namespace.
    """

    tenant_id: UUID
    agent_id: str | None
    namespace: str
    query: str
    top_k: int = 8
    min_score: float = MIN_SCORE
    exclude_input_hash: str | None = None
    exclude_keyed_hash: str | None = None
    as_of: datetime | None = None
    kinds: tuple[UtteranceKind, ...] | None = STATEMENTS
    only: RecallFilter = EVERYTHING
    capsule_ids: tuple[CapsuleReference, ...] = ()
    weights: Weights | None = None
    explain: bool = False
    diversity: float = 0.0
    conversation_id: UUID | None = None
    k_hop: int = DEFAULT_HOPS

    @property
    def excluded_hashes(self) -> tuple[str, ...]:
        """The hashes under which the message that is left out is known."""
        hashes = (self.exclude_input_hash, self.exclude_keyed_hash)
        return tuple(each for each in hashes if each is not None)

    @property
    def of_documents(self) -> bool:
        """Whether documents alone may answer: nobody speaks there, and a name is a word like any other."""
        return self.kinds == (UtteranceKind.DOCUMENT,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """One memory that answers. `score` orders: the mean of the signals of SignalWeights, weighed by them, of
    which most are standardised over the candidates. `probability` is its share of softmax(sum/τ) over the
    evidence. `features` are the cosines of the memory (`similarity`) and of its `best_sentence`, and every
    signal that is not 0; `explanation`, where it was asked for, what each signal adds to the score, and
    `frames` what the memory was read to tell.
    `confidence` in [0, 1] is how likely the memory is relevant, by the method that `calibration` names. What
    stands in both layers is evidence once, of the working one. Where only links have led to it,
    `provenance["path"]` names the memories on the way, it being the last. `capsule` is `id@version` of the
    memory capsule that it came in."""

    record_id: UUID
    tenant_id: UUID
    content: str
    role: str
    speaker: str
    score: float
    probability: float
    features: Mapping[str, float]
    explanation: Mapping[str, float] | None = None
    frames: tuple[Frame, ...] | None = None
    confidence: float
    calibration: str
    provenance: Mapping[str, Any]
    occurred_at: datetime
    layer: Layer = Layer.LONG_TERM
    capsule: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recall:
    """The evidence, best first. Empty is an answer: nothing that is known reaches `min_score`. `novelty` in
    [0, 1] is 1 − the largest cosine of the query to any memory asked; 1 when there was none. `understood` is
    how the query was read, `timings_ms` what each step took."""

    evidence: tuple[Evidence, ...]
    novelty: float
    latency_ms: float
    understood: Understood
    timings_ms: Mapping[str, float]
