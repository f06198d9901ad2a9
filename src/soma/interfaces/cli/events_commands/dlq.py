"""`somagent events dlq`: what was given up, why, and trying it again."""

from collections.abc import Iterator
from dataclasses import asdict
from uuid import UUID

import click
import orjson
from rich import box
from rich.table import Table

from soma.base.clock import now
from soma.base.errors import InvalidInput
from soma.base.tenancy import Principal
from soma.events.api import Letter, dead_letter, dead_letters, retry_dead_letter, retry_dead_letters
from soma.interfaces.cli.asked import AS_JSON, asked
from soma.interfaces.cli.boot import Boot, Progress
from soma.interfaces.cli.talk import id_of
from soma.interfaces.cli.terminal import notices, output, printable
from soma.interfaces.runtime import Runtime

READ, WRITE = "events:read", "events:write"
PAGE = 200
SHOWN_ERROR = 60

SOURCE = click.option("--source", default="", metavar="NAME", help="Given up by this consumer, or by relay.")


@click.group()
def dlq() -> None:
    """Events that were given up: dead letters."""


@dlq.command(name="list")
@SOURCE
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@AS_JSON
@click.pass_obj
def list_letters(boot: Boot, *, source: str, limit: int, as_json: bool) -> None:
    """List what was given up, the latest first."""

    def use(runtime: Runtime, owner: Principal, progress: Progress) -> list[Letter]:
        progress("Reading dead letters")
        return list(_newest(owner.tenant_id, source, limit))

    letters = asked(boot, READ, use)
    if len(letters) == limit:
        notices().print(f"These are the latest {limit}; --limit shows more.")
    if as_json:
        click.echo(orjson.dumps([asdict(letter) for letter in letters]))
    elif letters:
        output().print(_table(letters))
    else:
        output().print("Nothing was given up.")


@dlq.command()
@click.argument("letter_id", metavar="ID")
@AS_JSON
@click.pass_obj
def inspect(boot: Boot, letter_id: str, *, as_json: bool) -> None:
    """Show one dead letter: its event, the error, and whether it was tried again."""
    wanted = id_of(letter_id, what="dead letter")
    letter = asked(boot, READ, lambda runtime, owner, progress: dead_letter(owner.tenant_id, wanted))
    if as_json:
        click.echo(orjson.dumps(asdict(letter)))
        return
    for name, value in asdict(letter).items():
        if name != "payload":
            click.echo(f"{name:12} {'' if value is None else printable(str(value))}".rstrip())
    click.echo(orjson.dumps(letter.payload, option=orjson.OPT_INDENT_2))


@dlq.command()
@click.argument("letter_id", metavar="ID", required=False)
@click.option("--all", "everything", is_flag=True, help="All there are, the oldest first.")
@SOURCE
@AS_JSON
@click.pass_obj
def retry(boot: Boot, letter_id: str | None, *, everything: bool, source: str, as_json: bool) -> None:
    """Have an event delivered again, by whoever gave it up and from its first attempt on."""
    if everything == (letter_id is not None):
        raise InvalidInput("name one dead letter, or say --all")
    wanted = None if letter_id is None else id_of(letter_id, what="dead letter")

    def use(runtime: Runtime, owner: Principal, progress: Progress) -> list[Letter]:
        if wanted is not None:
            return [retry_dead_letter(owner.tenant_id, wanted, source=source)]
        return _retry_all(owner.tenant_id, source, progress)

    letters = asked(boot, WRITE, use)
    if as_json:
        click.echo(orjson.dumps([asdict(letter) for letter in letters]))
    else:
        click.echo(f"{len(letters)} delivered again")


def _newest(tenant_id: UUID, source: str, limit: int) -> Iterator[Letter]:
    after, left = None, limit
    while left > 0:
        page = dead_letters(tenant_id, source=source, limit=min(left, PAGE), after=after)
        yield from page
        if len(page) < PAGE:
            return
        after, left = page[-1].id, left - len(page)


def _retry_all(tenant_id: UUID, source: str, progress: Progress) -> list[Letter]:
    # What fails again meanwhile is left for the next time.
    begun, done = now(), list[Letter]()
    while page := retry_dead_letters(tenant_id, failed_before=begun, source=source):
        done += page
        progress(f"{len(done)} delivered again")
    return done


def _table(letters: list[Letter]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in ("id", "given up", "by", "type", "key", "error"):
        table.add_column(header)
    for letter in letters:
        error = printable(letter.error.partition("\n")[0])
        table.add_row(
            str(letter.id),
            f"{letter.failed_at:%Y-%m-%d %H:%M:%S}",
            letter.source,
            letter.type,
            printable(letter.key),
            error if len(error) <= SHOWN_ERROR else f"{error[:SHOWN_ERROR]}…",
        )
    return table
