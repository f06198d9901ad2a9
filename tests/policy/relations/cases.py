"""Cases in text files: what is added and taken away, and who may then and who may not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(kw_only=True, slots=True)
class Case:
    """A name, and the texts under each of its words."""

    name: str
    add: list[str] = field(default_factory=list)
    take: list[str] = field(default_factory=list)
    yes: list[str] = field(default_factory=list)
    no: list[str] = field(default_factory=list)


def read_cases(name: str) -> list[Case]:
    """The cases of a file beside this one. Its first paragraph says what it is about."""
    _, *paragraphs = (Path(__file__).parent / name).read_text().strip().split("\n\n")
    return list(map(_case, paragraphs))


def _case(paragraph: str) -> Case:
    title, *lines = paragraph.splitlines()
    case = Case(name=title)
    for word, texts in _words(lines):
        getattr(case, word).extend(texts)
    assert case.yes or case.no, f"{title} asks nothing"
    return case


def _words(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    for line in lines:
        word, *texts = line.split()
        yield word, texts
