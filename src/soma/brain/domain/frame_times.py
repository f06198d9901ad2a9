"""The times that a sentence names, as dates."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from soma.brain.domain.frame import PAST_FORMS, Filler
from soma.brain.domain.periods import DATE, ISO, LEADS, NAMES, NUMBERS, YEAR

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS = {"today": 0, "tonight": 0, "this morning": 0, "yesterday": -1, "last night": -1, "tomorrow": 1}
DAY = re.compile(rf"\b(?:{'|'.join(sorted(DAYS, key=len, reverse=True))})\b", re.IGNORECASE)
SHIFTED = re.compile(r"\b(last|past|previous|this|next|coming) (week|weekend|month|year)\b", re.IGNORECASE)
AGO = re.compile(
    rf"\b(?P<ahead>in )?(?P<count>\d{{1,3}}|{'|'.join(NUMBERS)}) (?P<unit>day|week|month|year)s?"
    r"(?P<ago> ago)?\b",
    re.IGNORECASE,
)
WEEKDAY = re.compile(
    rf"(?<!every )(?<!each )\b(?:(?P<lead>last|next|this|past|coming) )?(?P<day>{'|'.join(WEEKDAYS)})\b",
    re.IGNORECASE,
)
PAST = re.compile(rf"\b(?:\w{{2,}}ed|{'|'.join(PAST_FORMS)})\b", re.IGNORECASE)
HINT = re.compile(
    rf"\d|day|week|month|year|night|morning|tomorrow|\b(?:{'|'.join(name[:3] for name in NAMES)})",
    re.IGNORECASE,
)
"""Without any of these a sentence names no time: most do not, and are not searched for each kind of it."""
SHIFTS = {"last": -1, "past": -1, "previous": -1, "this": 0, "next": 1, "coming": 1}


def times_of(sentence: str, at: datetime) -> Iterator[tuple[Filler, int, int]]:
    """The times that `sentence`, said `at`, names, each with its start and end in the sentence; none overlap.

    A week is named by its Monday, a month or a year by itself. A weekday alone is the last one where the
    sentence has a verb in the past, else the next one; so is a month without a year. What is no date in the
    calendar is left out.
    """
    if HINT.search(sentence) is None:
        return
    taken = list[tuple[int, int]]()
    for finder in (_iso, _named, _days, _shifted, _counted, _weekdays, _years):
        for token, start, end in finder(sentence, at.date()):
            if all(end <= begun or start >= done for begun, done in taken):
                taken.append((start, end))
                yield Filler(token=token, text=sentence[start:end].strip()), start, end


Found = Iterator[tuple[str, int, int]]


def _iso(sentence: str, at: date) -> Found:
    for match in ISO.finditer(sentence):
        year, month, day = (int(part) for part in match.groups())
        if (token := _token(year, month, day)) is not None:
            yield token, match.start(), match.end()


def _named(sentence: str, at: date) -> Found:
    for match in DATE.finditer(sentence):
        day, year = match["before"] or match["after"], match["year"]
        word, before = match["month"].lower(), sentence[: match.start()]
        if not (day or year or (LEADS.search(before) and word not in {"mar", "jan", "dec"})):
            continue
        month = next(number for number, name in enumerate(NAMES, 1) if name[:3] == word[:3])
        token = _token(int(year) if year else _near(month, at, sentence), month, int(day) if day else None)
        if token is not None:
            yield token, match.start(), match.end()


def _days(sentence: str, at: date) -> Found:
    for match in DAY.finditer(sentence):
        moved = _moved(at, DAYS[match[0].lower()])
        if moved is not None:
            yield moved.isoformat(), match.start(), match.end()


def _shifted(sentence: str, at: date) -> Found:
    for match in SHIFTED.finditer(sentence):
        token = _unit_token(at, match[2].lower(), SHIFTS[match[1].lower()])
        if token is not None:
            yield token, match.start(), match.end()


def _counted(sentence: str, at: date) -> Found:
    for match in AGO.finditer(sentence):
        if bool(match["ahead"]) == bool(match["ago"]):
            continue  # neither is a length of time, both is nonsense
        word = match["count"].lower()
        count = int(word) if word.isdigit() else NUMBERS[word]
        token = _unit_token(at, match["unit"].lower(), -count if match["ago"] else count)
        if token is not None:
            yield token, match.start(), match.end()


def _weekdays(sentence: str, at: date) -> Found:
    for match in WEEKDAY.finditer(sentence):
        ahead = (WEEKDAYS.index(match["day"].lower()) - at.weekday()) % 7 or 7
        lead = (match["lead"] or "").lower()
        past = lead in {"last", "past"} or (not lead and PAST.search(sentence) is not None)
        moved = _moved(at, ahead - 7 if past else ahead)
        if moved is not None:
            yield moved.isoformat(), match.start(), match.end()


def _years(sentence: str, at: date) -> Found:
    for match in YEAR.finditer(sentence):
        yield match[1], match.start(), match.end()


def _unit_token(at: date, unit: str, shift: int) -> str | None:
    if unit == "year":
        return f"{at.year + shift:04}" if 1 <= at.year + shift <= 9999 else None
    if unit == "month":
        months = at.year * 12 + at.month - 1 + shift
        return _token(months // 12, months % 12 + 1, None)
    monday = -at.weekday()
    moved = _moved(at, {"day": shift, "week": monday + 7 * shift, "weekend": monday + 5 + 7 * shift}[unit])
    return None if moved is None else moved.isoformat()


def _moved(at: date, days: int) -> date | None:
    try:
        return at + timedelta(days=days)
    except OverflowError:
        return None


def _near(month: int, at: date, sentence: str) -> int:
    """The year of a month without one: the last where the sentence has a verb in the past, else the next."""
    if PAST.search(sentence):
        return at.year - (month > at.month)
    return at.year + (month < at.month)


def _token(year: int, month: int, day: int | None) -> str | None:
    try:
        date(year, month, day or 1)
    except ValueError:
        return None
    return f"{year:04}-{month:02}" if day is None else f"{year:04}-{month:02}-{day:02}"
