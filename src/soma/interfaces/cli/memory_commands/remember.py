"""`somagent memory remember`: tell memory something."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import BinaryIO

import click
import orjson

from soma.base.errors import InvalidInput
from soma.base.tenancy import Principal
from soma.brain.api import Kept, Refusal, Remembered, RememberItem
from soma.interfaces.cli.boot import Boot, Progress
from soma.interfaces.cli.exits import Exit
from soma.interfaces.cli.memory_commands.asked import AS_JSON, NAMESPACE, WRITE, asked
from soma.interfaces.cli.memory_commands.pages import pages
from soma.interfaces.runtime import Runtime
from soma.interfaces.told import told

BATCH = 50


@click.command()
@click.argument("text", required=False)
@click.option(
    "--file",
    "file",
    type=click.File("rb"),
    help="Remember each line of this file that is not empty; - is standard input.",
)
@NAMESPACE
@click.option("--session", default="", help="What it was said in: neighbours help to find each other.")
@click.option("--speaker", default="", help="Who said it.")
@click.option("--role", default="user", show_default=True, help="As whom: user, assistant, …")
@click.option("--key", help="Its name; the same again rewrites it. For one TEXT.")
@AS_JSON
@click.pass_obj
def remember(
    boot: Boot,
    text: str | None,
    *,
    file: BinaryIO | None,
    namespace: str,
    session: str,
    speaker: str,
    role: str,
    key: str | None,
    as_json: bool,
) -> None:
    """Remember TEXT; - reads it from standard input. Exit code 2 when memory refuses any of it."""
    texts = _texts(text, file)
    if key is not None and len(texts) != 1:
        raise InvalidInput("--key names one text, and there are several")

    def use(runtime: Runtime, owner: Principal, progress: Progress) -> Remembered:
        items = [
            told(owner, each, namespace=namespace, session=session, speaker=speaker, role=role, key=key)
            for each in texts
        ]
        return _remembered(runtime, owner, items, progress)

    _tell(asked(boot, WRITE, use), as_json=as_json)


def _texts(text: str | None, file: BinaryIO | None) -> list[str]:
    """What is to be remembered. Raises InvalidInput."""
    if (text is None) == (file is None):
        raise InvalidInput("give either TEXT or --file")
    if file is not None:
        return [line for line in _decoded(file.read()).splitlines() if line.strip()]
    return [_decoded(sys.stdin.buffer.read()) if text == "-" else str(text)]


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the text is not UTF-8: byte {error.start} is out of place") from None


def _remembered(
    runtime: Runtime, owner: Principal, items: Sequence[RememberItem], progress: Progress
) -> Remembered:
    stored, deduplicated, refused = list[Kept](), list[Kept](), list[Refusal]()
    for batch in pages(items, BATCH):
        done = runtime.brain.remember(owner.tenant_id, batch, principal=owner)
        stored += done.stored
        deduplicated += done.deduplicated
        refused += done.refused
        progress(f"Remembering: {len(stored) + len(deduplicated) + len(refused)} of {len(items)}")
    return Remembered(stored=tuple(stored), deduplicated=tuple(deduplicated), refused=tuple(refused))


def _tell(done: Remembered, *, as_json: bool) -> None:
    if as_json:
        shown = asdict(done)
        for each in [*shown["stored"], *shown["deduplicated"], *shown["refused"]]:
            del each["namespace"]  # the inner name, which nobody else uses
        click.echo(orjson.dumps(shown))
    else:
        for kept in done.stored:
            click.echo(f"{'rewritten' if kept.rewritten else 'remembered'}: {kept.record_id}")
        for kept in done.deduplicated:
            click.echo(f"known already: {kept.record_id}")
        for refusal in done.refused:
            click.echo(f"refused ({refusal.reason}): {refusal.detail}", err=True)
    raise SystemExit(Exit.USAGE if done.refused else Exit.OK)
