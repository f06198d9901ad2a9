"""What storage needs from a technology."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.fractalmemory.domain.candidates import CandidateQuery, CandidateSet
from soma.fractalmemory.domain.held import Held
from soma.fractalmemory.domain.lexicon import Lexicon
from soma.fractalmemory.domain.link import KindCount, Link, LinkKey, Neighbour
from soma.fractalmemory.domain.owed import Owed
from soma.fractalmemory.domain.passage import Passage
from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.reconciled import Reconciled
from soma.fractalmemory.domain.record import IndexedRecord, MemoryRecord, ScoredRecord
from soma.fractalmemory.domain.selection import Selection
from soma.fractalmemory.domain.upsert import Upserted
from soma.fractalmemory.domain.usage import Usage
from soma.fractalmemory.domain.walk import Walk
from soma.fractalmemory.domain.written import Place, WrittenVector


class VectorStore(Protocol):
    """Memories with their vectors. No method sees or touches another tenant's, whatever ids it is given.

    Every method is called with the tenant's transaction open, and raises StoreUnavailable when the
    store does not answer. What a transaction has stored is found from its commit on, whether or not the
    index has it yet; what was deleted or rolled back is never found.
    """

    @property
    def dimensions(self) -> int:
        """The length of the vectors it keeps."""

    def upsert(self, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> list[Upserted]:
        """Store `batch` by the rule of UpsertPlan; the outcomes are in its order. All of it or nothing."""

    def search(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        """The nearest memories, nearest first; as many as `query.limit` wherever the tenant has so many."""

    def nearest(self, tenant_id: UUID, query: VectorQuery) -> list[UUID]:
        """The ids alone of what `search` finds, in its order."""

    def get(self, tenant_id: UUID, ids: Sequence[UUID]) -> list[MemoryRecord]:
        """Those of `ids` that there are, in no order."""

    def select(
        self, tenant_id: UUID, selection: Selection, *, after: str | None, limit: int
    ) -> list[MemoryRecord]:
        """The first `limit` memories of `selection` in the order of their keys, of those behind `after`."""

    def vectors(self, tenant_id: UUID, ids: Sequence[UUID]) -> Mapping[UUID, NDArray[np.float32]]:
        """The vectors, as they are kept, of those of `ids` that there are."""

    def written(
        self, tenant_id: UUID, namespace: str, *, after: Place | None, limit: int
    ) -> list[WrittenVector]:
        """The first `limit` vectors of `namespace` in the order of their writing, of those behind `after`."""

    def delete(self, tenant_id: UUID, ids: Sequence[UUID]) -> int:
        """Remove those of `ids` that there are, content and vector; how many there were."""

    def count(self, tenant_id: UUID, namespace: str) -> int:
        """How many memories `namespace` holds."""

    def usage(self, tenant_id: UUID, namespaces: Collection[str]) -> Mapping[str, Usage]:
        """What those of `namespaces` use that hold anything, exactly and without counting; TENANT among them
        stands for all. After a write in this transaction, with what others have committed before it."""

    def every_namespace(self) -> list[tuple[UUID, str]]:
        """The namespaces of all tenants that hold anything. Called outside any transaction."""

    def index(self, tenant_id: UUID, namespace: str, limit: int) -> int:
        """Bring the index nearer to the memories of `namespace`, by at most about `limit` of them: take in
        vectors that it lacks, drop those that are gone. How many; 0 when there is nothing worth doing."""

    def reconcile(self, tenant_id: UUID, cursor: str | None, limit: int) -> Reconciled:
        """Compare about `limit` memories or vectors from `cursor` on (None: from the start) with each other:
        what the index has lost is to be indexed again, what it should not hold is removed from it."""

    def namespaces(self, tenant_id: UUID, name: str, prefix: str) -> list[Held]:
        """What the namespace `name` holds, and each that begins with `prefix`; none of them is empty."""

    @property
    def passages(self) -> "PassageStore":
        """The texts of the same memories: `upsert` and `delete` keep them, in their transaction."""

    @property
    def links(self) -> "LinkStore":
        """The links between the same memories; `delete` removes those of what it deletes."""


class PassageStore(Protocol):
    """What ranking needs of memories' texts: exact statistics of terms, and candidates. Called like a
    VectorStore."""

    def lexicon(self, tenant_id: UUID, namespace: str, terms: Sequence[str]) -> Lexicon:
        """What `namespace` knows of `terms`, at one moment."""

    def candidates(
        self, tenant_id: UUID, query: CandidateQuery, nearest: Callable[[], Sequence[UUID]]
    ) -> CandidateSet:
        """The best of `query.lexicon`, the memories that `nearest` names, and the neighbours of both. It is
        called while the former are looked up, and may ask the store itself."""

    def seal(self, tenant_id: UUID, namespace: str) -> int:
        """Write postings of new passages into blocks where enough wait, of about 4,000 at most: reading gets
        faster, and nothing else changes. How many were; 0 when there is nothing worth doing."""

    def unanalysed(
        self, tenant_id: UUID, namespace: str, *, after: UUID | None, limit: int
    ) -> list[MemoryRecord]:
        """The first `limit` memories of `namespace` without a passage in the order of their ids, of those
        behind `after`."""

    def owed(self, after: UUID, limit: int) -> Owed:
        """Where memories lack a passage, of the first `limit` of all tenants in the order of their ids, of
        those behind `after`. Called without a tenant's transaction."""

    def add(self, tenant_id: UUID, analysed: Sequence[tuple[MemoryRecord, Passage]]) -> int:
        """Store the passages of memories that have none and still say the same; how many were stored."""


class LinkStore(Protocol):
    """Links between a tenant's memories; they go when either memory goes. Called like a VectorStore.

    Whatever writes links waits until no other transaction of the tenant does. Conductances are those of the
    moment `at`, without it of now: between uses they come back to their rest.
    """

    def link(self, tenant_id: UUID, links: Sequence[Link], at: datetime | None = None) -> int:
        """Store `links`; one that there is is rewritten. How many were stored: a link to or from something
        that is no memory of the tenant is not. Where a memory then has more than MAX_LINKS, the weakest go,
        those that usage made before the others."""

    def unlink(self, tenant_id: UUID, keys: Sequence[LinkKey]) -> int:
        """Remove those of `keys` that there are; how many there were."""

    def take_in(self, tenant_id: UUID, use: str, at: datetime) -> bool:
        """Note that links take in the use of that name; False if they have already."""

    def settle(self, tenant_id: UUID, links: Sequence[Link], at: datetime) -> None:
        """Write the conductance and the flow of those of `links` that there are."""

    def made_by_hand(self, tenant_id: UUID, record_id: UUID, beside: LinkKey) -> int:
        """How many links of the memory but `beside` are not USED_TOGETHER; no more come until the transaction
        ends."""

    def walk(self, tenant_id: UUID, walk: Walk) -> list[Link]:
        """The links gone along, each once, those of a hop best first."""

    def neighbours(
        self, tenant_id: UUID, ids: Sequence[UUID], limit: int, at: datetime | None = None
    ) -> list[Neighbour]:
        """For each of `ids`, at most `limit` of its links in either direction, best conductance first."""

    def outgoing(self, tenant_id: UUID, ids: Sequence[UUID]) -> list[Link]:
        """Every link that leads from one of `ids`, as of now, in the order of their keys."""

    def kinds(self, tenant_id: UUID, namespace: str, at: datetime) -> list[KindCount]:
        """What links lead from memories of `namespace`, by kind."""
