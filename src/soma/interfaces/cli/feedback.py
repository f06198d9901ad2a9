"""`somagent feedback`: what you think of a turn's answer."""

from typing import Any
from uuid import UUID

import click
import orjson

from soma.agent.api import Thumb, TurnFeedback
from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import id_of, local_owner, may_write
from soma.interfaces.cli.terminal import Spinner, notices


@click.command()
@click.argument("turn")
@click.option("--up", "thumb", flag_value=Thumb.UP.value, help="It was good.")
@click.option("--down", "thumb", flag_value=Thumb.DOWN.value, help="It was not.")
@click.option("--rating", type=click.IntRange(1, 5), help="How good it was, 5 being best.")
@click.option("--correct", "correction", metavar="TEXT", help="What would have been right; it is remembered.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as one JSON object.")
@click.pass_obj
def feedback(
    boot: Boot, turn: str, *, thumb: str | None, rating: int | None, correction: str | None, as_json: bool
) -> None:
    """Say what you think of the answer of TURN.

    The agent learns from it; what you say later takes the place of what you said before.
    """
    turn_id = id_of(turn, what="turn")
    said = TurnFeedback(thumb=None if thumb is None else Thumb(thumb), rating=rating, correction=correction)
    done = run(lambda _: _give(boot, turn_id, said))
    if as_json:
        click.echo(orjson.dumps(done))
    else:
        click.echo(_told(done))


async def _give(boot: Boot, turn_id: UUID, said: TurnFeedback) -> dict[str, Any]:
    with Spinner(notices()) as spinner:
        async with boot.start(spinner) as runtime:
            owner = await local_owner(runtime)
            await may_write(runtime, owner, "learning:write")
            return await runtime.agent.feedback(owner, turn_id, said)


def _told(done: dict[str, Any]) -> str:
    if done["repeated"]:
        return "That is what you said before; nothing has changed."
    learning = done["learning"]
    reward = "" if learning["reward"] is None else f", reward {learning['reward']:.3f}"
    moved = [
        name
        for name, applied in (("weights", "applied"), ("ranking", "ranking_applied"))
        if learning[applied]
    ]
    return f"Checkpoint {learning['checkpoint']}{reward}; moved: {', '.join(moved) or 'nothing'}"
