"""What a namespace knows of terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from soma.fractalmemory.domain.passage import index_key
from soma.fractalmemory.kernels.bm25 import best, scores
from soma.fractalmemory.kernels.posting_block import Columns

NO_POSTINGS: Columns = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True, kw_only=True, slots=True)
class Lexicon:
    """The statistics of a namespace, exact at one moment, seen from `terms`.

    `records` have a text that is indexed, `mean_length` terms on average; `speakers` are theirs, at most 64,
    the most frequent first. `postings` maps each term that occurs to the numbers of the records that hold it
    (rising), how often each does, and how long each is. `namespace_id` is what the store calls the namespace;
    None for one that has no texts.
    """

    namespace_id: int | None
    terms: tuple[str, ...]
    records: int
    mean_length: float
    speakers: tuple[str, ...]
    postings: Mapping[str, Columns] = field(repr=False)

    @property
    def holding(self) -> NDArray[np.float64]:
        """For each of `terms` how many records hold it: (t,)."""
        return np.array([len(self.of(term)[0]) for term in self.terms], np.float64)

    def share(self, term: str) -> float:
        """Which share of the records holds `term`; 0 for one that was not asked for."""
        return len(self.of(term)[0]) / self.records if self.records else 0.0

    def of(self, term: str) -> Columns:
        """Numbers, frequencies and lengths of the records that hold `term`, each (p,)."""
        return self.postings.get(index_key(term), NO_POSTINGS)

    def about(self, terms: Sequence[str]) -> "Lexicon":
        """The same seen from `terms`, which are among those it was asked for."""
        return Lexicon(
            namespace_id=self.namespace_id,
            terms=tuple(terms),
            records=self.records,
            mean_length=self.mean_length,
            speakers=self.speakers,
            postings=self.postings,
        )

    def scores(self, *, k1: float, b: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The records that hold any of `terms`: their numbers, rising, and BM25, both (p,)."""
        postings = [self.of(term) for term in self.terms]
        return scores(postings, records=self.records, mean_length=self.mean_length, k1=k1, b=b)

    def best(self, limit: int, *, k1: float, b: float) -> NDArray[np.int64]:
        """The numbers of the `limit` records with the largest BM25, best first."""
        return best(*self.scores(k1=k1, b=b), limit)

    def frequencies(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """How often each of the records `numbers` (n,) holds each of `terms`: (n, t)."""
        found = np.zeros((len(numbers), len(self.terms)))
        for column, term in enumerate(self.terms):
            holders, counts, _ = self.of(term)
            if len(holders):
                places = np.minimum(np.searchsorted(holders, numbers), len(holders) - 1)
                found[:, column] = np.where(holders[places] == numbers, counts[places], 0)
        return found
