"""torch-hd, the library of the field, on one thread: its HRR, and its FHRR, whose complex phases need no
transform either."""

from typing import Any

import torch
import torchhd
from torchhd.tensors.hrr import HRRTensor

torch.set_num_threads(1)


class TorchHd:
    """One of its algebras, as the library offers it."""

    def __init__(self, algebra: str) -> None:
        self.name = f"torch-hd {algebra}"
        self._algebra = algebra

    def vectors(self, count: int, dimension: int, seed: int) -> Any:
        generator = torch.Generator().manual_seed(seed)
        return torchhd.random(count, dimension, vsa=self._algebra, generator=generator)

    def bind(self, one: Any, other: Any) -> Any:
        return torchhd.bind(one, other)

    def unbind(self, trace: Any, key: Any) -> Any:
        return torchhd.bind(trace, torchhd.inverse(key))

    def bundle(self, vectors: Any) -> Any:
        return torchhd.multiset(vectors)

    def permute(self, vector: Any, shift: int) -> Any:
        return torchhd.permute(vector, shifts=shift)

    def cosine(self, one: Any, other: Any) -> float:
        return float(torchhd.cosine_similarity(one, other))

    def memory(self, vectors: Any) -> Any:
        return vectors

    def nearest(self, queries: Any, memory: Any) -> list[int]:
        # torchhd.cleanup would compute the norms of all that is stored at each call.
        found: list[int] = torchhd.dot_similarity(queries, memory).argmax(dim=-1).tolist()
        return found


def as_torch(vectors: Any) -> Any:
    """A numpy array of real vectors (n, D) as torch-hd's, without a copy."""
    return torch.from_numpy(vectors).as_subclass(HRRTensor)
