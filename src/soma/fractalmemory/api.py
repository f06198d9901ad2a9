"""The public face of storage: memories, their vectors and links, per tenant. The brain is its only caller."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from soma.fractalmemory.domain.candidates import CandidateQuery, CandidateSet
from soma.fractalmemory.domain.held import Held
from soma.fractalmemory.domain.imported import Imported
from soma.fractalmemory.domain.joined import joined_candidates, joined_lexicon
from soma.fractalmemory.domain.lexicon import Lexicon
from soma.fractalmemory.domain.link import (
    HALF_LIFE_DAYS,
    MAX_LINKS,
    USED_TOGETHER,
    KindCount,
    Link,
    LinkKey,
    Neighbour,
)
from soma.fractalmemory.domain.owed import Owed
from soma.fractalmemory.domain.passage import Passage
from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.reconciled import Reconciled
from soma.fractalmemory.domain.record import IndexedRecord, MemoryRecord, ScoredRecord, content_hash
from soma.fractalmemory.domain.record_filter import RecordFilter
from soma.fractalmemory.domain.selection import Selection
from soma.fractalmemory.domain.upsert import Outcome, Upserted
from soma.fractalmemory.domain.usage import TENANT, Quota, Quotas, Usage
from soma.fractalmemory.domain.walk import Walk
from soma.fractalmemory.domain.written import Place, WrittenVector
from soma.fractalmemory.errors import FractalMemoryError, QuotaExceeded, StoreUnavailable, WrongDimensions
from soma.fractalmemory.ports import LinkStore, PassageStore, VectorStore
from soma.fractalmemory.services.delete_records import delete_matching
from soma.fractalmemory.services.export_namespace import export_namespace
from soma.fractalmemory.services.fill_passages import PAGE, Analyse, filling
from soma.fractalmemory.services.find_candidates import find_candidates, widen_candidates
from soma.fractalmemory.services.import_namespace import Admit, Embed, NamespaceImport
from soma.fractalmemory.services.index_records import index_page, reconcile
from soma.fractalmemory.services.indexer import Follower, Indexer
from soma.fractalmemory.services.search_records import search_records
from soma.fractalmemory.services.store_records import UNLIMITED, store_records

__all__ = [
    "ANY_NAMESPACE",
    "HALF_LIFE_DAYS",
    "MAX_LINKS",
    "USED_TOGETHER",
    "Analyse",
    "CandidateQuery",
    "CandidateSet",
    "Follower",
    "FractalMemory",
    "FractalMemoryError",
    "Held",
    "Imported",
    "IndexedRecord",
    "KindCount",
    "Lexicon",
    "Link",
    "LinkKey",
    "LinkStore",
    "MemoryGraph",
    "MemoryRecord",
    "MemoryTransfer",
    "Neighbour",
    "Outcome",
    "Owed",
    "Passage",
    "PassageStore",
    "Place",
    "Quota",
    "QuotaExceeded",
    "Quotas",
    "Reconciled",
    "RecordFilter",
    "ScoredRecord",
    "Selection",
    "StoreUnavailable",
    "Upserted",
    "Usage",
    "VectorQuery",
    "VectorStore",
    "Walk",
    "WrittenVector",
    "WrongDimensions",
    "content_hash",
    "joined_candidates",
    "joined_lexicon",
]


ANY_NAMESPACE = ""
"""Vectors that are to be removed wait for the tenant as a whole, not in a namespace."""


class FractalMemory:
    """Memories behind whichever store was configured.

    Call every method but `fill_passages`, `filling`, `owed`, `index`, `reconcile`, `start` and `stop` inside
    the tenant's open transaction (`soma.base.database.tenant_transaction`). All raise StoreUnavailable when
    the store does not answer.

    A memory is found from its commit on. Large namespaces are searched by an index that follows: `start` has
    a thread see to that; without it, searches get slower as memories wait, and stay right.
    """

    def __init__(self, store: VectorStore, quotas: Quotas = UNLIMITED) -> None:
        self._store = store
        self._quotas = quotas
        self._indexer = Indexer(store)

    @property
    def dimensions(self) -> int:
        """The length of the vectors kept."""
        return self._store.dimensions

    def start(self) -> None:
        """Index what is stored from now on, and what is found left over, in a thread of its own."""
        self._indexer.start()

    def stop(self) -> None:
        """End that thread, after the half second's work that it may be at."""
        self._indexer.stop()

    def upsert(self, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> list[Upserted]:
        """Store `batch`, all or nothing, and say in its order what became of each memory: a known key is
        rewritten, a new key whose content already stands in the namespace is a duplicate and not stored.
        Raises WrongDimensions, and QuotaExceeded when there is no room for all of it; roll back then."""
        upserted = store_records(self._store, tenant_id, batch, self._quotas)
        self._written(tenant_id, {each.namespace for each in upserted})
        return upserted

    def search(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        """The memories nearest to the query, nearest first. Raises WrongDimensions."""
        found = search_records(self._store, tenant_id, query)
        self._indexer.searched(tenant_id, query.namespace)
        return found

    def lexicon(self, tenant_id: UUID, namespace: str, terms: Sequence[str]) -> Lexicon:
        """What `namespace` knows of `terms` at this moment: the statistics of BM25, exact, and who speaks."""
        return self._store.passages.lexicon(tenant_id, namespace, terms)

    def candidates(self, tenant_id: UUID, query: CandidateQuery) -> CandidateSet:
        """The memories nearest to the query's vector, those best by its terms, those of its times, and the
        neighbours of all in their sessions, with what ranking looks at. Raises WrongDimensions."""
        found = find_candidates(self._store, tenant_id, query)
        self._indexer.searched(tenant_id, query.namespace)
        return found

    def widened(
        self, tenant_id: UUID, query: CandidateQuery, seen: CandidateSet, ids: Sequence[UUID]
    ) -> CandidateSet:
        """What `candidates` has found for `query`, with the memories `ids` and their neighbours added."""
        return widen_candidates(self._store, tenant_id, query, seen, ids)

    @property
    def graph(self) -> "MemoryGraph":
        """The links between the memories."""
        return MemoryGraph(self._store.links)

    def get(self, tenant_id: UUID, ids: Sequence[UUID]) -> list[MemoryRecord]:
        """Those of `ids` that there are, in no order."""
        return self._store.get(tenant_id, ids)

    def select(
        self, tenant_id: UUID, selection: Selection, *, after: str | None = None, limit: int
    ) -> list[MemoryRecord]:
        """The first `limit` memories of `selection` in the order of their keys, of those behind `after`."""
        return self._store.select(tenant_id, selection, after=after, limit=limit)

    def vectors(self, tenant_id: UUID, ids: Sequence[UUID]) -> Mapping[UUID, NDArray[np.float32]]:
        """The vectors, as they are kept, of those of `ids` that there are."""
        return self._store.vectors(tenant_id, ids)

    def written(
        self, tenant_id: UUID, namespace: str, *, after: Place | None = None, limit: int
    ) -> list[WrittenVector]:
        """The first `limit` vectors of `namespace` in the order of their writing, of those behind `after`."""
        return self._store.written(tenant_id, namespace, after=after, limit=limit)

    def follow(self, follower: Follower) -> None:
        """Have the thread of `start` call `follower(tenant_id, namespace)` whenever it has indexed what was
        written to a namespace, with ANY_NAMESPACE for what was deleted."""
        self._indexer.follow(follower)

    def delete(self, tenant_id: UUID, ids: Sequence[UUID]) -> int:
        """Remove those of `ids` that there are, for good; how many there were."""
        deleted = self._store.delete(tenant_id, ids)
        self._written(tenant_id, {ANY_NAMESPACE})
        return deleted

    def delete_matching(self, tenant_id: UUID, selection: Selection) -> int:
        """Remove the memories of `selection`, for good; how many there were. With `before` it is how memories
        are kept for so long and no longer."""
        deleted = delete_matching(self._store, tenant_id, selection)
        self._written(tenant_id, {selection.namespace})
        return deleted

    def namespaces(self, tenant_id: UUID, name: str, prefix: str) -> list[Held]:
        """What the namespace `name` holds, and each that begins with `prefix`; none of them is empty."""
        return self._store.namespaces(tenant_id, name, prefix)

    @property
    def transfer(self) -> "MemoryTransfer":
        """The same memories with their links, as JSON Lines."""
        return MemoryTransfer(self._store, self._store.links, self._quotas)

    def count(self, tenant_id: UUID, namespace: str) -> int:
        """How many memories `namespace` holds."""
        return self._store.count(tenant_id, namespace)

    def usage(self, tenant_id: UUID, namespace: str = TENANT) -> Usage:
        """What `namespace`, or the tenant, uses: exact, without counting."""
        return self._store.usage(tenant_id, [namespace]).get(namespace, Usage())

    def every_namespace(self) -> list[tuple[UUID, str]]:
        """The namespaces of all tenants that hold anything, for whoever works for all of them. Called outside
        any transaction."""
        return self._store.every_namespace()

    def index(self, tenant_id: UUID, namespace: str) -> None:
        """Index what waits of `namespace`, and return when that is done. Opens transactions of its own."""
        while index_page(self._store, tenant_id, namespace):
            pass

    def reconcile(self, tenant_id: UUID) -> Reconciled:
        """Compare the index with the tenant's memories, all of them, and set right what differs: for when the
        index may have lost something, as after its server was restored. What was lost is found again at
        once. Opens transactions of its own."""
        return reconcile(self._store, tenant_id)

    def fill_passages(self, tenant_id: UUID, namespace: str, analyse: Analyse) -> int:
        """Analyse the memories of `namespace` that were stored without a passage; how many were. Opens
        transactions of its own, none while `analyse` works."""
        return sum(self.filling(tenant_id, namespace, analyse))

    def filling(
        self, tenant_id: UUID, namespace: str, analyse: Analyse, *, page: int = PAGE
    ) -> Iterator[int]:
        """The same, a page each time that the next number is asked for: of how many it was."""
        return filling(self._store.passages, tenant_id, namespace, analyse, page)

    def owed(self, after: UUID, limit: int) -> Owed:
        """Where memories lack a passage, of the first `limit` of all tenants behind the id `after`. Opens
        a transaction of its own."""
        return self._store.passages.owed(after, limit)

    def _written(self, tenant_id: UUID, namespaces: set[str]) -> None:
        for namespace in namespaces:
            transaction.on_commit(partial(self._indexer.written, tenant_id, namespace))


class MemoryGraph:
    """Links between memories. Called like FractalMemory; see LinkStore for what a moment `at` means."""

    def __init__(self, links: LinkStore) -> None:
        self._links = links

    def link(self, tenant_id: UUID, links: Sequence[Link], at: datetime | None = None) -> int:
        """Store `links`; one that there is is rewritten. How many were stored: a link to or from something
        that is no memory of the tenant is not. Where a memory then has more than MAX_LINKS, the weakest go,
        those that usage made before the others."""
        return self._links.link(tenant_id, links, at) if links else 0

    def unlink(self, tenant_id: UUID, keys: Sequence[LinkKey]) -> int:
        """Remove those of `keys` that there are; how many there were."""
        return self._links.unlink(tenant_id, keys) if keys else 0

    def take_in(self, tenant_id: UUID, use: str, at: datetime) -> bool:
        """Note that links take in the use of that name; False if they have already. Until the transaction
        ends nobody else writes links of the tenant."""
        return self._links.take_in(tenant_id, use, at)

    def settle(self, tenant_id: UUID, links: Sequence[Link], at: datetime) -> None:
        """Write the conductance and the flow of those of `links` that there are."""
        if links:
            self._links.settle(tenant_id, links, at)

    def made_by_hand(self, tenant_id: UUID, record_id: UUID, beside: LinkKey) -> int:
        """How many links of the memory but `beside` are not USED_TOGETHER; no more come until the transaction
        ends."""
        return self._links.made_by_hand(tenant_id, record_id, beside)

    def walk(self, tenant_id: UUID, walk: Walk) -> list[Link]:
        """The links gone along, each once, those of a hop best first."""
        return self._links.walk(tenant_id, walk) if walk.seeds and walk.hops > 0 else []

    def neighbours(
        self, tenant_id: UUID, ids: Sequence[UUID], limit: int, at: datetime | None = None
    ) -> list[Neighbour]:
        """For each of `ids`, at most `limit` of its links in either direction, best conductance first."""
        return self._links.neighbours(tenant_id, ids, limit, at) if ids and limit > 0 else []

    def kinds(self, tenant_id: UUID, namespace: str, at: datetime) -> list[KindCount]:
        """What links lead from memories of `namespace`, by kind."""
        return self._links.kinds(tenant_id, namespace, at)


class MemoryTransfer:
    """Namespaces as JSON Lines: a header, memories with their provenance, links between them. Opens
    transactions of its own, one a page."""

    def __init__(self, store: VectorStore, links: LinkStore, quotas: Quotas = UNLIMITED) -> None:
        self._store = store
        self._links = links
        self._quotas = quotas

    def export(
        self, tenant_id: UUID, namespace: str, *, called: str | None = None, vectors: bool = False
    ) -> Iterator[bytes]:
        """The lines of `namespace`, each with its line feed; the header calls it `called`. With `vectors` it
        can be imported without a model. What is stored meanwhile may or may not be among them."""
        return export_namespace(
            self._store, self._links, tenant_id, namespace, called=called, vectors=vectors
        )

    def importing(
        self,
        tenant_id: UUID,
        namespace: str,
        embed: Embed,
        *,
        analyse: Analyse | None = None,
        admit: Admit | None = None,
    ) -> NamespaceImport:
        """An import that is given its lines page by page. `analyse` gives the memories their passages at
        once; `admit` raises InvalidInput for one that may not be stored."""
        return NamespaceImport(
            self._store,
            self._links,
            tenant_id,
            namespace,
            embed,
            analyse=analyse,
            admit=admit,
            quotas=self._quotas,
        )

    def import_lines(self, tenant_id: UUID, namespace: str, lines: Iterable[bytes], embed: Embed) -> Imported:
        """Store into `namespace` what `lines` say, by the rules of FractalMemory.upsert; the same lines again
        change nothing. `embed` gives the vectors of contents whose lines have none. The lines of an export
        that was cut off are good as far as they go. `FractalMemory.fill_passages` then analyses the texts.

        Raises InvalidInput naming the line, WrongDimensions, QuotaExceeded;
        pages before it are stored then."""
        return self.importing(tenant_id, namespace, embed).run(lines)
