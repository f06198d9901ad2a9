"""What this machine lacks to run everything, and for each lack the one command that mends it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from soma.base.artifacts import ARTIFACTS, SMOLLM2, locate
from soma.interfaces.cli.machine import (
    Check,
    disk_space,
    home_writable,
    memory,
    model_file,
    model_loads,
    native_library,
    port_free,
    postgres,
    python_version,
)

NATIVE_LIBRARIES = {
    "llama.cpp": "xllamacpp",
    "onnx runtime": "onnxruntime",
    "rego": "regopy",
    "postgres client": "psycopg",
}


def run(home: Path, port: int, as_json: bool, *, deep: bool = False, local_model: Path | None = None) -> int:
    """Check the machine, print what was found, and return the exit code: 1 when something is missing."""
    found = checks(home, port, deep=deep, local_model=local_model)
    click.echo(
        json.dumps([asdict(check) for check in found], indent=2) if as_json else "\n".join(report(found))
    )
    return 0 if all(check.ok for check in found) else 1


def checks(home: Path, port: int, *, deep: bool = False, local_model: Path | None = None) -> list[Check]:
    """Every check, for data under `home` and a server on `port`. `deep` has llama.cpp load `local_model`,
    or the one that is installed."""
    return [
        python_version(),
        home_writable(home),
        disk_space(home),
        memory(),
        *(native_library(name, module) for name, module in NATIVE_LIBRARIES.items()),
        postgres(),
        *(model_file(artifact) for artifact in ARTIFACTS),
        *(_loaded(local_model) if deep else ()),
        port_free(port),
    ]


def _loaded(local_model: Path | None) -> Iterator[Check]:
    """Nothing where the file is missing: its own check says so."""
    if local_model is not None:
        yield model_loads(local_model)
    elif model_file(SMOLLM2).ok:
        yield model_loads(locate(SMOLLM2))


def report(found: Sequence[Check]) -> Iterator[str]:
    """The findings in lines for people."""
    width = max(len(check.name) for check in found)
    for check in found:
        yield f"{'ok' if check.ok else 'missing':<8}{check.name:<{width}}  {check.detail}"
        if not check.ok:
            yield f"{'':<8}{'':<{width}}  mend it: {check.mend}"
