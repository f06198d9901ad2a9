"""Where the exported graph is kept, and when it has to be built again."""

from pathlib import Path

from soma.base.artifacts import MINILM_WEIGHTS, drafted, file_sha256
from soma.base.canonical import sha256_hex
from soma.brain.adapters.minilm.precision import Precision

# Raise it with every change to the network or its arithmetic: existing exports are then built again.
GRAPH_VERSION = 4


def graph_file(cache: Path, precision: Precision) -> Path:
    """The name of the export of the pinned weights under `cache`."""
    digest = sha256_hex(f"{MINILM_WEIGHTS.sha256} {GRAPH_VERSION}".encode())[:8]
    return cache / f"minilm-l6-v2-{precision}-{digest}.onnx"


def is_intact(path: Path, *, stamps: Path) -> bool:
    """Whether the export at `path` is whole and has the content that was sealed."""
    seal = _seal(path)
    return path.exists() and seal.exists() and seal.read_text() == file_sha256(path, stamps=stamps)


def seal(path: Path, *, stamps: Path) -> None:
    """Note the hash of the export at `path` beside it."""
    with drafted(_seal(path)) as draft:
        draft.write_text(file_sha256(path, stamps=stamps))


def _seal(path: Path) -> Path:
    return path.with_suffix(".sha256")
