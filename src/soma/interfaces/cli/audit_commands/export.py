"""`somagent audit export`: the log as a file that proves itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from soma.base.tenancy import Principal
from soma.interfaces.cli.audit_commands.asked import EXPORT, asked
from soma.interfaces.cli.boot import Boot, Progress
from soma.interfaces.runtime import Runtime

SHOWN_EVERY = 1000


@click.command()
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    default=Path("-"),
    help="Write to this file instead of standard output.",
)
@click.pass_obj
def export(boot: Boot, *, path: Path) -> None:
    """Write every event, link and checkpoint as JSON Lines, up to a checkpoint that is signed now."""

    def use(runtime: Runtime, owner: Principal, progress: Progress) -> int:
        lines = runtime.audit.export(owner.tenant_id)
        with click.open_file(str(path), "wb", atomic=True) as file:
            return _write(file, lines, progress)

    written = asked(boot, EXPORT, use)
    if str(path) != "-":
        click.echo(f"{written:,} lines in {path}", err=True)


def _write(file: IO[bytes], lines: Iterator[bytes], progress: Progress) -> int:
    written = 0
    for written, line in enumerate(lines, 1):
        file.write(line)
        if written % SHOWN_EVERY == 0:
            progress(f"Exporting: {written:,} lines")
    file.flush()
    return written
