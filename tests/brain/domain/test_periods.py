"""soma.brain.domain.periods: what a question may name, and when it may be asked"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.domain.periods import DAYS, NAMES, Span, periods

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
        assert isinstance(period, Span)
        assert period.start < period.end
        assert period.end <= at or count == 0


@given(moments, st.sampled_from(NAMES), st.integers(0, 40))
def test_any_month_or_day_can_be_asked_for_of_what_happened_at_any_time(
    moment: datetime, month: str, day: int
) -> None:
    for text in (f"What happened in {month}?", f"What happened on {day} {month}?", "And in 2024?"):
        for period in periods(text, NOON):
            for start, end in period.around(moment):
                assert start < end
