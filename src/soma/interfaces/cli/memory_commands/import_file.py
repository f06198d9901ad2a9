"""`somagent memory import`: memory from a file."""

from dataclasses import asdict
from typing import BinaryIO

import click
import orjson

from soma.base.tenancy import Principal
from soma.brain.api import Imported
from soma.interfaces.cli.boot import Boot, Progress
from soma.interfaces.cli.memory_commands.asked import AS_JSON, NAMESPACE, WRITE, asked
from soma.interfaces.cli.memory_commands.pages import pages
from soma.interfaces.runtime import Runtime

PAGE = 100
"""Lines that are stored in one transaction."""


@click.command(name="import")
@click.argument("file", type=click.File("rb"))
@NAMESPACE
@AS_JSON
@click.pass_obj
def import_file(boot: Boot, file: BinaryIO, *, namespace: str, as_json: bool) -> None:
    """Read FILE, as `export` writes it, into a namespace; - reads standard input. The same again changes
    nothing."""

    def use(runtime: Runtime, owner: Principal, progress: Progress) -> Imported:
        importing = runtime.brain.importing(owner.tenant_id, owner.user_id, namespace, principal=owner)
        done, read = Imported(), 0
        for lines in pages(file, PAGE):
            done, read = importing.take(lines), read + len(lines)
            progress(f"Importing: {read:,} lines")
        return done

    done = asked(boot, WRITE, use)
    if as_json:
        click.echo(orjson.dumps(asdict(done)))
    else:
        click.echo(
            f"stored {done.stored}, updated {done.updated}, known already "
            f"{done.unchanged + done.duplicates}, links {done.links}"
        )
