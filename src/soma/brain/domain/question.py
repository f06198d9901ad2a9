"""What a question asks for: about whom, about when, and in which words."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from soma.brain.domain.periods import Period, Span, periods
from soma.brain.domain.terms import stem, terms, words

MACHINES = frozenset({"assistant", "ai", "bot", "model", "system", "agent", "tool"})
ROLES = MACHINES | {"user", "human", "me", "you", "unknown", "speaker", ""}
"""Labels that name a part in the conversation and no person."""

WANTS_TIME = re.compile(
    r"\b(?:when|(?:what|which) (?:date|day|week|weekend|month|year|time)"
    r"|how long|how (?:many|much) (?:days|weeks|months|years|time))\b",
    re.IGNORECASE,
)
SAID_BY_YOU = re.compile(
    r"\byou(?:'ve|’ve| have| had| also| just)* (?:recommend|suggest|sa(?:id|y)\b|t(?:old|ell)\b|mention"
    r"|g(?:a|i)ve|provid|shar|list|expla|wrote|describ|advis|propos|refer|outlin|recit|generat|creat"
    r"|c[ao]me up)"
    r"|\b(?:did|had) you\b"
    r"|\byour (?:recommend|suggest|advice|answer|repl|list|respons|explanat|previous|last)",
    re.IGNORECASE,
)
FIRST_PERSON = re.compile(r"\b(?:i|my|mine|me|myself|we|our)\b", re.IGNORECASE)
SECOND_PERSON = re.compile(r"\b(?:you|your|yours)\b", re.IGNORECASE)
COMMON_NAME = 0.05
"""A name that this share of the records hold is somebody's who takes part, and tells them no better apart
than a function word does. What was only talked of, be it for a whole session of many, stays below: without it
the question would have no subject."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """`dense` is the text to embed. `named` are speakers in order of mention; `asked_of` is "user",
    "assistant" or "" where it names none; `first_person`: the asker speaks of themselves."""

    dense: str
    terms: tuple[str, ...]
    named: tuple[str, ...]
    asked_of: str
    first_person: bool
    wants_time: bool
    periods: tuple[Period | Span, ...]


def question_of(
    text: str, *, speakers: Sequence[str], share: Callable[[str], float], at: datetime | None = None
) -> Question:
    """Read `text`, asked `at`, against a namespace with these `speakers`, in which `share(term)` of the
    records hold a term."""
    mentions = _mentions(text, [speaker for speaker in speakers if speaker.lower() not in ROLES])
    named = tuple(dict.fromkeys(mentions.values()))
    names = {stem(word) for mention in mentions for word in words(mention)}
    found = tuple(dict.fromkeys(term for term in terms(text) if term not in names))
    return Question(
        dense=_spoken(text, mentions, named) if named else _without_common_names(text, share),
        terms=found,
        named=named,
        asked_of=_asked_of(text),
        first_person=FIRST_PERSON.search(text) is not None,
        wants_time=WANTS_TIME.search(text) is not None,
        periods=periods(text, at),
    )


def _mentions(text: str, speakers: Sequence[str]) -> dict[str, str]:
    """What stands in `text` for a speaker → the speaker, in order: the name, a part of it that is no other
    speaker's, or a short form of it ("Mel"). Lower case counts only where nothing has capitals."""
    parts: dict[str, list[str]] = {}
    for speaker in speakers:
        for part in {speaker, *speaker.split()}:
            parts.setdefault(part.casefold(), []).append(speaker)
    owners = {part: whose[0] for part, whose in parts.items() if len(whose) == 1 and len(part) > 1}
    lower = text == text.lower()
    found: dict[str, tuple[int, str]] = {}
    taken = text
    for part in sorted(owners, key=len, reverse=True):
        for match in re.finditer(rf"\b{re.escape(part)}\b", taken, re.IGNORECASE):
            if lower or match[0][0].isupper() or not match[0][0].isalpha():
                found.setdefault(match[0], (match.start(), owners[part]))
                taken = taken[: match.start()] + "_" * len(match[0]) + taken[match.end() :]
    for match in re.finditer(r"(?<=\s)[^\W\d_]{3,}\b", taken):
        whose = [part for part in owners if part.startswith(match[0].casefold())]
        if match[0][0].isupper() and len({owners[part] for part in whose}) == 1:
            found.setdefault(match[0], (match.start(), owners[whose[0]]))
    return {mention: speaker for mention, (_, speaker) in sorted(found.items(), key=lambda item: item[1][0])}


def _spoken(text: str, mentions: dict[str, str], named: Sequence[str]) -> str:
    """As the first one named would put it: people say "I" and "you" where a question has their names."""
    for mention, speaker in sorted(mentions.items(), key=lambda item: -len(item[0])):
        pronoun, possessive = ("I", "my") if speaker == named[0] else ("you", "your")
        text = re.sub(rf"\b{re.escape(mention)}(?:['’]s\b|['’](?!\w))", possessive, text)
        text = re.sub(rf"\b{re.escape(mention)}\b", pronoun, text)
    return text


def _without_common_names(text: str, share: Callable[[str], float]) -> str:
    def cut(match: re.Match[str]) -> str:
        return "" if share(stem(match[1].lower())) > COMMON_NAME else match[0]

    return re.sub(r"(?<=\s)([A-Z][a-z]+)(?:['’]s)?\b", cut, text)


def _asked_of(text: str) -> str:
    if SAID_BY_YOU.search(text):
        return "assistant"
    if FIRST_PERSON.search(text):
        return "user"
    return "assistant" if SECOND_PERSON.search(text) else ""
