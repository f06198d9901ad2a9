"""soma.agent.domain.used_evidence"""

from datetime import UTC, datetime

import pytest

from soma.agent.domain.evidence import EvidenceBlock
from soma.agent.domain.used_evidence import used_evidence

pytestmark = pytest.mark.req("MEM-004")


def block(content: str) -> EvidenceBlock:
    return EvidenceBlock(
        id=content,
        content=content,
        role="user",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        score=0.5,
        confidence=0.5,
        features={},
        provenance={},
    )


@pytest.mark.parametrize(
    ("question", "answer", "used"),
    [
        ("What is my dog's name?", "Your dog is called Rex.", ["My dog is called Rex"]),
        ("What is my dog's name?", "REX!", ["My dog is called Rex"]),
        ("How old am I?", "You are 37.", ["I am 37 years old"]),
        (
            "Who is Rex, and how old am I?",
            "A dog; you are 37 years.",
            ["My dog is called Rex", "I am 37 years old"],
        ),
        ("What is my dog's name?", "I do not know your dog's name.", []),
        ("Is my dog called Rex?", "Yes, your dog is called Rex.", []),
        ("Hello", "", []),
    ],
)
def test_what_an_answer_has_from_evidence_and_not_from_the_question_is_used(
    question: str, answer: str, used: list[str]
) -> None:
    evidence = [block("My dog is called Rex"), block("I am 37 years old")]
    assert [each.content for each in used_evidence(question, answer, evidence)] == used
