"""Several namespaces seen as one: statistics and candidates as if their memories stood together."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import accumulate, chain
from typing import Any

import numpy as np

from soma.fractalmemory.domain.candidates import CandidateSet
from soma.fractalmemory.domain.lexicon import Lexicon
from soma.fractalmemory.kernels.posting_block import Columns

NEIGHBOURS = ("previous", "next")


def joined_lexicon(parts: Sequence[Lexicon]) -> Lexicon:
    """The lexicon of all of `parts`, one or more, which were asked for the same terms. The records of each
    are numbered after those of the parts before. Its speakers are each part's in turn."""
    records = [part.records for part in parts]
    tokens = sum(part.records * part.mean_length for part in parts)
    starts = [0, *accumulate(_width(part) for part in parts)]
    found: dict[str, list[Columns]] = {}
    for part, start in zip(parts, starts, strict=False):
        for term, (numbers, frequencies, lengths) in part.postings.items():
            found.setdefault(term, []).append((numbers + start, frequencies, lengths))
    return Lexicon(
        namespace_id=None,
        terms=parts[0].terms,
        records=sum(records),
        mean_length=tokens / sum(records) if sum(records) else 0.0,
        speakers=tuple(dict.fromkeys(chain.from_iterable(part.speakers for part in parts))),
        postings={term: _concatenated(columns) for term, columns in found.items()},
    )


def joined_candidates(parts: Sequence[CandidateSet]) -> CandidateSet:
    """The candidates of all of `parts`, one or more, of namespaces that differ: none is in two of them, and
    no session is."""
    starts = [0, *accumulate(len(part.ids) for part in parts)]
    sessions = [0, *accumulate(int(part.session.max(initial=-1)) + 1 for part in parts)]
    values: dict[str, Any] = {}
    for each in fields(CandidateSet):
        columns = [getattr(part, each.name) for part in parts]
        if each.name in NEIGHBOURS:
            columns = [
                np.where(own < 0, -1, own + start) for own, start in zip(columns, starts, strict=False)
            ]
        elif each.name == "session":
            columns = [own + first for own, first in zip(columns, sessions, strict=False)]
        together = chain.from_iterable(columns) if isinstance(columns[0], tuple) else None
        values[each.name] = np.concatenate(columns) if together is None else tuple(together)
    return CandidateSet(**values)


def _width(part: Lexicon) -> int:
    """One more than the largest number of a record that its postings name."""
    return max((int(numbers[-1]) + 1 for numbers, _, _ in part.postings.values() if len(numbers)), default=0)


def _concatenated(parts: Sequence[Columns]) -> Columns:
    numbers, frequencies, lengths = (np.concatenate(column) for column in zip(*parts, strict=True))
    return numbers, frequencies, lengths
