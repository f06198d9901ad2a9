"""`somagent audit checkpoint`: sign the log as it stands."""

from pathlib import Path

import click
import orjson

from soma.interfaces.cli.audit_commands.asked import SIGN, asked
from soma.interfaces.cli.boot import Boot


@click.command()
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else, as it always does.")
@click.pass_obj
def checkpoint(boot: Boot, *, path: Path | None, as_json: bool) -> None:
    """Sign the log as it stands and print the checkpoint: keep it elsewhere."""
    made = asked(boot, SIGN, lambda runtime, owner, _: runtime.audit.checkpoint(owner.tenant_id))
    text = orjson.dumps(made.as_json()) + b"\n"
    if path is None:
        click.echo(text, nl=False)
    else:
        path.write_bytes(text)
        click.echo(f"checkpoint {made.number} of {made.sequence:,} events in {path}", err=True)
