"""`somagent audit`: whether the log is what was recorded."""

import click

from soma.interfaces.cli.audit_commands.checkpoint import checkpoint
from soma.interfaces.cli.audit_commands.export import export
from soma.interfaces.cli.audit_commands.key import key
from soma.interfaces.cli.audit_commands.verifier import verifier
from soma.interfaces.cli.audit_commands.verify import verify


@click.group()
def audit() -> None:
    """Prove that the log is what was recorded.

    Each event is linked to all before it, and the links are signed. A checkpoint or an export that is kept
    elsewhere proves it against whoever owns this machine.
    """


for command in (verify, checkpoint, export, key, verifier):
    audit.add_command(command)
