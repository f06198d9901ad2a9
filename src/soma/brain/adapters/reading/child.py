"""The process that reads one document: `python -m soma.brain.adapters.reading.child`.

What it is given are words of the command line; what it answers goes to standard output. Its parsers, written
in C and fed by strangers, have by then neither files nor a network.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from soma.brain.adapters.reading import isolation
from soma.brain.adapters.reading.cleaning import cleaned, within_limit
from soma.brain.adapters.reading.encoding import decoded
from soma.brain.adapters.reading.message import read_message, unreadable_message
from soma.brain.domain.documents.chunk import ReadDocument
from soma.brain.domain.documents.chunking import chunks_of
from soma.brain.domain.documents.layout import Layout
from soma.brain.domain.documents.media_type import MediaType
from soma.brain.domain.documents.unreadable import Reason, Unreadable

MAX_TITLE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What to read, and within what. Each is a word of the command line, in this order."""

    path: str
    media_type: str
    charset: str
    name: str
    title: str
    cpu_seconds: int
    memory_bytes: int

    @classmethod
    def of(cls, words: Sequence[str]) -> "Task":
        """The task that the command line spells."""
        path, media_type, charset, name, title, cpu_seconds, memory_bytes = words
        return cls(
            path=path,
            media_type=media_type,
            charset=charset,
            name=name,
            title=title,
            cpu_seconds=int(cpu_seconds),
            memory_bytes=int(memory_bytes),
        )

    def words(self) -> list[str]:
        """The command line that spells it."""
        return [
            self.path,
            self.media_type,
            self.charset,
            self.name,
            self.title,
            str(self.cpu_seconds),
            str(self.memory_bytes),
        ]


def read(task: Task) -> ReadDocument:
    """The document, in chunks. From where its parser begins, the process can open nothing. Raises
    Unreadable."""
    content = Path(task.path).read_bytes()
    if not content.strip():
        raise Unreadable(Reason.NO_TEXT, "The file is empty")
    layout = _prepared(MediaType(task.media_type), content, task.charset)
    isolation.cut_off()
    found = layout()
    within_limit(len(found.text))
    chunks = chunks_of(found)
    if not chunks:
        raise Unreadable(Reason.NO_TEXT, "The file holds no text")
    return ReadDocument(
        title=_title(task, found),
        pages=found.pages,
        characters=len(found.text),
        chunks=chunks,
    )


def _prepared(media_type: MediaType, content: bytes, charset: str) -> Callable[[], Layout]:
    """What will parse the content, with all that it needs in memory."""
    if media_type is MediaType.PDF:
        from soma.brain.adapters.reading import pdf  # noqa: PLC0415 - one process reads one format

        return lambda: pdf.layout(content)
    text = decoded(content, charset=charset, html=media_type is MediaType.HTML)
    if media_type is MediaType.HTML:
        from soma.brain.adapters.reading import html  # noqa: PLC0415

        return lambda: html.layout(text)
    text = cleaned(text)
    within_limit(len(text))
    if media_type is MediaType.MARKDOWN:
        from soma.brain.adapters.reading import markdown  # noqa: PLC0415

        return lambda: markdown.layout(text)
    from soma.brain.adapters.reading import plain_text  # noqa: PLC0415

    return lambda: plain_text.layout(text)


def _title(task: Task, layout: Layout) -> str:
    said = " ".join((task.title or layout.title).split())
    return (said or PurePath(task.name).stem or "Untitled")[:MAX_TITLE]


def answer(task: Task) -> bytes:
    """What there is to say of the document."""
    try:
        return read_message(read(task))
    except Unreadable as error:
        return unreadable_message(error)
    except MemoryError:
        detail = f"Reading the document takes more than {task.memory_bytes >> 20:,} MiB of memory"
        return unreadable_message(Unreadable(Reason.LIMIT, detail))


def main() -> None:
    """The process."""
    task = Task.of(sys.argv[1:])
    isolation.limit(cpu_seconds=task.cpu_seconds, memory_bytes=task.memory_bytes)
    sys.stdout.buffer.write(answer(task))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
