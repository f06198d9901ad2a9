"""`somagent`: the entry to the command line.

Nothing heavy is imported until a command needs it, so that `somagent --help` answers at once.
"""

import importlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from soma import __version__
from soma.base.configuration import Configuration
from soma.base.errors import InvalidInput, SomaError
from soma.interfaces.cli.exits import NotReady, exit_of, explained

if TYPE_CHECKING:
    from soma.interfaces.runtime import Runtime


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """Where a command is, what it does, and whether its module stands on Django."""

    module: str
    does: str
    django: bool = True


COMMANDS = {
    "up": Command(module="soma.interfaces.cli.up", does="Serve everything on this machine."),
    "ask": Command(module="soma.interfaces.cli.ask", does="Ask one question; no server needed."),
    "chat": Command(module="soma.interfaces.cli.chat", does="Talk in the terminal."),
    "trace": Command(module="soma.interfaces.cli.trace", does="Show every phase of a turn."),
    "replay": Command(
        module="soma.interfaces.cli.replay", does="Rebuild a turn from the log, or run it again."
    ),
    "feedback": Command(module="soma.interfaces.cli.feedback", does="Say what you think of an answer."),
    "rollback": Command(
        module="soma.interfaces.cli.rollback", does="Return an agent to where a turn left it."
    ),
    "learning": Command(module="soma.interfaces.cli.learning", does="What agents have learned."),
    "memory": Command(module="soma.interfaces.cli.memory", does="What is remembered."),
    "events": Command(module="soma.interfaces.cli.events", does="What has happened, and who heard of it."),
    "brain": Command(module="soma.interfaces.cli.brain", does="What a message would meet."),
    "doctor": Command(module="soma.interfaces.cli.doctor_command", does="Check this machine.", django=False),
    "models": Command(module="soma.interfaces.cli.models", does="The files of the local models."),
    "token": Command(module="soma.interfaces.cli.token", does="Keys for the API."),
    "relations": Command(
        module="soma.interfaces.cli.relations", does="Who is related to what, and what that permits."
    ),
    "audit": Command(module="soma.interfaces.cli.audit", does="Prove that the log is what was recorded."),
    "stack": Command(
        module="soma.project.stack.command", does="Every real server, without Docker.", django=False
    ),
}
"""The commands, by name, in the order of their use."""


class Installation:
    """This installation's parts, started on demand: a `soma.interfaces.cli.boot.Boot`."""

    @property
    def configuration(self) -> Configuration:
        """See Boot."""
        try:
            from soma.project.configuration import CONFIGURATION
        except InvalidInput as error:
            raise NotReady(error.detail) from error
        return CONFIGURATION

    @asynccontextmanager
    async def start(
        self, progress: Callable[[str], None], *, serve: bool = False, talks: bool = False
    ) -> "AsyncIterator[Runtime]":
        """See Boot."""
        configuration = self.configuration
        async with AsyncExitStack() as stack:
            try:
                from soma.project.bootstrap import open_runtime

                opened = open_runtime(configuration, progress, serve=serve, talks=talks)
                runtime = await stack.enter_async_context(opened)
            except SomaError:
                raise
            except Exception as error:
                raise NotReady(_not_started(error)) from error
            yield runtime

    def application(self) -> Callable[[Any, Any, Any], Awaitable[None]]:
        """See Boot."""
        from soma.project.asgi import application

        return application

    def build_models(self, progress: Callable[[str], None]) -> list[str]:
        """See Boot."""
        from soma.project.models import build_models

        return build_models(self.configuration, progress)


class Program(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command `cmd_name`, imported now."""
        known = COMMANDS.get(cmd_name)
        if known is None:
            return None
        if known.django:
            _set_up_django()
        command: click.Command = getattr(importlib.import_module(known.module), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for --help, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.does) for name, command in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an anticipated failure becomes one line and an exit code."""
        try:
            return super().invoke(ctx)
        except SomaError as error:
            if ctx.params["debug"]:
                raise
            click.echo(f"somagent: {explained(error)}", err=True)
            ctx.exit(exit_of(error))


def main() -> None:
    """The console script."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soma.project.settings")
    program = Program(
        name="somagent",
        help="Governed agents that learn.",
        params=[click.Option(["--debug"], is_flag=True, help="Show where a failure comes from.")],
        context_settings={"max_content_width": 100},
    )
    program = click.version_option(__version__, prog_name="somagent")(program)
    program(obj=Installation())


def _set_up_django() -> None:
    import django

    try:
        django.setup()
    except InvalidInput as error:
        raise NotReady(error.detail) from error
    except OSError as error:
        raise NotReady(_not_started(error)) from error


def _not_started(error: Exception) -> str:
    return f"{type(error).__name__}: {error}. `somagent doctor` says what is missing."


if __name__ == "__main__":
    main()
