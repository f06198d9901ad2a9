"""`somagent events tail`: what has happened, as it happens."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass

import click
import orjson

from soma.events.api import TOPICS, StoredEvent, last_sequence
from soma.interfaces.cli.asked import AS_JSON
from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.events_commands.dlq import READ
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import local_owner, may
from soma.interfaces.cli.terminal import Spinner, notices, printable

PAGE = 500
LOOK_SECONDS = 0.5
LAST = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Events of `topic` and `event_type`, where they are given, from the sequence number `start` on; None:
    from the latest ten."""

    topic: str | None
    event_type: str | None
    start: int | None
    follow: bool

    def has(self, event: StoredEvent) -> bool:
        """Whether the event is one of them."""
        return self.topic in (None, event.topic) and self.event_type in (None, event.type)


@click.command()
@click.option("--topic", type=click.Choice(list(TOPICS)), help="Of this topic.")
@click.option("--type", "event_type", metavar="TYPE", help="Of this type.")
@click.option(
    "--from",
    "start",
    type=click.IntRange(1),
    metavar="SEQUENCE",
    help=f"From this one on, instead of the latest {LAST}.",
)
@click.option("--follow/--no-follow", default=True, help="Wait for more, or end at the end.")
@AS_JSON
@click.pass_obj
def tail(
    boot: Boot,
    *,
    topic: str | None,
    event_type: str | None,
    start: int | None,
    follow: bool,
    as_json: bool,
) -> None:
    """Show your tenant's events as they are recorded; with --json whole, one a line."""
    wanted = Wanted(topic=topic, event_type=event_type, start=start, follow=follow)
    run(lambda _: _tail(boot, wanted, _as_json if as_json else _as_line))


async def _tail(boot: Boot, wanted: Wanted, shown: Callable[[StoredEvent], str | bytes]) -> None:
    with Spinner(notices()) as spinner:
        async with boot.start(spinner) as runtime:
            owner = await local_owner(runtime)
            await may(runtime, owner, READ)
            latest = await runtime.database.run(last_sequence, owner.tenant_id)
            after = max(0, latest - LAST) if wanted.start is None else wanted.start - 1
            spinner.stop()
            while True:
                events = await runtime.database.run(
                    runtime.log.read, owner.tenant_id, after=after, limit=PAGE
                )
                for event in events:
                    if wanted.has(event):
                        click.echo(shown(event))
                    after = event.sequence
                if not (events or wanted.follow):
                    return
                if len(events) < PAGE:
                    await asyncio.sleep(LOOK_SECONDS if wanted.follow else 0)


def _as_json(event: StoredEvent) -> bytes:
    return orjson.dumps(asdict(event))


def _as_line(event: StoredEvent) -> str:
    recorded = f"{event.recorded_at:%Y-%m-%d %H:%M:%S}"
    return f"{event.sequence:>8}  {recorded}  {event.topic:16}  {event.type}  {printable(event.key)}"
