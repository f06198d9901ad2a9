"""Which of the recalled evidence an answer used."""

import re
from collections.abc import Sequence

from soma.agent.domain.evidence import EvidenceBlock

WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]{2,}")

FUNCTION_WORDS = frozenset(
    """
    about after again all also always am an and any are as at be been before being but by can could did do
    does down every for from get go going good got had has have he her here him his how if in into is it
    its just know let like made make many me more most much my never no not now of off often ok on one
    only or other our out over own please really said say see she should so some still such sure than
    thank thanks that the their them then there these they thing things this those through to too up us
    very want was way we well went were what when where which while who whom whose why will with would yes
    yet you your yours
    """.split()
)
"""Words that tell nothing of where an answer comes from."""


def used_evidence(question: str, answer: str, evidence: Sequence[EvidenceBlock]) -> list[EvidenceBlock]:
    """Those of `evidence` that `answer` has something from: a number or a telling word that stands in both
    and that `question` does not bring along."""
    asked = telling_words(question)
    told = telling_words(answer) - asked
    return [block for block in evidence if telling_words(block.content) & told]


def telling_words(text: str) -> frozenset[str]:
    """The numbers and the words of `text`, in lower case, but those that any text may hold."""
    return frozenset(WORD.findall(text.lower())) - FUNCTION_WORDS
