"""What is kept of a memory's text for ranking."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LONGEST_KEY = 200
"""Bytes of a term or a session that stand as they are. Indexes take no more than 2,700, and no word is as
long: what is, is an encoded file."""

MOST_TIMES = 32_767
"""A term that occurs more often than this is taken to occur so often: BM25 differs in the fifth digit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """The text of one memory, analysed.

    `session` names what it was said in, "" where there is no such thing; neighbours are those of one session.
    `terms` maps each term to how often it occurs, `length` counts all of them, `words` the words. `told` is
    the share of the words that ask nothing; `asks`: it ends in a question; `timed`: it says when something
    was. `sentences` (m, d) are the unit vectors of its sentences; None where it has one only, whose vector is
    the memory's own.
    """

    session: str
    terms: Mapping[str, int]
    length: int
    words: int
    told: float = 1.0
    asks: bool = False
    timed: bool = False
    sentences: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)

    def counts(self) -> dict[str, int]:
        """The terms as they are kept, in order, with how often each occurs."""
        kept = {index_key(term): min(count, MOST_TIMES) for term, count in self.terms.items() if count > 0}
        return dict(sorted(kept.items()))


def index_key(text: str) -> str:
    """`text` itself, or where it is long its start and its digest."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= LONGEST_KEY:
        return text
    return f"{encoded[:100].decode('utf-8', 'ignore')}…{hashlib.sha256(encoded).hexdigest()}"
