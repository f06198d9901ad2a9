"""soma.brain.domain.periods: what a question may name, and when it may be asked"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.domain.periods import DAYS, NAMES, Period, Span, periods

pytestmark = pytest.mark.req("MEM-002")

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
moments = st.datetimes(timezones=st.just(UTC))


def test_so_long_ago_is_a_stretch_about_then() -> None:
    [span] = periods("What did I do 8 days ago?", NOON)
    assert span == Span(start=NOON - timedelta(days=10), end=NOON - timedelta(days=6))
    assert periods("yesterday", NOON) == (Span(start=NOON - timedelta(days=2), end=NOON),)
    assert periods("last week", NOON) == (Span(start=NOON - timedelta(days=14), end=NOON),)


@pytest.mark.parametrize(
    "text",
    [
        "The pyramids were built 4500 years ago.",
        "The dinosaurs died out 66000000 years ago.",
        f"It was {'9' * 5000} days ago.",
        "That was 999999 years ago",
    ],
)
def test_what_was_before_the_calendar_is_no_period(text: str) -> None:
    assert periods(text, NOON) == ()


@given(moments, st.integers(0, 10**12), st.sampled_from(sorted(DAYS)))
def test_any_count_can_be_asked_at_any_time(at: datetime, count: int, unit: str) -> None:
    for period in periods(f"yesterday, last {unit}, {count} {unit}s ago", at):
        for start, end in period.around(at):  # 1900 days may also be the year
            assert start < end
        if isinstance(period, Span):
            assert period.end <= at or count == 0


def test_what_is_named_again_is_one_and_of_too_many_the_first_count() -> None:
    assert periods("in may " * 4000, NOON) == periods("in may", NOON)
    days = [f"{year}-01-01" for year in range(1900, 2099)]
    assert [each.year for each in periods(" ".join(days), NOON) if isinstance(each, Period)] == [
        *range(1900, 1916)
    ]


def test_a_month_that_is_a_word_too_is_one_after_its_preposition_alone() -> None:
    assert periods("They may come", NOON) == ()
    assert periods(f"{'word ' * 50}in  may", NOON) == (Period(year=None, month=5, day=None),)


@given(moments, st.sampled_from(NAMES), st.integers(0, 40))
def test_any_month_or_day_can_be_asked_for_of_what_happened_at_any_time(
    moment: datetime, month: str, day: int
) -> None:
    for text in (f"What happened in {month}?", f"What happened on {day} {month}?", "And in 2024?"):
        for period in periods(text, NOON):
            for start, end in period.around(moment):
                assert start < end
