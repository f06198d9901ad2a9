"""`somagent models`: the files of the local models."""

import click

from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.terminal import Spinner, notices


@click.group()
def models() -> None:
    """The local models."""


@models.command()
@click.pass_obj
def build(boot: Boot) -> None:
    """Check the models' files against their pinned sums and make what is derived from them."""
    with Spinner(notices()) as spinner:
        lines = boot.build_models(spinner)
    for line in lines:
        click.echo(line)
