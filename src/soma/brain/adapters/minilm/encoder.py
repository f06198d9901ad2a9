"""Texts to vectors: the tokenizer and an exported graph together."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

WIDTH = 384
# What the published model was trained to read; the rest of a longer text is not looked at.
MAX_TOKENS = 256
# Past this no ordinary text has any of its first 256 tokens, and tokenizing a megabyte takes half a second.
MAX_CHARACTERS = 32_768
# On one thread larger batches are no faster: their activations leave the processor's cache.
BATCH_TOKENS = 256


class Encoder:
    """A loaded graph. Safe to call from several threads."""

    def __init__(self, *, graph: Path, tokenizer: Path, threads: int) -> None:
        """Load both files. `threads` is the number of cores that one call may keep busy."""
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = _session(graph, threads)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of shape (len(texts), 384)."""
        ids = [self._ids(text) for text in texts]
        vectors = np.empty((len(ids), WIDTH), np.float32)
        for batch in _batches(ids):
            inputs = np.array([ids[index] for index in batch], np.int64)
            (vectors[batch],) = self._session.run(None, {"input_ids": inputs})
        return vectors

    def _ids(self, text: str) -> list[int]:
        # A lone surrogate cannot be encoded; the tokenizer drops the replacement character as well.
        clean = text[:MAX_CHARACTERS].encode("utf-8", "ignore").decode()
        return self._tokenizer.encode(clean).ids


def _session(graph: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def _batches(ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Indexes into `ids`, in batches of one length: nothing is padded, so nothing is computed for padding
    and no vector depends on what it is batched with."""
    by_length: dict[int, list[int]] = {}
    for index, row in enumerate(ids):
        by_length.setdefault(len(row), []).append(index)
    for length, indexes in by_length.items():
        size = max(1, BATCH_TOKENS // length)
        for start in range(0, len(indexes), size):
            yield indexes[start : start + size]
