"""How much there is in a text to remember, by what it says."""

import re

from soma.brain.domain.sentences import is_question
from soma.brain.domain.terms import WORD, stem, terms
from soma.brain.domain.text_facts import TIME

CHATTER = frozenset(
    map(
        stem,
        """
        ok okay okey k kk yeah yep yup yes no nope nah sure right alright great good nice cool fine awesome
        amazing perfect wow haha hahaha hehe lol lmao rofl omg hmm hm huh uh um ah oh hey hi hello hiya bye
        goodbye thank thanks thx ty welcome please sorry cheers morning night evening pleasure exactly
        absolutely definitely indeed glad understood got get see know interesting sounds agreed true congrats
        congratulations
        """.split(),
    )
)
"""Terms that keep a conversation going and tell nothing."""

NAME = re.compile(r"(?<=[\w,;:] )[A-Z][a-z'’]+|\b[A-Z]{2,}\b")
"""A capital within a sentence; the first person's has one letter."""
OWN = re.compile(r"\b(?:i|i'm|i’m|i've|i’ve|i'd|i'll|my|mine|we|we're|we’re|our|us)\b", re.IGNORECASE)
NUMBER = re.compile(r"\d")

TERM, MOST_TERMS = 0.12, 6
NAMED, NUMBERED, TIMED, TOLD_BY_ONESELF, LONG = 0.25, 0.25, 0.15, 0.15, 0.1
LONG_WORDS = 25
NOVEL = 0.1
"""What a text that is far from all that is known is worth above one that is not."""

FLOOR = 0.2
"""Below it a turn is chatter. A single word with a meaning has TERM: it passes with NOVEL, if that is new."""


def importance(text: str) -> float:
    """How much `text` tells, in [0, 1]: 0 for "ok, thanks!", .12 for a word, about .5 for a plain fact. It
    depends on nothing but the text. Each thing that is in it takes its share of what is left to 1."""
    told = [term for term in dict.fromkeys(terms(text)) if term not in CHATTER]
    if not told and not NUMBER.search(text):
        return 0.0
    shares = [TERM] * min(len(told), MOST_TERMS) + [share for share, there in _facts(text) if there]
    missing = 1.0
    for share in shares:
        missing *= 1.0 - share
    return round(1.0 - missing, 6)


def worth(importance: float, novelty: float) -> float:
    """What a text is worth with how new it is, both in [0, 1]; at least `importance`."""
    return importance + (1.0 - importance) * NOVEL * novelty


def _facts(text: str) -> tuple[tuple[float, bool], ...]:
    return (
        (NAMED, NAME.search(text) is not None),
        (NUMBERED, NUMBER.search(text) is not None),
        (TIMED, TIME.search(text) is not None),
        (TOLD_BY_ONESELF, OWN.search(text) is not None and not is_question(text)),
        (LONG, len(WORD.findall(text)) >= LONG_WORDS),
    )
