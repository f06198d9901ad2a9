"""`somagent rollback`: an agent as an earlier turn left it."""

from typing import Any
from uuid import UUID

import click
import orjson

from soma.agent.api import RollbackTarget
from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import id_of, local_owner, may_write
from soma.interfaces.cli.terminal import Spinner, notices


@click.command()
@click.argument("turn")
@click.option("--json", "as_json", is_flag=True, help="Print the new checkpoint as one JSON object.")
@click.pass_obj
def rollback(boot: Boot, turn: str, as_json: bool) -> None:
    """Return the agent of TURN to where that turn left it.

    Weights, neuromodulators and learned rankings go back; the chain of checkpoints goes on, so that one can
    return from there as well.
    """
    made = run(lambda _: _roll_back(boot, id_of(turn, what="turn")))
    if as_json:
        click.echo(orjson.dumps(made))
    else:
        click.echo(
            f"{made['agent']} is back at checkpoint {made['returns_to']}, after step {made['step']}; "
            f"this is checkpoint {made['sequence']}"
        )


async def _roll_back(boot: Boot, turn_id: UUID) -> dict[str, Any]:
    with Spinner(notices()) as spinner:
        async with boot.start(spinner) as runtime:
            owner = await local_owner(runtime)
            await may_write(runtime, owner, "agent:rollback")
            return await runtime.agent.roll_back(owner, RollbackTarget(turn_id=turn_id))
