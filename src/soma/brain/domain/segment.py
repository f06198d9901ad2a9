"""Where a conversation's present subject began: change-point detection, a turn at a time.

A turn counts with the mean direction of all that was said in it: a message alone ("Really?") often says
nothing of its subject. What segments share is the mean of the conversation so far, with a share of nothing
for the few turns before there is one; MiniLM's own mean would do as well, and differs by the kind of text.
"""

import struct
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Self

import numpy as np

from soma.brain.kernels.changepoint.runs import (
    Runs,
    change_probability,
    expectation,
    likeliest_length,
    no_runs,
    observe,
)
from soma.brain.kernels.changepoint.sphere import Doubles

DIMENSION = 60.0
"""Over so many independent directions MiniLM spreads short everyday texts (`effective_dimension`)."""

LENGTH = 20.0
PRIOR_TURNS = 2.0
KEPT = 16
"""Runs: as good as four times as many, measured, and 25 kB a conversation."""

HEADER = struct.Struct("<IHHH")


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """The subject that a conversation is at after `turns` turns: it began with turn `start`, counted from 1.
    `change_probability` is the chance that the last turn began one."""

    start: int
    turns: int
    change_probability: float

    @property
    def length(self) -> int:
        """Of how many turns it is, so far."""
        return self.turns - self.start + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentState:
    """What is known after `turns` turns: the sum of their vectors, `total` (d,), and the runs. Its numbers
    have the precision they are kept in, so that going on from what was kept changes nothing."""

    turns: int
    total: Doubles = field(repr=False)
    runs: Runs = field(repr=False)

    @classmethod
    def beginning(cls, dimension: int) -> Self:
        """Before the first turn, for vectors of this length."""
        zero = np.zeros(dimension)
        return cls(turns=0, total=zero, runs=no_runs(expectation(zero, DIMENSION, LENGTH)))

    def to_bytes(self) -> bytes:
        """As it is kept."""
        runs = self.runs
        header = HEADER.pack(self.turns, len(runs.lengths), len(self.total), runs.log_shares.shape[1])
        parts = (
            self.total.astype("<f4"),
            runs.lengths.astype("<i8"),
            runs.sums.astype("<f4"),
            runs.log_shares.astype("<f8"),
            runs.log_paths.astype("<f8"),
        )
        return header + b"".join(part.tobytes() for part in parts)

    @classmethod
    def from_bytes(cls, kept: bytes) -> Self:
        """The inverse of to_bytes."""
        turns, count, dimension, grid = HEADER.unpack_from(kept)
        sizes = (4 * dimension, 8 * count, 4 * count * dimension, 8 * count * grid, 8 * count)
        ends = HEADER.size + np.cumsum([0, *sizes])
        total, lengths, sums, shares, paths = (kept[start:end] for start, end in pairwise(ends))
        return cls(
            turns=turns,
            total=np.frombuffer(total, "<f4").astype(np.float64),
            runs=Runs(
                lengths=np.frombuffer(lengths, "<i8").astype(np.int64),
                sums=np.frombuffer(sums, "<f4").reshape(count, dimension).astype(np.float64),
                log_shares=np.frombuffer(shares, "<f8").reshape(count, grid).astype(np.float64),
                log_paths=np.frombuffer(paths, "<f8").astype(np.float64),
            ),
        )

    def after(self, said: Doubles) -> "SegmentState":
        """The state after a turn in which `said` (k, d) were the unit vectors of what was said, k ≥ 1."""
        vector = _direction(said)
        expected = expectation(self.total / (self.turns + PRIOR_TURNS), DIMENSION, LENGTH)
        runs = observe(self.runs, vector, expected, KEPT)
        return SegmentState(
            turns=self.turns + 1,
            total=_single(self.total + vector),
            runs=replace(runs, sums=_single(runs.sums)),
        )

    def segment(self) -> Segment:
        """Where the conversation stands, after one turn or more."""
        return Segment(
            start=self.turns - likeliest_length(self.runs) + 1,
            turns=self.turns,
            change_probability=min(1.0, change_probability(self.runs)),
        )


def _direction(said: Doubles) -> Doubles:
    total = said.sum(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(total))
    direction: Doubles = total / length if length > 0.0 else said[0].astype(np.float64)
    return direction


def _single(values: Doubles) -> Doubles:
    return values.astype(np.float32).astype(np.float64)
