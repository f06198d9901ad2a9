"""From files to the blocks of a memory capsule: JSON Lines, Markdown, plain text."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from soma.base.errors import InvalidInput
from soma.brain.domain.memory_capsule import CapsuleBlock

JSON_LINES = (".jsonl", ".ndjson")
DOCUMENT_ROLE = "document"
DEFAULT_IMPORTANCE = 0.5
LONGEST_PASSAGE = 1_200
"""Characters. What the embedding model reads of a text at once is about as long."""

HEADING = re.compile(r"(#{1,6})\s+(.*)")
PARAGRAPHS = re.compile(r"\n[ \t]*\n")
MEMBERS = frozenset("key content role speaker occurred_at importance provenance".split())


def blocks_of_file(name: str, data: bytes, *, at: datetime) -> list[CapsuleBlock]:
    """The blocks of the file `name`: one a line of JSON Lines, one a passage of any other text. Where a file
    says nothing of the time, it is `at`. Raises InvalidInput naming file and line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not UTF-8: byte {error.start} is out of place") from None
    if name.lower().endswith(JSON_LINES):
        return [_line(name, number, line, at) for number, line in _lines(text)]
    return [_passage(name, number, passage, at) for number, passage in enumerate(passages(text), 1)]


def passages(text: str) -> Iterator[str]:
    """The passages of `text`: paragraphs, joined while they stay within LONGEST_PASSAGE and under one
    heading, each with the headings that it stands under before it. Long paragraphs are cut between words."""
    headings: dict[int, str] = {}
    held: list[str] = []
    for paragraph in PARAGRAPHS.split(text.replace("\r\n", "\n")):
        first, _, rest = paragraph.strip().partition("\n")
        heading = HEADING.fullmatch(first)
        if heading:
            yield from _joined(headings, held)
            held = []
            level = len(heading[1])
            headings = {depth: title for depth, title in headings.items() if depth < level}
            headings[level] = heading[2].strip()
        body = rest.strip() if heading else paragraph.strip()
        for piece in _pieces(body):
            if held and sum(map(len, held)) + len(piece) > LONGEST_PASSAGE:
                yield from _joined(headings, held)
                held = []
            held.append(piece)
    yield from _joined(headings, held)


def _joined(headings: dict[int, str], held: list[str]) -> Iterator[str]:
    if held:
        title = " – ".join(headings[level] for level in sorted(headings))
        yield "\n\n".join([title, *held] if title else held)


def _pieces(paragraph: str) -> Iterator[str]:
    while len(paragraph) > LONGEST_PASSAGE:
        end = max(paragraph.rfind(mark, 0, LONGEST_PASSAGE) for mark in (" ", "\n"))
        end = end if end > 0 else LONGEST_PASSAGE
        yield paragraph[:end].rstrip()
        paragraph = paragraph[end:].lstrip()
    if paragraph:
        yield paragraph


def _passage(name: str, number: int, content: str, at: datetime) -> CapsuleBlock:
    return CapsuleBlock(
        key=f"{name}#{number}",
        content=content,
        role=DOCUMENT_ROLE,
        speaker="",
        occurred_at=at,
        importance=DEFAULT_IMPORTANCE,
        provenance={"source_document": name},
    )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # Not splitlines(), which also ends lines at characters that JSON leaves as they are.
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _line(name: str, number: int, line: str, at: datetime) -> CapsuleBlock:
    where = f"{name}, line {number}"
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidInput(f"{where} is not JSON", line=number) from None
    if not isinstance(value, dict) or not isinstance(value.get("content"), str):
        raise InvalidInput(f"{where} is no object with a text named content", line=number)
    unknown = sorted(set(value) - MEMBERS)
    if unknown:
        raise InvalidInput(f"{where} has a member that is not known: {unknown[0][:60]!r}", line=number)
    return CapsuleBlock(
        key=_member(value, "key", str, f"{name}#{number}", where),
        content=value["content"],
        role=_member(value, "role", str, DOCUMENT_ROLE, where),
        speaker=_member(value, "speaker", str, "", where),
        occurred_at=_time(value, at, where),
        importance=_member(value, "importance", int | float, DEFAULT_IMPORTANCE, where),
        provenance=_member(value, "provenance", dict, {}, where),
    )


def _member(value: dict[str, Any], name: str, kind: Any, default: Any, where: str) -> Any:
    member = value.get(name, default)
    if not isinstance(member, kind) or isinstance(member, bool):
        raise InvalidInput(f"{where}: {name} is of another type than it takes")
    return member


def _time(value: dict[str, Any], at: datetime, where: str) -> datetime:
    text = value.get("occurred_at")
    if text is None:
        return at
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput(f"{where}: occurred_at is no time with its offset")
    return moment
