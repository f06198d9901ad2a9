"""soma.brain.domain.utterance"""

import pytest

from soma.brain.domain.utterance import UtteranceKind, utterance_kind
from tests.brain.told_and_asked import TOLD_AND_ASKED, UNRELATED


def statements(texts: list[str]) -> list[str]:
    return [text for text in texts if utterance_kind(text, role="user") is UtteranceKind.STATEMENT]


@pytest.mark.req("MEM-001")
def test_facts_are_statements() -> None:
    facts = [told for told, _ in TOLD_AND_ASKED]
    assert statements(facts) == facts


@pytest.mark.req("MEM-001")
def test_questions_are_none_with_their_mark_and_hardly_ever_without() -> None:
    questions = [asked for _, asked in TOLD_AND_ASKED]
    assert statements(questions) == []
    assert statements([asked.rstrip("?") for asked in questions]) == ["Since when don't I smoke"]


@pytest.mark.req("MEM-001")
def test_requests_are_none() -> None:
    assert statements(list(UNRELATED)) == ["Thanks, that is helpful"]


@pytest.mark.req("MEM-001")
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("When I was a child we lived in Oslo", UtteranceKind.STATEMENT),
        ("Will is my brother", UtteranceKind.STATEMENT),
        ("May 5 is my birthday", UtteranceKind.STATEMENT),
        ("My dog is called Rex. What should he eat?", UtteranceKind.STATEMENT),
        ("Remember that my dog is called Rex", UtteranceKind.STATEMENT),
        ("Call me Ishmael", UtteranceKind.STATEMENT),
        ("What’s my name", UtteranceKind.QUESTION),
        ("hey, so what is my name", UtteranceKind.QUESTION),
        ("Is that so", UtteranceKind.QUESTION),
        ("Tell me a joke", UtteranceKind.COMMAND),
        ("OK, now calculate 12 * 7", UtteranceKind.COMMAND),
        ("Je m'appelle Ada", UtteranceKind.STATEMENT),
        ("你好", UtteranceKind.STATEMENT),
        ("", UtteranceKind.STATEMENT),
        ("...", UtteranceKind.STATEMENT),
    ],
)
def test_kinds(text: str, kind: UtteranceKind) -> None:
    assert utterance_kind(text, role="user") is kind


@pytest.mark.req("MEM-001")
@pytest.mark.parametrize("text", ["Your dog's name is Max.", "What is your dog's name?"])
def test_what_an_assistant_says_is_a_reply(text: str) -> None:
    assert utterance_kind(text, role="assistant") is UtteranceKind.REPLY
