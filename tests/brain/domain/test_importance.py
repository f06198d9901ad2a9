"""soma.brain.domain.importance"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.domain.importance import FLOOR, importance, worth

pytestmark = pytest.mark.req("MEM-001")


@pytest.mark.parametrize(
    "text",
    [
        "ok",
        "Thanks!",
        "lol",
        "haha yes",
        "OK, great, thank you so much!",
        "Good morning :)",
        "👍",
        "?",
        "Bye!!",
    ],
)
def test_chatter_is_worth_nothing(text: str) -> None:
    assert importance(text) == 0.0
    assert worth(importance(text), 1.0) < FLOOR


@pytest.mark.parametrize(
    "text",
    [
        "My dog is called Rex",
        "I moved to Lisbon last year",
        "The meeting is at 10:30",
        "Ada likes tea",
        "We are vegetarians now",
        "42",
    ],
)
def test_facts_are_worth_keeping(text: str) -> None:
    assert importance(text) >= FLOOR


def test_a_single_word_counts_where_it_is_new() -> None:
    assert importance("Blue.") < FLOOR < worth(importance("Blue."), 1.0)
    assert worth(importance("Blue."), 0.0) < FLOOR


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("the dog barked", "the dog Rex barked"),
        ("a dog barked", "my dog barked"),
        ("they paid for lunch", "they paid 20 for lunch"),
        ("the meeting moved", "the meeting moved to monday"),
        ("the cat", "the black cat sleeps"),
    ],
)
def test_what_tells_more_is_worth_more(less: str, more: str) -> None:
    assert importance(less) < importance(more)


@given(st.text(max_size=300), st.floats(0, 1))
def test_it_is_a_share_and_depends_on_nothing_else(text: str, novelty: float) -> None:
    score = importance(text)
    assert 0.0 <= score == importance(text) <= worth(score, novelty) <= 1.0
