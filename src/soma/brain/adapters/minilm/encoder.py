"""Texts to vectors: the tokenizer and an exported graph together."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from soma.brain.adapters.minilm.saturation import LARGEST_SUM
from soma.brain.adapters.minilm.width import WIDTH
from soma.brain.adapters.minilm.window import Span, Window, windows

# What the published model was trained to read; the rest of a longer text is not looked at.
MAX_TOKENS = 256
# Past this no ordinary text has any of its first 256 tokens, and tokenizing a megabyte takes half a second.
MAX_CHARACTERS = 32_768
# Each run takes as long as 42 tokens besides, for its weights come from far. Larger ones are hardly faster:
# what they compute leaves the processor's cache.
BATCH_TOKENS = 256
# Of the meaning of the whole text so much is taken out of each part's: what all parts have in common tells
# none from another. On 541 paragraphs of packages' documentation the cosine to the vector of the sentence by
# itself is .766 without, .778 from .3 to .4, .772 with .5.
CONTEXT = np.float32(0.35)
SURROGATE = re.compile("[\ud800-\udfff]")

Float32 = NDArray[np.float32]


class Encoder:
    """A loaded graph. Safe to call from several threads."""

    def __init__(self, *, graph: Path, tokenizer: Path, threads: int) -> None:
        """Load both files. `threads` is the number of cores that one call may keep busy."""
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = session_of(graph)
        self._pooled, self._states, _ = [output.name for output in self._session.get_outputs()]
        self._pool = ThreadPoolExecutor(threads, "soma-embedder") if threads > 1 else None

    def encode(self, texts: Sequence[str]) -> Float32:
        """Unit vectors of shape (len(texts), 384)."""
        return self.encode_parts(texts, [()] * len(texts))[0]

    def encode_parts(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Float32, Float32]:
        """Unit vectors of `texts` (n, 384), and of the parts that `spans` name of each, in order (m, 384).

        A part's vector is the mean of its tokens' states: it is read in the light of the text around it, and
        costs next to nothing (Günther et al., "Late Chunking", 2024).
        """
        read = [
            list(windows(self._tokens, MAX_TOKENS, text, each))
            for text, each in zip(texts, spans, strict=True)
        ]
        flat = [window for each in read for window in each]
        wholes = np.empty((len(flat), WIDTH), np.float32)
        parts = [np.empty((0, WIDTH), np.float32)] * len(flat)

        batches = list(_batches([window.ids for window in flat]))
        inputs = [[flat[index] for index in batch] for batch in batches]
        spread = map if self._pool is None or len(batches) == 1 else self._pool.map
        for batch, (vectors, own) in zip(batches, spread(self._run, inputs), strict=True):
            wholes[batch] = vectors
            for index, each in zip(batch, own, strict=True):
                parts[index] = each
        firsts = np.cumsum([0, *(len(each) for each in read[:-1])], dtype=np.intp)[: len(read)]
        return wholes[firsts], np.concatenate([np.empty((0, WIDTH), np.float32), *parts])

    def _run(self, batch: Sequence[Window]) -> tuple[Float32, list[Float32]]:
        inputs = {"input_ids": np.array([window.ids for window in batch], np.int64)}
        if not any(window.parts for window in batch):
            (wholes,) = self._session.run([self._pooled], inputs)
            return wholes, [np.empty((0, WIDTH), np.float32)] * len(batch)
        wholes, states = self._session.run([self._pooled, self._states], inputs)
        return wholes, [_parts(*each) for each in zip(wholes, states, batch, strict=True)]

    def _tokens(self, text: str) -> Encoding:
        # A lone surrogate cannot be encoded; the tokenizer drops the character that stands for it.
        return self._tokenizer.encode(SURROGATE.sub("\ufffd", text[:MAX_CHARACTERS]))


def session_of(graph: Path) -> onnxruntime.InferenceSession:
    """The graph, loaded so that this machine computes it without saturating."""
    session = _session(graph, wide=False)
    largest = session.get_outputs()[-1].name
    [[[found, *_], *_]] = session.run([largest], {"input_ids": np.zeros((1, 1), np.int64)})
    return session if found == LARGEST_SUM else _session(graph, wide=True)


def _session(graph: Path, *, wide: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Batches on several threads scale, and one batch over several does not.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Operators that add products in 32 bits where others would in 16: they take three times as long.
    options.add_session_config_entry("session.x64quantprecision", str(int(wide)))
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


def _parts(whole: Float32, states: Float32, window: Window) -> Float32:
    """The unit vectors of a window's m parts, (m, 384)."""
    sums = [states[start:end].sum(axis=0) for start, end in window.parts]
    means = _unit(np.array(sums, np.float32).reshape(-1, WIDTH))
    return _unit(means - CONTEXT * whole)


def _unit(vectors: Float32) -> Float32:
    unit: Float32 = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
