"""The build step: from the published weights to an ONNX file that was checked before it got its name."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from soma.base.artifacts import drafted
from soma.brain.adapters.minilm.arithmetic import Float32
from soma.brain.adapters.minilm.encoder import Encoder
from soma.brain.adapters.minilm.network import minilm_model
from soma.brain.adapters.minilm.precision import Precision
from soma.brain.adapters.minilm.reference import REFERENCE
from soma.brain.errors import EmbedderUnavailable


def read_weights(path: Path) -> dict[str, Float32]:
    """The float32 arrays of a safetensors file, by the names they are published with."""
    return {name: array for name, array in load_file(path).items() if array.dtype == np.float32}


def export(weights: Mapping[str, Float32], path: Path, *, precision: Precision, tokenizer: Path) -> None:
    """Write the graph of `weights` to `path`, or nothing.

    The same weights give the same bytes. Raises EmbedderUnavailable when the graph does not reproduce
    the reference vectors.
    """
    with drafted(path) as draft:
        draft.write_bytes(minilm_model(weights, precision).SerializeToString(deterministic=True))
        _check(Encoder(graph=draft, tokenizer=tokenizer, threads=1), precision)


def _check(encoder: Encoder, precision: Precision) -> None:
    for text, components in REFERENCE.items():
        expected = np.array(components)
        found = encoder.encode([text])[0, : len(expected)].astype(np.float64)
        cosine = float(found @ expected / np.linalg.norm(found) / np.linalg.norm(expected))
        if not cosine >= precision.least_cosine:
            raise EmbedderUnavailable(
                f"the exported {precision} model is wrong: its vector of {text!r} has cosine {cosine:.5f}"
                f" to the reference; {precision.least_cosine} is required. The export was deleted"
            )
