"""`somagent token`: API keys."""

import click
import orjson

from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import local_owner
from soma.interfaces.cli.terminal import Spinner, notices


@click.group()
def token() -> None:
    """Keys for the API."""


@token.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_obj
def new(boot: Boot, as_json: bool) -> None:
    """Make a further API key for the owner and print it; it is not shown again."""
    key = run(lambda _: _new(boot))
    click.echo(orjson.dumps({"token": key}) if as_json else key)


async def _new(boot: Boot) -> str:
    with Spinner(notices()) as spinner:
        async with boot.start(spinner) as runtime:
            owner = await local_owner(runtime)
            return await runtime.database.run(runtime.identity.new_key, owner)
