"""What a conversation has at hand, as candidates beside those of long-term memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.brain.domain.recall import Evidence, Layer, RecallRequest
from soma.brain.domain.text_facts import TextFacts
from soma.brain.domain.working import WorkingItem
from soma.brain.ports import Embedder, MemorySource
from soma.brain.services import working_rows
from soma.brain.services.recent_facts import facts_of
from soma.brain.services.recent_vectors import RecentVectors
from soma.fractalmemory.api import CandidateSet, Lexicon, MemoryRecord

T = TypeVar("T", bound=np.generic)

RECENT = RecentVectors()


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkingLayer:
    """`items` that may answer a request, oldest first. Each has its vectors in `vectors`: its own, and where
    it is not consolidated yet those of its sentences (k, d)."""

    items: tuple[WorkingItem, ...] = ()
    vectors: tuple[NDArray[np.float32], ...] = field(default=(), repr=False)

    @classmethod
    def read(cls, request: RecallRequest) -> "WorkingLayer":
        """The items, without vectors. Inside the tenant's open transaction."""
        if request.conversation_id is None:
            return cls()
        found = working_rows.items(request.tenant_id, request.conversation_id)
        return cls(items=tuple(item for item in found if _may_answer(item, request)))

    def embedded(self, embedder: Embedder) -> "WorkingLayer":
        """The layer with vectors: one batch for whatever has none. Raises EmbedderUnavailable."""
        fresh = [item.content for item in self.items if item.vector is None]
        found = dict(zip(fresh, RECENT.of(embedder, fresh), strict=True)) if fresh else {}
        own = (found[item.content] if item.vector is None else item.vector[None] for item in self.items)
        return replace(self, vectors=tuple(own))

    def standing(self, memory: MemorySource, tenant_id: UUID, seen: CandidateSet) -> "WorkingLayer":
        """The layer without items whose memory was deleted, whichever way. Inside the open transaction that
        has `seen` what stands."""
        known = set(seen.ids)
        ids = [item.record_id for item in self.items if item.record_id and item.record_id not in known]
        known |= {record.id for record in memory.get(tenant_id, ids)} if ids else set()
        pairs = zip(self.items, self.vectors, strict=True)
        stay = [pair for pair in pairs if pair[0].record_id is None or pair[0].record_id in known]
        return replace(self, items=tuple(item for item, _ in stay), vectors=tuple(own for _, own in stay))

    def beside(
        self, seen: CandidateSet, vector: NDArray[np.float32], lexicon: Lexicon, request: RecallRequest
    ) -> CandidateSet:
        """`seen`, and after it those of the items that are not in it."""
        named, known = {item.known_id: place for place, item in enumerate(self.items)}, set(seen.ids)
        chosen = [place for name, place in named.items() if name not in known]
        if not chosen:
            return seen
        items = [self.items[place] for place in chosen]
        facts = [facts_of(item.content) for item in items]
        cosines = [self.vectors[place].astype(np.float64) @ vector for place in chosen]
        first = len(seen.ids)
        previous = [_neighbour(items, place, -1, first) for place in range(len(items))]
        following = [_neighbour(items, place, 1, first) for place in range(len(items))]
        session = int(seen.session.max(initial=-1)) + 1
        return CandidateSet(
            ids=(*seen.ids, *(item.known_id for item in items)),
            roles=(*seen.roles, *(item.role for item in items)),
            speakers=(*seen.speakers, *(item.speaker for item in items)),
            occurred_at=(*seen.occurred_at, *(item.occurred_at for item in items)),
            importance=_with(seen.importance, (item.importance for item in items)),
            found=_with(seen.found, (True for _ in items)),
            eligible=_with(seen.eligible, (_is_wanted(item, request) for item in items)),
            similarity=_with(seen.similarity, (each[0] for each in cosines)),
            best_sentence=_with(seen.best_sentence, (each.max() for each in cosines)),
            frequencies=np.vstack([seen.frequencies, _frequencies(facts, lexicon)]),
            lengths=_with(seen.lengths, (each.length for each in facts)),
            words=_with(seen.words, (each.words for each in facts)),
            told=_with(seen.told, (each.told for each in facts)),
            asks=_with(seen.asks, (each.asks for each in facts)),
            timed=_with(seen.timed, (each.timed for each in facts)),
            session=_with(seen.session, (session for _ in items)),
            previous=_with(seen.previous, previous),
            next=_with(seen.next, following),
        )

    def records(self) -> dict[UUID, MemoryRecord]:
        """What long-term memory may not hold yet, by id."""
        return {item.id: _record(item) for item in self.items if item.record_id is None}

    def directions(self) -> dict[UUID, NDArray[np.float32]]:
        """The vector of each item, by the id that it is shown with."""
        return {item.known_id: own[0] for item, own in zip(self.items, self.vectors, strict=True)}

    def mark(self, evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
        """`evidence`, saying of each in which layer it stands."""
        own = {item.known_id for item in self.items}
        return tuple(
            replace(each, layer=Layer.WORKING) if each.record_id in own else each for each in evidence
        )

    def known_as(self, records: Iterable[MemoryRecord]) -> "WorkingLayer":
        """The layer with what is the same memory as one of `records` under an older id called by that id, as
        consolidation will call it. Itself where there is no such thing."""
        if not self.items:
            return self
        own = {item.known_id for item in self.items}
        older = {record.content_hash: record.id for record in records if record.id not in own}
        names = [item.record_id or older.get(_record(item).content_hash) for item in self.items]
        if names == [item.record_id for item in self.items]:
            return self
        items = (replace(item, record_id=name) for item, name in zip(self.items, names, strict=True))
        return replace(self, items=tuple(items))


def _may_answer(item: WorkingItem, request: RecallRequest) -> bool:
    """What may not is not even context for others."""
    stems_from = item.provenance.get("input_hash")
    return (
        item.namespace == request.namespace
        and (not stems_from or stems_from not in request.excluded_hashes)
        and (request.as_of is None or item.occurred_at <= request.as_of)
    )


def _is_wanted(item: WorkingItem, request: RecallRequest) -> bool:
    """Whether the item meets the filters, as the store judges its memories."""
    only, provenance = request.only, item.provenance
    return (
        (request.kinds is None or provenance.get("kind") in request.kinds)
        and (not only.roles or item.role in only.roles)
        and (not only.speakers or item.speaker in only.speakers)
        and (only.since is None or item.occurred_at >= only.since)
        and (only.until is None or item.occurred_at < only.until)
        and all(_text_of(provenance.get(name)) in values for name, values in only.provenance.items())
    )


def _text_of(value: object) -> str | None:
    """A value of the provenance as filters name it: as PostgreSQL's ->> spells it."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _neighbour(items: Sequence[WorkingItem], place: int, step: int, first: int) -> int:
    """The position among the candidates of what was said just before or after, −1 where that is not here."""
    beside = place + step
    if not 0 <= beside < len(items) or abs(items[beside].turn - items[place].turn) > 1:
        return -1
    return first + beside


def _frequencies(facts: Sequence[TextFacts], lexicon: Lexicon) -> NDArray[np.float64]:
    counts = [[each.terms.get(term, 0) for term in lexicon.terms] for each in facts]
    return np.array(counts, np.float64).reshape(len(facts), len(lexicon.terms))


def _with(values: NDArray[T], more: Iterable[object]) -> NDArray[T]:
    return np.concatenate([values, np.array(list(more), values.dtype)])


def _record(item: WorkingItem) -> MemoryRecord:
    return MemoryRecord(
        id=item.known_id,
        namespace=item.namespace,
        key=item.key,
        content=item.content,
        role=item.role,
        speaker=item.speaker,
        occurred_at=item.occurred_at,
        importance=item.importance,
        provenance=item.provenance,
        created_at=item.occurred_at,
    )
