"""What the brain needs from outside, and does not choose."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.brain.domain.documents.chunk import ReadDocument
from soma.brain.domain.documents.source import Source
from soma.fractalmemory.api import CandidateQuery, CandidateSet, Lexicon, Link, MemoryRecord, Walk


class Embedder(Protocol):
    """Turns texts into vectors whose dot product is the cosine of their meanings."""

    @property
    def name(self) -> str:
        """Which model and form this is, e.g. `minilm-l6-v2/float32`."""

    @property
    def dimensions(self) -> int:
        """The length d of a vector."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), d), float32, each of unit length; (0, d) for no texts.

        The same text gives the same vector whatever stands beside it in the batch, up to rounding.
        Safe to call from several threads. Raises EmbedderUnavailable.
        """

    def embed_parts(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The vectors of `texts` as `embed` gives them, (len(texts), d), and those of the parts of each that
        `spans` names by where they start and have ended, in characters, in order: (m, d).

        A part is read in the light of the text around it. For the rest see `embed`.
        """


class DocumentReader(Protocol):
    """Reads documents that come from strangers."""

    def read(self, source: Source, stopped: Callable[[], bool]) -> ReadDocument:
        """The document in chunks; the same file gives the same. `stopped` is asked now and then whether to
        give up. Raises Unreadable, and IngestStopped when it was stopped."""


class LinkSource(Protocol):
    """Links between what a MemorySource reads."""

    def walk(self, tenant_id: UUID, walk: Walk) -> list[Link]:
        """The links gone along; see MemoryGraph."""


class MemorySource(Protocol):
    """What recall reads from: a namespace, or several seen as one. Called in this order, inside the tenant's
    open transaction; see FractalMemory. Raises StoreUnavailable."""

    def lexicon(self, tenant_id: UUID, namespace: str, terms: Sequence[str]) -> Lexicon:
        """What is known of `terms` at this moment."""

    def candidates(self, tenant_id: UUID, query: CandidateQuery) -> CandidateSet:
        """The memories that may answer, with what ranking looks at."""

    @property
    def graph(self) -> LinkSource:
        """The links between these memories; none leads to another."""

    def widened(
        self, tenant_id: UUID, query: CandidateQuery, seen: CandidateSet, ids: Sequence[UUID]
    ) -> CandidateSet:
        """What `candidates` has found for `query`, with those of `ids` that there are added."""

    def get(self, tenant_id: UUID, ids: Sequence[UUID]) -> list[MemoryRecord]:
        """Those of `ids` that there are, in no order."""

    def vectors(self, tenant_id: UUID, ids: Sequence[UUID]) -> Mapping[UUID, NDArray[np.float32]]:
        """The vectors of those of `ids` that there are."""

    @property
    def dimensions(self) -> int:
        """The length of the vectors."""
