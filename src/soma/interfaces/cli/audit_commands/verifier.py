"""`somagent audit verifier`: a program for whoever is to verify an export."""

import click

from soma.events.api import verifier_source


@click.command()
def verifier() -> None:
    """Print a Python program that verifies an export. It needs nothing of SomaStack, nor any library."""
    click.echo(verifier_source(), nl=False)
