"""Asking this installation's memory for its owner."""

from collections.abc import Callable
from typing import Any

import click

from soma.brain.api import DEFAULT
from soma.interfaces.cli.asked import AS_JSON, asked

__all__ = ("AS_JSON", "NAMESPACE", "READ", "WRITE", "Command", "asked")

Command = Callable[..., Any]
READ, WRITE = "memory:read", "memory:write"

NAMESPACE = click.option(
    "--namespace", default=DEFAULT, show_default=True, metavar="NAME", help="In this namespace of yours."
)
