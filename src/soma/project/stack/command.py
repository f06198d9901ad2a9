"""`somagent stack`: the servers that the system is meant for, on this machine, without Docker."""

import json
import os
import signal
from collections.abc import Iterable
from dataclasses import asdict
from types import FrameType
from typing import NoReturn

import click

from soma.base.configuration import Configuration
from soma.interfaces.cli.exits import Exit
from soma.interfaces.cli.terminal import notices, output
from soma.project.stack.kafka import TOOLS, java_command
from soma.project.stack.process import inherited
from soma.project.stack.report import Report
from soma.project.stack.servers import KINDS
from soma.project.stack.stack import Stack
from soma.project.stack.table import table


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str]:
    if value is None:
        return list(KINDS)
    names = [name.strip() for name in value.split(",") if name.strip()]
    unknown = [name for name in names if name not in KINDS]
    if unknown or not names:
        raise click.BadParameter(f"no server {', '.join(unknown)!r}; there are {', '.join(KINDS)}")
    return names


only = click.option(
    "--only", "names", callback=_names, metavar="NAME,…", help=f"These of {', '.join(KINDS)}."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON list and nothing else.")


@click.group()
def stack() -> None:
    """Every server that the system is meant for, as processes that listen on 127.0.0.1 only.

    They outlive this command. Data, logs and stack.json, which says where each is, are in
    SOMAGENT_HOME/stack.
    One whose address is set in the environment (SOMAGENT_KAFKA_SERVERS and so on) is used there instead.
    """


@stack.command()
@only
@as_json
def up(names: list[str], as_json: bool) -> None:
    """Start the servers and wait until they answer; what runs already is left alone."""
    # Both, since a script's background job ignores SIGINT, and so would the servers that stop by it.
    for polite in (signal.SIGINT, signal.SIGTERM):
        signal.signal(polite, _interrupt)
    reports = _shown(_stack().up(names, _step), as_json)
    if all(report.serves for report in reports) and not as_json:
        _next_commands()
    _exit(all(report.serves for report in reports), Exit.NOT_READY)


@stack.command()
@only
@as_json
def down(names: list[str], as_json: bool) -> None:
    """Stop the servers that `up` started; their data stays."""
    reports = _shown(_stack().down(names, _step), as_json)
    _exit(not any(report.reason for report in reports), Exit.FAILED)


@stack.command()
@only
@as_json
def status(names: list[str], as_json: bool) -> None:
    """Ask every server how it is. Fails when one that was started does not answer."""
    reports = _shown(_stack().status(names), as_json)
    _exit(not any(report.reason for report in reports), Exit.FAILED)


@stack.command()
@only
@as_json
def fetch(names: list[str], as_json: bool) -> None:
    """Build or fetch the servers' programs into the cache, and start none."""
    reports = _shown(_stack().fetch(names, _step), as_json)
    _exit(not any(report.reason for report in reports), Exit.NOT_READY)


@stack.command(context_settings={"allow_interspersed_args": False})
@click.argument("tool", type=click.Choice(list(TOOLS)))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def kafka(tool: str, arguments: tuple[str, ...]) -> None:
    """Run one of Kafka's own tools on the stack's Kafka, as in

    somagent stack kafka console-consumer --topic chat.events --from-beginning
    """
    member = _stack().member("kafka")
    jars = member.server.kind.program(_step).path
    command = [
        *java_command(jars, heap="256m"), TOOLS[tool], "--bootstrap-server", member.address, *arguments,
    ]  # fmt: skip
    os.execve(command[0], command, inherited())  # noqa: S606 - a list of words


def _stack() -> Stack:
    """The stack of what the environment itself says. `developer-full` would add the very addresses of this
    stack, and its servers would look like somebody else's."""
    return Stack(Configuration.from_environment(os.environ))


def _shown(reports: Iterable[Report], as_json: bool) -> list[Report]:
    found: list[Report] = []
    try:
        for report in reports:
            found.append(report)
            if report.reason:
                notices().print(f"{report.name}: {report.reason}", style="red")
    except KeyboardInterrupt:
        notices().print("Interrupted. What is up stays up; `somagent stack down` stops it.", style="dim")
        raise SystemExit(Exit.INTERRUPTED) from None
    if as_json:
        click.echo(json.dumps([{**asdict(report), "serves": report.serves} for report in found], indent=2))
    else:
        output().print(table(found))
    return found


def _next_commands() -> None:
    output().print("\nServe on these servers, and stop them when you are done:")
    output().print("  SOMAGENT_DEPLOYMENT_MODE=developer-full make run", style="bold")
    output().print("  somagent stack down", style="bold")


def _step(text: str) -> None:
    notices().print(f"• {text}", style="dim")


def _exit(good: bool, otherwise: Exit) -> None:
    raise SystemExit(Exit.OK if good else otherwise)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """End like Ctrl-C: what is half-started is ended first."""
    raise KeyboardInterrupt
