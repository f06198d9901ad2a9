"""What a query was read as, for whoever asks why memory answered as it did."""

from dataclasses import dataclass

from soma.brain.domain.periods import Period, Span
from soma.brain.domain.question import Question

ANY = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Understood:
    """`dense` is the text that was embedded, `terms` what full-text search looked for. `named` are the
    speakers asked about, the first one foremost; `asked_of` is "user" or "assistant" where the query speaks
    of what one of them said. `periods` are times asked for: 2024-05-07, 2024-05, 2024, --05-07 for that day
    of any year, or from/to."""

    dense: str
    terms: tuple[str, ...]
    named: tuple[str, ...]
    asked_of: str
    wants_time: bool
    periods: tuple[str, ...]


def understood(question: Question) -> Understood:
    """`question` as people read it."""
    return Understood(
        dense=question.dense,
        terms=question.terms,
        named=question.named,
        asked_of=question.asked_of,
        wants_time=question.wants_time,
        periods=tuple(_written(each) for each in question.periods),
    )


def _written(period: Period | Span) -> str:
    if isinstance(period, Span):
        return f"{period.start:%Y-%m-%d}/{period.end:%Y-%m-%d}"
    parts = [
        ANY if period.year is None else f"{period.year:04}",
        None if period.month is None else f"{period.month:02}",
        None if period.day is None else f"{period.day:02}",
    ]
    return "-".join(part for part in parts if part is not None)
