"""`somagent memory links`: what a memory is linked to."""

from dataclasses import asdict

import click
import orjson
from rich import box
from rich.table import Table

from soma.base.tenancy import Principal
from soma.brain.api import LinkPage
from soma.interfaces.cli.boot import Boot, Progress
from soma.interfaces.cli.memory_commands.asked import AS_JSON, READ, asked
from soma.interfaces.cli.talk import id_of
from soma.interfaces.cli.terminal import notices, output
from soma.interfaces.memory_place import namespace_of
from soma.interfaces.runtime import Runtime


@click.command()
@click.argument("record_id", metavar="ID")
@click.option("--hops", type=click.IntRange(0, 3), default=1, show_default=True, help="So many links away.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many."
)
@AS_JSON
@click.pass_obj
def links(boot: Boot, record_id: str, *, hops: int, limit: int, as_json: bool) -> None:
    """The links around the memory ID, nearest and then best first."""
    wanted = id_of(record_id, what="memory")

    def use(runtime: Runtime, owner: Principal, progress: Progress) -> LinkPage:
        progress("Following links")
        namespace = namespace_of(runtime.brain, owner, (wanted,))
        return runtime.brain.links.around(owner.tenant_id, namespace, wanted, k_hop=hops, limit=limit)

    page = asked(boot, READ, use)
    if page.cursor is not None:
        notices().print(f"These are the first {limit}; --limit shows more.")
    if as_json:
        click.echo(orjson.dumps([asdict(link) for link in page.links]))
    elif page.links:
        output().print(_table(page))
    else:
        output().print("It is linked to nothing.")


def _table(page: LinkPage) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in ("hop", "conductance", "flow"):
        table.add_column(header, justify="right")
    for header in ("kind", "from", "to"):
        table.add_column(header)
    for link in page.links:
        table.add_row(
            str(link.hop),
            f"{link.conductance:.3f}",
            f"{link.flow:.2f}",
            link.kind,
            str(link.source_id),
            str(link.target_id),
        )
    return table
