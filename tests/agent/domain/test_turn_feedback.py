"""soma.agent.domain.turn_feedback"""

from typing import Any
from uuid import UUID

import pytest

from soma.agent.domain.evidence import EvidenceBlock
from soma.agent.domain.turn_feedback import Thumb, TurnFeedback
from soma.base.clock import now
from soma.base.errors import InvalidInput, LimitExceeded
from soma.base.ids import new_id

pytestmark = pytest.mark.req("LEARN-004")
CAT, DOG = new_id(), new_id()
QUESTION = "What is my pet called?"


def block(identity: UUID, content: str) -> EvidenceBlock:
    return EvidenceBlock(
        id=str(identity),
        content=content,
        role="user",
        occurred_at=now(),
        score=0.5,
        confidence=0.5,
        features={},
        provenance={},
    )


EVIDENCE = [block(CAT, "My cat is called Ada"), block(DOG, "My dog is called Bo")]


def judged(answer: str = "It is Ada.", **said: Any) -> list[bool | None]:
    """What is said of the cat and of the dog."""
    found = TurnFeedback(**said).judge(QUESTION, answer, EVIDENCE)
    return [found.get(str(each)) for each in (CAT, DOG)]


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ({"thumb": Thumb.UP}, 1.0),
        ({"thumb": Thumb.DOWN}, 0.0),
        ({"rating": 1}, 0.0),
        ({"rating": 4}, 0.75),
        ({"rating": 5}, 1.0),
        ({"correction": "Bo"}, 0.0),
        ({"correction": "Bo", "rating": 3}, 0.5),
        ({"marks": {CAT: True}}, None),
    ],
)
def test_the_score_is_what_was_said(said: dict[str, Any], score: float | None) -> None:
    assert TurnFeedback(**said).score == score


def test_a_good_answer_speaks_for_what_it_used() -> None:
    assert judged(thumb=Thumb.UP) == [True, False]
    assert judged(rating=4) == [True, False]


def test_a_bad_answer_says_nothing_of_what_would_have_been_right() -> None:
    assert judged(thumb=Thumb.DOWN) == [None, None]
    assert judged(rating=3) == [None, None]
    assert judged("I would not know.", thumb=Thumb.UP) == [None, None]


def blamed(answer: str = "It is Ada.", **said: Any) -> list[bool | None]:
    found = TurnFeedback(**said).blame(QUESTION, answer, EVIDENCE)
    return [found.get(str(each)) for each in (CAT, DOG)]


def test_a_bad_answer_is_held_against_what_it_used() -> None:
    assert blamed(thumb=Thumb.DOWN) == blamed(rating=2) == [True, False]


@pytest.mark.parametrize(
    "said",
    [
        {"thumb": Thumb.UP},
        {"rating": 3},
        {"correction": "Bo"},
        {"thumb": Thumb.DOWN, "marks": {DOG: True}},
    ],
)
def test_no_other_answer_is(said: dict[str, Any]) -> None:
    assert blamed(**said) == [None, None]
    assert blamed("I would not know.", thumb=Thumb.DOWN) == [None, None]


def test_a_correction_speaks_for_what_it_has_something_from() -> None:
    assert judged(correction="No, Bo is the one I meant.") == [False, True]
    assert judged(correction="Neither of them.") == [None, None]


def test_marks_come_before_all_else() -> None:
    assert judged(thumb=Thumb.UP, marks={DOG: True}) == [False, True]
    assert judged(thumb=Thumb.UP, marks={CAT: False}) == [False, None]
    assert judged(marks={CAT: False, DOG: True}) == [False, True]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"thumb": Thumb.UP, "rating": 5},
        {"rating": 0},
        {"rating": 6},
        {"correction": " "},
        {"correction": "a\x00b"},
        {"correction": "\ud800"},
    ],
)
def test_what_says_nothing_sensible_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        TurnFeedback(**said)


def test_past_its_limits_it_names_them() -> None:
    with pytest.raises(LimitExceeded, match="32768"):
        TurnFeedback(correction="a" * 32769)
    with pytest.raises(LimitExceeded, match="100"):
        TurnFeedback(marks={new_id(): True for _ in range(101)})
