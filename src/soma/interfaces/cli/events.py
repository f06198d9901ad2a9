"""`somagent events`: what has happened, and who heard of it."""

import click

from soma.interfaces.cli.events_commands.dlq import dlq
from soma.interfaces.cli.events_commands.schema import schema
from soma.interfaces.cli.events_commands.status import status
from soma.interfaces.cli.events_commands.tail import tail


@click.group()
def events() -> None:
    """What has happened, and who heard of it.

    Every fact is an event in an append-only log; consumers take it from there. What one of them cannot handle
    is a dead letter after five attempts.
    """


for command in (tail, status, dlq, schema):
    events.add_command(command)
