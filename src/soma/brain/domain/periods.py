"""The stretches of time that a question names."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
MONTH = "|".join(NAMES) + "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
DATE = re.compile(
    rf"\b(?:(?P<before>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ?)?\b(?P<month>{MONTH})\b\.?"
    rf"(?: (?P<after>\d{{1,2}})(?:st|nd|rd|th)?\b)?,?(?: ?(?P<year>(?:19|20)\d\d))?",
    re.IGNORECASE,
)
LEADS = re.compile(
    r"(?:\b(?:in|of|on|during|since|early|mid|late|last|next|by|until|for)\s+)$", re.IGNORECASE
)
LEAD = 32
"""So many characters before a month are looked at. To look at all of them takes their square."""
YEAR = re.compile(r"\b((?:19|20)\d\d)\b")
ISO = re.compile(r"\b((?:19|20)\d\d)[-/](\d{1,2})[-/](\d{1,2})\b")
AGO = re.compile(r"\b(\d{1,6}|an?|one|two|three|four|five|six) (day|week|month|year)s? ago\b", re.IGNORECASE)
LAST = re.compile(r"\b(?:last|past|previous) (week|month|year)\b", re.IGNORECASE)
YESTERDAY = re.compile(r"\byesterday\b", re.IGNORECASE)
MOST = 16
"""Nobody asks for more: each is compared with every candidate."""
DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """A stretch of time, `end` excluded. Without `year`, the same stretch of every year."""

    year: int | None
    month: int | None
    day: int | None

    def around(self, moment: datetime) -> list[tuple[datetime, datetime]]:
        """The occurrences nearest to `moment`: the year's own, or its and the last year's."""
        years = [self.year] if self.year is not None else [moment.year, moment.year - 1]
        return [span for year in years if (span := self._span(year, moment)) is not None]

    def _span(self, year: int, moment: datetime) -> tuple[datetime, datetime] | None:
        try:
            start = datetime(year, self.month or 1, self.day or 1, tzinfo=moment.tzinfo)
            if self.day is not None:
                return start, start + timedelta(days=1)
            if self.month is None:
                return start, start.replace(year=year + 1)
            return start, (start + timedelta(days=32)).replace(day=1)
        except (ValueError, OverflowError):  # no day of the calendar, or at its end
            return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of time fixed by when the question is asked."""

    start: datetime
    end: datetime

    def around(self, moment: datetime) -> list[tuple[datetime, datetime]]:
        """Itself."""
        return [(self.start, self.end)]


def periods(question: str, at: datetime | None) -> tuple[Period | Span, ...]:
    """What `question`, asked `at`, names: dates, months, years, and with `at` "last week", "two days ago".
    What lies before the year 1 is left out, and what is named after MOST others."""
    dated = [*_iso(question), *_named(question)]
    if not dated:
        dated = [Period(year=int(year), month=None, day=None) for year in YEAR.findall(question)]
    named = (*dated, *(_relative(question, at) if at is not None else ()))
    return tuple(dict.fromkeys(named))[:MOST]


def _relative(question: str, at: datetime) -> list[Span]:
    stretches = [(2, 0)] if YESTERDAY.search(question) else []
    stretches += [(2 * DAYS[unit.lower()], 0) for unit in LAST.findall(question)]
    for number, unit in AGO.findall(question):
        days = DAYS[unit.lower()] * (int(number) if number.isdigit() else NUMBERS[number.lower()])
        slack = max(1, days // 4)
        stretches.append((days + slack, days - slack))
    return [span for stretch in stretches if (span := _before(at, *stretch)) is not None]


def _before(at: datetime, first: int, last: int) -> Span | None:
    """From `first` to `last` days before `at`."""
    try:
        return Span(start=at - timedelta(days=first), end=at - timedelta(days=last))
    except OverflowError:
        return None


def _iso(question: str) -> list[Period]:
    return [Period(year=int(y), month=int(m), day=int(d)) for y, m, d in ISO.findall(question)]


def _named(question: str) -> list[Period]:
    found = list[Period]()
    for match in DATE.finditer(question):
        day, year = match["before"] or match["after"], match["year"]
        before = question[max(0, match.start() - LEAD) : match.start()]
        if not (day or year or _is_month(match["month"], before)):
            continue
        found.append(
            Period(
                year=int(year) if year else None,
                month=next(i for i, name in enumerate(NAMES, 1) if name[:3] == match["month"].lower()[:3]),
                day=int(day) if day and 1 <= int(day) <= 31 else None,
            )
        )
    return found


def _is_month(word: str, before: str) -> bool:
    """ "may", "march" and their like are months only after a preposition."""
    return (
        word.lower() not in {"may", "march", "mar", "jan", "jun", "dec"} or LEADS.search(before) is not None
    )
