"""`somagent memory`: what is remembered."""

import click

from soma.interfaces.cli.memory_commands.capsule import capsule
from soma.interfaces.cli.memory_commands.export import export
from soma.interfaces.cli.memory_commands.forget import forget
from soma.interfaces.cli.memory_commands.import_file import import_file
from soma.interfaces.cli.memory_commands.ingest import ingest
from soma.interfaces.cli.memory_commands.links import links
from soma.interfaces.cli.memory_commands.namespaces import namespaces
from soma.interfaces.cli.memory_commands.recall import recall
from soma.interfaces.cli.memory_commands.remember import remember


@click.group()
def memory() -> None:
    """What is remembered: tell, ask, move, forget.

    Memory is yours alone. A namespace keeps a part of it to itself; chats remember in "default".
    """


for command in (remember, recall, ingest, namespaces, links, export, import_file, forget, capsule):
    memory.add_command(command)
