"""`somagent trace`: every phase of a turn, readable."""

from typing import Any
from uuid import UUID

import click
import orjson

from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import id_of, local_owner, may
from soma.interfaces.cli.terminal import Spinner, notices, output
from soma.interfaces.cli.trace_report import report


@click.command()
@click.argument("turn")
@click.option("--json", "as_json", is_flag=True, help="Print the whole trace as one JSON object.")
@click.pass_obj
def trace(boot: Boot, turn: str, as_json: bool) -> None:
    """Show every phase of TURN with times, evidence, tools, and weights before and after."""
    found = run(lambda _: _trace(boot, id_of(turn, what="turn")))
    if as_json:
        click.echo(orjson.dumps(found))
    else:
        report(output(), found)


async def _trace(boot: Boot, turn_id: UUID) -> dict[str, Any]:
    with Spinner(notices()) as spinner:
        async with boot.start(spinner) as runtime:
            owner = await local_owner(runtime)
            await may(runtime, owner, "trace:read")
            return await runtime.agent.trace(owner, turn_id)
