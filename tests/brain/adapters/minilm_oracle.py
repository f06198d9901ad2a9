"""all-MiniLM-L6-v2 as a plain forward pass in float64: one text at a time, nothing fused, nothing shared
with the code under test but the published files."""

from collections.abc import Sequence
from math import erf, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

Float64 = NDArray[np.float64]

HEADS = 12
LAYERS = 6
LONGEST = 256


class MiniLmOracle:
    """The reference: slow, and easy to compare with the paper."""

    def __init__(self, *, weights: Path, tokenizer: Path) -> None:
        self._weights = {name: array.astype(np.float64) for name, array in load_file(weights).items()}
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)

    def embed(self, text: str) -> Float64:
        """The unit vector of `text`, shape (384,)."""
        x = self._embeddings(self._tokenizer.encode(text).ids)
        for layer in range(LAYERS):
            x = self._layer(x, f"encoder.layer.{layer}")
        mean = x.mean(axis=0)
        unit: Float64 = mean / np.sqrt((mean**2).sum())
        return unit

    def _embeddings(self, ids: Sequence[int]) -> Float64:
        words = self._weights["embeddings.word_embeddings.weight"][list(ids)]
        positions = self._weights["embeddings.position_embeddings.weight"][: len(ids)]
        segment = self._weights["embeddings.token_type_embeddings.weight"][0]
        return self._normalise(words + positions + segment, "embeddings.LayerNorm")

    def _layer(self, x: Float64, name: str) -> Float64:
        attended = self._linear(
            self._attention(x, f"{name}.attention.self"), f"{name}.attention.output.dense"
        )
        x = self._normalise(x + attended, f"{name}.attention.output.LayerNorm")
        inner = gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._normalise(x + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _attention(self, x: Float64, name: str) -> Float64:
        heads = []
        queries, keys, values = (
            np.split(self._linear(x, f"{name}.{part}"), HEADS, axis=1) for part in ("query", "key", "value")
        )
        for query, key, value in zip(queries, keys, values, strict=True):
            heads.append(softmax(query @ key.T / sqrt(key.shape[1])) @ value)
        return np.concatenate(heads, axis=1)

    def _linear(self, x: Float64, name: str) -> Float64:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normalise(self, x: Float64, name: str) -> Float64:
        centred = x - x.mean(axis=1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        scaled: Float64 = centred / deviation * self._weights[f"{name}.weight"]
        return scaled + self._weights[f"{name}.bias"]


def softmax(x: Float64) -> Float64:
    """Rows of weights that sum to 1."""
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    rows: Float64 = powers / powers.sum(axis=1, keepdims=True)
    return rows


def gelu(x: Float64) -> Float64:
    """x·Φ(x), with the error function itself and not its tanh approximation."""
    halves = np.array([0.5 * (1 + erf(value / sqrt(2))) for value in x.flat])
    values: Float64 = x * halves.reshape(x.shape)
    return values
