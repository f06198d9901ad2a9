"""`somagent learning`: what agents have learned."""

from typing import Any

import click
import orjson

from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.learning_report import report
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import local_owner, may
from soma.interfaces.cli.terminal import Spinner, notices, output

DRAWN = 200
"""Checkpoints that are looked at; more would not be told apart."""


@click.group()
def learning() -> None:
    """What agents have learned."""


@learning.command()
@click.argument("agent")
@click.option(
    "--limit", type=click.IntRange(1, 500), default=DRAWN, show_default=True, help="So many checkpoints."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as one JSON object.")
@click.pass_obj
def show(boot: Boot, agent: str, limit: int, as_json: bool) -> None:
    """Draw the weights and neuromodulators of AGENT (name or id) over its turns."""
    found = run(lambda _: _learning(boot, agent, limit))
    if as_json:
        click.echo(orjson.dumps(found))
    else:
        report(output(), found)


async def _learning(boot: Boot, agent: str, limit: int) -> dict[str, Any]:
    with Spinner(notices()) as spinner:
        async with boot.start(spinner) as runtime:
            owner = await local_owner(runtime)
            await may(runtime, owner, "learning:read")
            return await runtime.agent.learning(owner, agent, checkpoints=limit)
