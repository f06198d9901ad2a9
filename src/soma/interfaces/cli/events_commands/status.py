"""`somagent events status`: what waits, how far each consumer is, what was given up."""

from datetime import datetime

import click
from rich import box
from rich.table import Table

from soma.base.clock import now
from soma.events.api import BackboneStatus, ConsumerReport, backbone_status
from soma.interfaces.cli.asked import AS_JSON, asked
from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.events_commands.dlq import READ
from soma.interfaces.cli.terminal import notices, output, printable
from soma.interfaces.http.documents.events import Status


@click.command()
@AS_JSON
@click.pass_obj
def status(boot: Boot, *, as_json: bool) -> None:
    """What waits in the outbox, how far behind each consumer is, and what was given up.

    A consumer is silent when nothing was heard of it for half a minute: its process is gone, or it is at one
    event for as long.
    """
    found = asked(boot, READ, lambda runtime, owner, progress: backbone_status(runtime.consumers))
    if as_json:
        click.echo(Status.model_validate(found).model_dump_json())
    else:
        _print(found)


def _print(found: BackboneStatus) -> None:
    if found.log_fault:
        notices().print(f"The log cannot be asked: {printable(found.log_fault)}")
    output().print(f"outbox: {_waiting(found.outbox.waiting, found.outbox.oldest)}")
    for count in found.dead_letters:
        output().print(f"given up by {count.source}: {count.letters}, the oldest {_ago(count.oldest)} ago")
    output().print(_table(found.consumers))


def _table(consumers: tuple[ConsumerReport, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in ("consumer", "waiting", "parked", "position", "heard of", "at", "error"):
        table.add_column(header)
    for each in consumers:
        table.add_row(each.name, *_backlog(each), *_heartbeat(each))
    return table


def _backlog(report: ConsumerReport) -> tuple[str, str, str]:
    if report.backlog is None:
        return "?", "?", "?"
    backlog = report.backlog
    places = [f"{each.partition} {each.offset}/{each.newest}" for each in backlog.reached]
    return _waiting(backlog.waiting, backlog.oldest), str(backlog.parked), "\n".join(places)


def _heartbeat(report: ConsumerReport) -> tuple[str, str, str]:
    if report.heartbeat is None:
        return "never", "", ""
    beat = report.heartbeat
    silent = ", silent" if report.silent else ""
    return f"{_ago(beat.beat_at)} ago{silent}", beat.process, printable(beat.last_error)


def _waiting(amount: int, oldest: datetime | None) -> str:
    return str(amount) if oldest is None else f"{amount}, for {_ago(oldest)}"


def _ago(moment: datetime) -> str:
    return f"{max(0.0, (now() - moment).total_seconds()):.0f} s"
