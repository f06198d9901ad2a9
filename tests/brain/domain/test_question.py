"""soma.brain.domain.question"""

from collections.abc import Mapping

import pytest

from soma.brain.domain.question import Question, question_of
from soma.brain.domain.understood import understood

pytestmark = pytest.mark.req("MEM-002")


def read(text: str, *speakers: str, shares: Mapping[str, float] | None = None) -> Question:
    return question_of(text, speakers=speakers, share=lambda term: (shares or {}).get(term, 0.0))


def test_a_speaker_is_who_is_asked_about_and_no_term() -> None:
    question = read("What did Ada say about her boat in May 2024?", "Ada Lovelace", "Bob")
    assert question.named == ("Ada Lovelace",)
    assert question.dense == "What did I say about her boat in May 2024?"
    assert "boat" in question.terms
    assert "ada" not in question.terms
    assert understood(question).periods == ("2024-05",)


def test_a_name_that_everybody_calls_is_no_subject() -> None:
    assert read("What did we give Karla?", shares={"karla": 0.2}).dense == "What did we give ?"


def test_what_a_session_was_about_stays_the_subject() -> None:
    """One session of thirty, all of it about one thing."""
    asked = "Which museum did I like in Tokyo?"
    assert read(asked, "user", "assistant", shares={"tokyo": 0.033}).dense == asked


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("What did I say about the boat?", "user"),
        ("What did you recommend for dinner?", "assistant"),
        ("Who called?", ""),
    ],
)
def test_whose_words_are_asked_for(text: str, side: str) -> None:
    assert read(text, "user", "assistant").asked_of == side
