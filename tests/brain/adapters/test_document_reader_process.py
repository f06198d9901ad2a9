"""soma.brain.adapters.document_reader_process"""

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from soma.brain.adapters.document_reader_process import ProcessDocumentReader
from soma.brain.adapters.reading.limits import MAX_CHARACTERS
from soma.brain.domain.documents.chunk import ReadDocument
from soma.brain.domain.documents.media_type import MediaType
from soma.brain.domain.documents.source import Source
from soma.brain.domain.documents.unreadable import Reason, Unreadable
from soma.brain.errors import IngestStopped
from tests.brain.adapters.reading import pdf_file
from tests.brain.adapters.reading.pdf_file import paragraph, pdf

pytestmark = pytest.mark.req("RAG-001")

ROOT = Path(__file__).parents[3]
GIBIBYTE = 1 << 30
QUICK = 3
"""Seconds of computing that a hostile document may take here."""

NESTED = b"<div>" * 200_000
"""A page as deep as it is long."""

Read = Callable[..., ReadDocument]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads content as a file of a media type."""

    def of(
        content: bytes,
        media_type: MediaType,
        *,
        stopped: Callable[[], bool] = lambda: False,
        reader: ProcessDocumentReader | None = None,
        **more: str,
    ) -> ReadDocument:
        path = tmp_path / "content"
        path.write_bytes(content)
        reader = reader or ProcessDocumentReader(cpu_seconds=QUICK)
        return reader.read(Source(path=path, media_type=media_type, **more), stopped)

    return of


def refusal(read: Read, content: bytes, media_type: MediaType, **more: object) -> Unreadable:
    with pytest.raises(Unreadable) as unreadable:
        read(content, media_type, **more)
    return unreadable.value


@pytest.mark.parametrize(
    ("content", "media_type", "title", "pages"),
    [
        (b"One.\n\nTwo.", MediaType.TEXT, "the file", None),
        (b"# Guide\n\nOne.", MediaType.MARKDOWN, "Guide", None),
        (b"<title>Page</title><p>One.", MediaType.HTML, "Page", None),
        (pdf(paragraph("One."), title="Report"), MediaType.PDF, "Report", 1),
    ],
)
def test_every_kind_is_read_and_reads_the_same_again(
    read: Read, content: bytes, media_type: MediaType, title: str, pages: int | None
) -> None:
    said = read(content, media_type, name="the file.x")
    given = read(content, media_type, name="the file.x", title="Given")

    assert (said.title, said.pages, given.title) == (title, pages, "Given")
    assert "One." in said.chunks[0].text
    assert said.chunks[0].pages == ((1, 1) if pages else None)
    assert read(content, media_type, name="the file.x") == said


def test_a_book_is_read(read: Read) -> None:
    text = "\n\n".join(f"Paragraph {number}. The river rose again, and fell." * 8 for number in range(1_500))
    said = read(text.encode(), MediaType.TEXT)

    assert said.characters == len(text) > 500_000
    assert len(said.chunks) > 500


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "LICENSE"])
def test_the_model_sees_the_whole_of_a_chunk(read: Read, name: str) -> None:
    from tokenizers import Tokenizer

    from soma.base.artifacts import MINILM_TOKENIZER, locate

    tokenizer = Tokenizer.from_file(str(locate(MINILM_TOKENIZER)))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    said = read((ROOT / name).read_bytes(), MediaType.MARKDOWN)

    counts = [len(tokenizer.encode(chunk.text).ids) for chunk in said.chunks]
    assert max(counts) <= 256


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_does_no_harm(read: Read, layers: int) -> None:
    bomb_file = pdf_file.bomb(2 * GIBIBYTE, layers=layers)

    assert len(bomb_file) < 3_000_000
    assert refusal(read, bomb_file, MediaType.PDF).reason in {Reason.LIMIT, Reason.DAMAGED, Reason.NO_TEXT}


def test_memory_is_bounded_and_the_limit_named(read: Read) -> None:
    reader = ProcessDocumentReader(cpu_seconds=60, memory_bytes=200 << 20)
    unreadable = refusal(read, b"- a\n\n" * 600_000, MediaType.MARKDOWN, reader=reader)

    assert unreadable.reason in {Reason.LIMIT, Reason.DAMAGED}
    assert "200 MiB" in unreadable.detail


def test_time_is_bounded_and_the_limit_named(read: Read) -> None:
    reader = ProcessDocumentReader(cpu_seconds=1)
    unreadable = refusal(read, b"*a **a " * 500_000, MediaType.MARKDOWN, reader=reader)

    assert unreadable.reason is Reason.LIMIT
    assert "1 s of computing" in unreadable.detail


def test_a_page_as_deep_as_it_is_long_is_read_or_refused(read: Read) -> None:
    assert refusal(read, NESTED, MediaType.HTML).reason in {Reason.LIMIT, Reason.NO_TEXT}


def test_too_much_text_is_refused_and_the_limit_is_named(read: Read) -> None:
    unreadable = refusal(read, b"word " * (MAX_CHARACTERS // 5 + 1), MediaType.TEXT)

    assert unreadable.reason is Reason.LIMIT
    assert f"{MAX_CHARACTERS:,}" in unreadable.detail


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (pdf_file.encrypted(), Reason.ENCRYPTED, "password"),
        (pdf_file.scanned(), Reason.NO_TEXT, "scanned"),
        (pdf_file.circular(), Reason.DAMAGED, "damaged"),
        (b"%PDF-1.7\n%%EOF", Reason.DAMAGED, "damaged"),
        (pdf(paragraph("One."))[:200], Reason.DAMAGED, "damaged"),
        (b"Not a PDF at all.", Reason.WRONG_TYPE, "%PDF-"),
    ],
)
def test_a_pdf_that_cannot_be_read_is_refused(read: Read, content: bytes, reason: Reason, words: str) -> None:
    unreadable = refusal(read, content, MediaType.PDF)

    assert unreadable.reason is reason
    assert words in unreadable.detail


def test_an_outline_that_contains_itself_does_no_harm(read: Read) -> None:
    said = read(pdf_file.circular_outline(), MediaType.PDF)

    assert "and round it goes." in said.chunks[0].text
    assert said.chunks[0].heading == ("Round",)


@pytest.mark.parametrize("media_type", [MediaType.TEXT, MediaType.MARKDOWN, MediaType.HTML])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.NO_TEXT),
        (b" \n\t\n", Reason.NO_TEXT),
        (b"\0\0\0", Reason.NOT_TEXT),
        (b"\xff\xfe", Reason.NO_TEXT),
        (b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff", Reason.NOT_TEXT),
        (b"\x7fELF\2\1\1\0", Reason.WRONG_TYPE),
        (b"PK\3\4\x14\0\6\0", Reason.WRONG_TYPE),
        (pdf(paragraph("One.")), Reason.WRONG_TYPE),
        (bytes(range(1, 32)) * 20, Reason.NOT_TEXT),
    ],
)
def test_what_is_no_text_is_refused(
    read: Read, content: bytes, reason: Reason, media_type: MediaType
) -> None:
    assert refusal(read, content, media_type).reason is reason


def test_an_unknown_encoding_is_named(read: Read) -> None:
    unreadable = refusal(read, b"One.", MediaType.TEXT, charset="klingon-8")
    assert (unreadable.reason, "klingon-8" in unreadable.detail) == (Reason.UNKNOWN_ENCODING, True)

    wrong = refusal(read, "Grün".encode("latin-1"), MediaType.TEXT, charset="utf-8")
    assert wrong.reason is Reason.UNKNOWN_ENCODING


def readers() -> set[int]:
    """The processes that read for this one. Another test's child that ended unawaited has no command line."""
    found = set()
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if "soma.brain.adapters.reading.child" in child.cmdline():
                found.add(child.pid)
    return found


def test_reading_stops_when_asked_to_and_leaves_no_process(read: Read) -> None:
    seen: set[int] = set()

    def seen_at_work() -> bool:
        seen.update(readers())
        return bool(seen)

    with pytest.raises(IngestStopped):
        read(
            b"*a **a " * 500_000,
            MediaType.MARKDOWN,
            stopped=seen_at_work,
            reader=ProcessDocumentReader(cpu_seconds=60),
        )
    assert len(seen) == 1
    assert not any(psutil.pid_exists(pid) for pid in seen)


CUT_OFF = """
import socket, sys
from soma.brain.adapters.reading.isolation import cut_off
cut_off()
for act in (lambda: open("/etc/hostname"), lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])))):
    try:
        act()
    except OSError:
        print("refused")
"""


def test_a_parser_has_neither_files_nor_a_network() -> None:
    import subprocess

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-c", CUT_OFF, str(port)],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )

    assert ended.stdout.split() == ["refused", "refused"]
