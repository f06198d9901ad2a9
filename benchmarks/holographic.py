"""What holographic memories have to do in the benchmark, and two of them: ours, and plain numpy."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from soma.brain.kernels.hrr.atoms import atoms
from soma.brain.kernels.hrr.binding import bind, bundle, permute, unbind
from soma.brain.kernels.hrr.cancellation import read
from soma.brain.kernels.hrr.cleanup import cleanup
from soma.brain.kernels.hrr.signs import pack_signs
from soma.brain.kernels.hrr.spectrum import Spectra, to_time

Vectors = Any
"""Vectors as a system holds them: (n, …), with + and with multiplication by a number."""

AT_ONCE = 1024
"""Vectors that are turned into the time domain at once: their double-precision form is large."""


class Holographic(Protocol):
    """A system under measurement. `vectors` are unrelated ones of its own making."""

    name: str

    def vectors(self, count: int, dimension: int, seed: int) -> Vectors: ...
    def bind(self, one: Vectors, other: Vectors) -> Vectors: ...
    def unbind(self, trace: Vectors, key: Vectors) -> Vectors: ...
    def bundle(self, vectors: Vectors) -> Vectors: ...
    def permute(self, vector: Vectors, shift: int) -> Vectors: ...
    def cosine(self, one: Vectors, other: Vectors) -> float: ...
    def memory(self, vectors: Vectors) -> Any: ...
    def nearest(self, queries: Vectors, memory: Any) -> list[int]: ...


class Soma:
    """Ours: half spectra that stay in the frequency domain, cleanup by signs."""

    name = "somastack"

    def vectors(self, count: int, dimension: int, seed: int) -> Spectra:
        return atoms("benchmark", [str(number) for number in range(count)], seed, dimension)

    def bind(self, one: Spectra, other: Spectra) -> Spectra:
        return bind(one, other)

    def unbind(self, trace: Spectra, key: Spectra) -> Spectra:
        return unbind(trace, key)

    def bundle(self, vectors: Spectra) -> Spectra:
        return bundle(vectors)

    def permute(self, vector: Spectra, shift: int) -> Spectra:
        return permute(vector, shift)

    def cosine(self, one: Spectra, other: Spectra) -> float:
        return cosine(to_time(one), to_time(other))

    def memory(self, vectors: Spectra) -> tuple[Spectra, NDArray[np.uint64]]:
        return vectors, pack_signs(vectors)

    def nearest(self, queries: Spectra, memory: tuple[Spectra, NDArray[np.uint64]]) -> list[int]:
        return [cleanup(query, *memory).index for query in queries]


class SomaTogether(Soma):
    """Ours, reading all pairs of a trace together."""

    name = "somastack, read together"

    def read(self, trace: Spectra, keys: Spectra, memory: tuple[Spectra, NDArray[np.uint64]]) -> list[int]:
        found: list[int] = read(trace, keys, memory[0]).indices.tolist()
        return found


class Plain:
    """The textbook in numpy: Gaussian vectors in the time domain, three Fourier transforms a binding."""

    name = "numpy"

    def vectors(self, count: int, dimension: int, seed: int) -> Vectors:
        random = np.random.default_rng(seed)
        return random.standard_normal((count, dimension), np.float32) / np.float32(np.sqrt(dimension))

    def bind(self, one: Vectors, other: Vectors) -> Vectors:
        return np.fft.irfft(np.fft.rfft(one) * np.fft.rfft(other), one.shape[-1])

    def unbind(self, trace: Vectors, key: Vectors) -> Vectors:
        return np.fft.irfft(np.fft.rfft(trace) * np.fft.rfft(key).conj(), trace.shape[-1])

    def bundle(self, vectors: Vectors) -> Vectors:
        return vectors.sum(axis=0)

    def permute(self, vector: Vectors, shift: int) -> Vectors:
        return np.roll(vector, shift, axis=-1)

    def cosine(self, one: Vectors, other: Vectors) -> float:
        return cosine(one, other)

    def memory(self, vectors: Vectors) -> Vectors:
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

    def nearest(self, queries: Vectors, memory: Vectors) -> list[int]:
        found: list[int] = (queries @ memory.T).argmax(axis=-1).tolist()
        return found


def cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Of two vectors in the time domain."""
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def in_time(spectra: Spectra) -> NDArray[np.float32]:
    """The vectors (n, D) of many spectra (n, D/2 + 1)."""
    vectors = np.empty((len(spectra), 2 * (spectra.shape[1] - 1)), np.float32)
    for start in range(0, len(spectra), AT_ONCE):
        vectors[start : start + AT_ONCE] = to_time(spectra[start : start + AT_ONCE])
    return vectors
