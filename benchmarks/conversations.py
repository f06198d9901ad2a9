"""Conversations and questions about them, in the format of LoCoMo's files."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

MACHINES = frozenset({"assistant", "ai", "bot", "system"})
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
"""When undated conversations take place, a turn a second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """Something that was said."""

    turn_id: str
    session: str
    speaker: str
    said_at: datetime
    text: str

    @property
    def role(self) -> str:
        """The role that a chat would give its speaker."""
        return "assistant" if self.speaker.lower() in MACHINES else "user"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question, and the turns that answer it."""

    question_id: str
    text: str
    category: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """A conversation with its questions."""

    name: str
    turns: tuple[Turn, ...]
    questions: tuple[Question, ...]


def conversations(data: Path) -> list[Conversation]:
    """The conversations of the directory `data`, each with its turns in the order spoken."""
    turns = dict[str, list[Turn]]()
    for place, line in enumerate(_lines(data / "turns.jsonl")):
        turns.setdefault(str(line["conversation"]), []).append(_turn(line, place))
    questions = dict[str, list[Question]]()
    for line in _lines(data / "questions.jsonl"):
        questions.setdefault(str(line["conversation"]), []).append(_question(line))
    return [
        Conversation(name=name, turns=tuple(told), questions=tuple(questions.get(name, ())))
        for name, told in turns.items()
    ]


def _turn(line: dict[str, Any], place: int) -> Turn:
    date = line.get("date")
    said_at = datetime.fromisoformat(date) if date else BEGINNING + timedelta(seconds=place)
    return Turn(
        turn_id=str(line["turn_id"]),
        session=str(line.get("session") or ""),
        speaker=str(line.get("speaker") or line.get("role") or ""),
        said_at=said_at if said_at.tzinfo else said_at.replace(tzinfo=UTC),
        text=line["text"],
    )


def _question(line: dict[str, Any]) -> Question:
    return Question(
        question_id=str(line["question_id"]),
        text=line["question"],
        category=str(line.get("category", "")),
        evidence=tuple(str(each) for each in line["evidence"]),
    )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield orjson.loads(line)
