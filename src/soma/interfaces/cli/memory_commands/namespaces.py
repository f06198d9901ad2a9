"""`somagent memory namespaces`: what there is."""

from dataclasses import asdict

import click
import orjson
from rich import box
from rich.table import Table

from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.memory_commands.asked import AS_JSON, READ, asked
from soma.interfaces.cli.terminal import output


@click.command()
@AS_JSON
@click.pass_obj
def namespaces(boot: Boot, *, as_json: bool) -> None:
    """List your namespaces, with how much each holds."""
    sizes = asked(
        boot, READ, lambda runtime, owner, _: runtime.brain.namespaces(owner.tenant_id, owner.user_id)
    )
    if as_json:
        click.echo(orjson.dumps([asdict(size) for size in sizes]))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("namespace")
    table.add_column("memories", justify="right")
    table.add_column("latest")
    for size in sizes:
        table.add_row(size.name, f"{size.memories:,}", f"{size.latest:%Y-%m-%d %H:%M}")
    output().print(table)
