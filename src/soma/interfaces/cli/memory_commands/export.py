"""`somagent memory export`: memory as a file."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from soma.base.tenancy import Principal
from soma.interfaces.cli.boot import Boot, Progress
from soma.interfaces.cli.memory_commands.asked import NAMESPACE, READ, asked
from soma.interfaces.runtime import Runtime

SHOWN_EVERY = 500


@click.command()
@NAMESPACE
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output.",
)
@click.option("--vectors", is_flag=True, help="With their vectors, to be imported without computing them.")
@click.pass_obj
def export(boot: Boot, *, namespace: str, path: Path | None, vectors: bool) -> None:
    """Write a namespace as JSON Lines: its memories with their provenance, and the links between them."""

    def use(runtime: Runtime, owner: Principal, progress: Progress) -> int:
        lines = runtime.brain.export(owner.tenant_id, owner.user_id, namespace, vectors=vectors)
        if path is None:
            return _write(sys.stdout.buffer, lines, progress)
        # Beside it first, so that a file that stands is whole.
        partial = path.with_name(f"{path.name}.partial")
        with partial.open("wb") as file:
            written = _write(file, lines, progress)
        partial.replace(path)
        return written

    written = asked(boot, READ, use)
    if path is not None:
        click.echo(f"{written:,} lines in {path}", err=True)


def _write(file: BinaryIO, lines: Iterator[bytes], progress: Progress) -> int:
    written = 0
    for written, line in enumerate(lines, 1):
        file.write(line)
        if written % SHOWN_EVERY == 0:
            progress(f"Exporting: {written:,} lines")
    file.flush()
    return written
