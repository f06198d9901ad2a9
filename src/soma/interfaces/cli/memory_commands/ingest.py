"""`somagent memory ingest`: take documents in."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import click
import orjson
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from soma.base.errors import InvalidInput, SomaError
from soma.base.tenancy import Principal
from soma.brain.api import Document, DocumentStatus, IngestRequest, media_type_of, owned_namespace
from soma.interfaces.audit import record_decision
from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.exits import Exit, explained
from soma.interfaces.cli.memory_commands.asked import AS_JSON, NAMESPACE, WRITE
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import FACE, local_owner
from soma.interfaces.cli.terminal import Spinner, notices, printable
from soma.interfaces.grant import grant
from soma.interfaces.runtime import Runtime

LOOK_SECONDS = 0.1
LONGEST_KEY = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What became of one file: its document, or why it was refused."""

    path: Path
    document: Document | None = None
    error: str = ""

    @property
    def failed(self) -> bool:
        """Whether it cannot be recalled now."""
        return self.document is None or self.document.status is not DocumentStatus.DONE

    def to_dict(self) -> dict[str, Any]:
        """For scripts."""
        document = self.document
        if document is None:
            return {"path": str(self.path), "status": "refused", "detail": self.error}
        return {
            "path": str(self.path),
            "id": document.id,
            "status": document.status,
            "title": document.title,
            "pages": document.pages,
            "chunks": document.chunks_done,
            "revision": document.revision,
            "reason": document.reason,
            "detail": document.detail,
        }

    def line(self) -> str:
        """For people."""
        if self.document is None:
            return f"{self.path}: {self.error}"
        if self.failed:
            return f"{self.path}: {self.document.detail or self.document.status}"
        title = printable(self.document.title)
        return f"ingested: {self.path}: {title} ({self.document.chunks_done} chunks)"


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--title", default="", help="What the document is called; for one file.")
@NAMESPACE
@AS_JSON
@click.pass_obj
def ingest(boot: Boot, paths: tuple[Path, ...], *, title: str, namespace: str, as_json: bool) -> None:
    """Take in documents: text, Markdown, HTML and PDF.

    Of a directory, every file below it with such a suffix. The same file again changes nothing; changed, it
    replaces what it was. Exit code 1 when any file cannot be read; the others are taken in.
    """
    files = [file for path in paths for file in _files(path)]
    if title and len(files) != 1:
        raise InvalidInput(f"--title names one document, and there are {len(files)}")
    taken = run(lambda _: _ingest(boot, files, title=title, namespace=namespace))
    if as_json:
        click.echo(orjson.dumps([each.to_dict() for each in taken]))
    else:
        for each in taken:
            click.echo(each.line(), err=each.failed)
    raise SystemExit(Exit.FAILED if any(each.failed for each in taken) else Exit.OK)


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or those in a directory that can be documents; nothing that is hidden there."""
    if not path.is_dir():
        yield path
        return
    found = sorted(
        file
        for file in path.rglob("*")
        if file.is_file()
        and media_type_of(file.name)
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        raise InvalidInput(f"{path} holds no text, Markdown, HTML or PDF")
    yield from found


async def _ingest(boot: Boot, files: Sequence[Path], *, title: str, namespace: str) -> list[Taken]:
    with Spinner(notices()) as spinner:
        async with boot.start(spinner) as runtime:
            spinner.stop()
            owner = await local_owner(runtime)
            await runtime.database.run(_decide, runtime, owner)
            with Bar(len(files)) as bar:
                return [
                    await _taken(runtime, owner, file, bar, title=title, namespace=namespace)
                    for file in files
                ]


def _decide(runtime: Runtime, owner: Principal) -> None:
    granted = grant(runtime, owner, WRITE, face=FACE)
    record_decision(granted.asked, granted.decision)


async def _taken(
    runtime: Runtime, owner: Principal, file: Path, bar: "Bar", *, title: str, namespace: str
) -> Taken:
    bar.begin(file.name)
    place = owned_namespace(owner.user_id, namespace)
    try:
        document = await runtime.database.run(_take_in, runtime, owner, file, title, place)
        while document.is_active:
            await asyncio.sleep(LOOK_SECONDS)
            document = await runtime.database.run(
                runtime.documents.document, owner.tenant_id, place, document.id
            )
            bar.show(document)
    except SomaError as error:
        return Taken(path=file, error=explained(error))
    except OSError as error:
        return Taken(path=file, error=f"cannot be opened: {error.strerror}")
    return Taken(path=file, document=document)


def _take_in(runtime: Runtime, owner: Principal, file: Path, title: str, namespace: str) -> Document:
    media_type = media_type_of(file.name)
    if media_type is None:
        raise InvalidInput(f"a file with the suffix {file.suffix!r} is not read")
    wanted = IngestRequest(
        tenant_id=owner.tenant_id,
        namespace=namespace,
        key=_key(file),
        media_type=media_type,
        trace_id=owner.trace_id,
        name=file.name,
        title=title,
    )
    with file.open("rb") as content:
        return runtime.documents.ingest(wanted, content, owner)


def _key(file: Path) -> str:
    """Where the file is: the same place again is the same document."""
    place = str(file.resolve())
    if len(place) <= LONGEST_KEY:
        return place
    return f"sha256:{sha256(place.encode(errors='replace')).hexdigest()}"


class Bar:
    """How far it is: files, and the chunks of the one that is worked on. On a terminal only."""

    def __init__(self, files: int) -> None:
        console = notices()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._files: TaskID = self._progress.add_task("files", total=files)
        self._chunks: TaskID = self._progress.add_task("", total=None)
        self._begun = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._progress.stop()

    def begin(self, name: str) -> None:
        """The next file is begun."""
        self._progress.update(self._files, completed=self._begun)
        self._begun += 1
        self._progress.update(self._chunks, description=printable(name), completed=0, total=None)

    def show(self, document: Document) -> None:
        """How far the document is."""
        self._progress.update(self._chunks, completed=document.chunks_done, total=document.chunks or None)
