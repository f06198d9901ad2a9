"""What feedback has taught of the weights of signals."""

import struct
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from soma.brain.domain.signal_weights import SIGNALS, SignalWeights

Floats = NDArray[np.float64]

SIZE = len(SIGNALS)
TRIANGLE = np.triu_indices(SIZE)
PRIOR = 2.0 * np.eye(SIZE)
"""How sure the start is, in questions: the shipped weights count for about as much as two of them. Less
learns faster and errs more at first; 1 to 5 differ little on conversations."""

LOWEST = np.array([0.1 if name in ("dense", "lexical") else -2.0 for name in SIGNALS])
HIGHEST = np.full(SIZE, 3.0)
"""Meaning and words never stop to count, and nothing counts without bound."""

_HEADER = struct.Struct(">H")


@dataclass(frozen=True, kw_only=True, slots=True)
class Belief:
    """A Gaussian over weights in the order of SIGNALS: its `mean`, within LOWEST and HIGHEST, and the upper
    triangle of its `precision`, row by row."""

    mean: tuple[float, ...] = tuple(SignalWeights().to_dict().values())
    precision: tuple[float, ...] = tuple(PRIOR[TRIANGLE].tolist())

    @classmethod
    def of(cls, mean: Floats, precision: Floats) -> Self:
        """The belief with this mean (k,) and precision (k, k)."""
        return cls(mean=tuple(mean.tolist()), precision=tuple(precision[TRIANGLE].tolist()))

    @classmethod
    def around(cls, mean: tuple[float, ...]) -> Self:
        """As sure of `mean` as one is at the start."""
        return cls(mean=mean)

    @property
    def weights(self) -> Floats:
        """The mean, (k,)."""
        return np.array(self.mean)

    @property
    def certainty(self) -> Floats:
        """The precision, (k, k), symmetric."""
        full = np.zeros((SIZE, SIZE))
        full[TRIANGLE] = self.precision
        return full + np.triu(full, 1).T

    def to_bytes(self) -> bytes:
        """How many signals there are, and the numbers as big-endian IEEE 754 doubles: exact to the bit."""
        return _HEADER.pack(SIZE) + np.array([*self.mean, *self.precision], ">f8").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The belief whose `to_bytes` this is, or was when there were fewer signals: of those that have come
        since it knows what one knows at the start. Raises ValueError for anything else."""
        (size,) = _HEADER.unpack_from(data)
        numbers = np.frombuffer(data, ">f8", offset=_HEADER.size).astype(np.float64)
        if size > SIZE or len(numbers) != size + size * (size + 1) // 2:
            raise ValueError(f"This is no belief about {SIZE} signals or fewer")
        mean, precision = Belief().weights, PRIOR.copy()
        mean[:size] = numbers[:size]
        upper = np.zeros((size, size))
        upper[np.triu_indices(size)] = numbers[size:]
        precision[:size, :size] = upper + np.triu(upper, 1).T
        return cls.of(mean, precision)
