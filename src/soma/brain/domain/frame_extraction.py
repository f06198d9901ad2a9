"""Reading frames out of English by rules: clause by clause, without a model.

It reads simple declarative clauses. What no rule is sure of stays absent: a role that is wrong is worse than
one that is missing.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from soma.brain.domain.frame import MAX_FILLERS, Filler, Frame, Role, filler_of, phrase_token
from soma.brain.domain.frame_predicates import Clause, clause_of
from soma.brain.domain.frame_times import times_of
from soma.brain.domain.frame_words import (
    FIRST_PERSON,
    KIN,
    LEADING,
    LIVING,
    MOVING,
    NEARNESS,
    NO_NAMES,
    PLACES,
    PRONOUNS,
    TITLES,
)
from soma.brain.domain.sentences import SENTENCE, is_question
from soma.brain.domain.terms import words

MAX_FRAMES = 8
MAX_SENTENCES = 32
"""Of a memory: longer ones are not read to their end."""
MAX_CHARACTERS = 600
"""Of a sentence: it bounds what reading costs, whatever is written."""

SPLIT = re.compile(
    r";|,?\s+\b(?:and|but|so)\s+(?=(?:I|we|he|she|they|my|our|his|her|their|it)\b)|,\s+(?:and|but|so)\s+"
)
WHY = re.compile(
    r"\b(?:because of|because|due to|so that|in order to|thanks to)\s+(?P<why>[^;.!?]+)", re.IGNORECASE
)
NAME = r"[A-ZÀ-Þ][\w’'-]*[^\W\d_]"
NAMES = rf"{NAME}(?:\s+(?:(?:of|de|la|del|van|von|the)\s+)?{NAME})*"
PLACE = re.compile(
    rf"\b(?P<preposition>(?i:{NEARNESS}|{LEADING}))\s+"
    rf"(?:(?P<proper>(?:(?:the|\d+)\s+)?{NAMES})"
    r"|(?:(?P<home>home|school|work|church|town|university|college|bed)\b)"
    r"|(?P<phrase>(?:(?i:the|a|an|my|our|his|her|their|your|this|that|level|room|gate|platform|floor)\s+)"
    r"\w[\w’'-]*(?:\s+\w[\w’'-]*){0,3}))"
)
HOME = re.compile(r"\bhome\b", re.IGNORECASE)
TO_HOME = re.compile(r"\b(?:at|to) home\b")
CALLED = re.compile(rf"\b(?:called|named|name is|names are|name's)\s+(?P<name>{NAMES})")
WITH = re.compile(
    rf"\b(?:with|meet|met|meeting|see|saw|visited|asked|told|married|for|to|from|owe|by)\s+"
    rf"(?P<name>{NAME}(?:\s+{NAME})?)(?!['’]s)"
)
TITLED = re.compile(rf"\b(?:{TITLES})\.?\s+(?P<name>{NAMES})")
KINSHIP = re.compile(
    rf"\b(?i:my|our|his|her|their)\s+(?P<kin>(?i:{'|'.join(sorted(KIN))}))\b(?!['’]s)(?:,?\s+(?P<name>{NAMES}))?"
)
OF_NAME = re.compile(rf"\b(?P<name>{NAME})['’]s\b")


def frames_of(text: str, *, speaker: str, occurred_at: datetime) -> tuple[Frame, ...]:
    """The frames of `text`, said by `speaker` ("" where nobody is known), at most MAX_FRAMES.

    A clause makes one where it tells an action or a place. Its time is the one it names, else `occurred_at`.
    Questions make none.
    """
    frames = list[Frame]()
    for sentence in SENTENCE.findall(text)[:MAX_SENTENCES]:
        if is_question(sentence):
            continue
        for clause in SPLIT.split(sentence[:MAX_CHARACTERS]):
            frame = _frame(clause.strip(), speaker, occurred_at)
            if frame is not None:
                frames.append(frame)
            if len(frames) == MAX_FRAMES:
                return tuple(frames)
    return tuple(frames)


def _frame(sentence: str, speaker: str, occurred_at: datetime) -> Frame | None:
    times, rest = _taken(sentence, list(islice(times_of(sentence, occurred_at), MAX_FILLERS)))
    reasons, rest = _reason(rest)
    places, rest = _taken(rest, list(_places(rest)))
    clause = clause_of(rest)
    found = {
        Role.WHO: _distinct(_who(rest, clause, speaker)),
        Role.WHAT: _distinct(_what(clause)),
        Role.WHEN: _distinct(times) or (_day(occurred_at),),
        Role.WHERE: _distinct(places),
        Role.WHY: _distinct(reasons),
    }
    if not found[Role.WHAT] and not (found[Role.WHERE] and found[Role.WHO]):
        return None
    return Frame(roles={role: fillers for role, fillers in found.items() if fillers})


def _taken(text: str, found: Sequence[tuple[Filler, int, int]]) -> tuple[list[Filler], str]:
    """The fillers in order, and the text with a break where they stood."""
    for _, start, end in found:
        text = f"{text[:start]}|{' ' * (end - start - 1)}{text[end:]}"
    return [filler for filler, start, _ in sorted(found, key=lambda each: each[1])], text


def _reason(text: str) -> tuple[list[Filler], str]:
    match = WHY.search(text)
    if match is None or not match["why"].strip(" |,"):
        return [], text
    return [filler_of(match["why"].strip(" |,"))], text[: match.start()]


def _places(text: str) -> Iterator[tuple[Filler, int, int]]:
    for match in PLACE.finditer(text):
        preposition = match["preposition"].lower()
        if match["proper"]:
            # "to Ann", "by Bob" are people; "on" leads to days and names of things.
            here = preposition in {
                "in",
                "at",
                "near",
                "into",
                "around",
                "through",
                "across",
                "outside",
                "inside",
            }
            if match["proper"].lower() in NO_NAMES:
                continue
            if here or (preposition in {"to", "from"} and _moves(text)):
                yield filler_of(match["proper"]), match.start(), match.end("proper")
        elif match["home"]:
            if preposition in {"at", "in", "to", "from"}:
                yield filler_of(match["home"]), match.start(), match.end("home")
        else:
            end = _place_end(match["phrase"], preposition)
            if end:
                place = match["phrase"][:end]
                yield filler_of(place), match.start(), match.start("phrase") + end
    home = HOME.search(text)
    if home is not None and not TO_HOME.search(text) and _moves(text):
        yield filler_of(home[0]), home.start(), home.end()


def _moves(text: str) -> bool:
    return not MOVING.isdisjoint(phrase_token(text).split(" "))


def _place_end(phrase: str, preposition: str) -> int:
    """Where the place that `phrase` begins with ends; 0 if it begins with none. After a preposition of
    nearness whatever stands there is one, up to the next preposition or verb of being."""
    ends = [match.end() for match in re.finditer(r"[\w’'-]+", phrase)]
    tokens = [match[0].lower() for match in re.finditer(r"[\w’'-]+", phrase)]
    stop = next((i for i, token in enumerate(tokens) if i and token in STOPS), len(tokens))
    heads = [i for i in range(1, stop) if tokens[i] in PLACES]
    if tokens[0] in {"level", "room", "gate", "platform", "floor"}:
        return ends[1] if stop > 1 and tokens[1][:1].isalnum() and tokens[1] not in STOPS else 0
    if heads:
        return ends[heads[-1]]
    if re.fullmatch(NEARNESS, preposition) and stop > 1:
        return ends[stop - 1]
    return 0


STOPS = frozenset(
    """
    in at on to from with for of and or but is are was were has have had because when while near behind under
    as by that which who where it he she they we i by after before until since
    """.split()
)


def _who(text: str, clause: Clause | None, speaker: str) -> Iterator[Filler]:
    """The people of a clause: its subject first."""
    if clause is not None:
        if clause.subject.lower() in FIRST_PERSON:
            if speaker:
                yield filler_of(speaker)
        elif clause.named:
            for name in re.split(r"\s+and\s+|,\s*", clause.subject):
                yield filler_of(name)
    for match in KINSHIP.finditer(text):
        yield from (filler_of(match[part]) for part in ("name", "kin") if match[part])
    living = not (KIN | LIVING).isdisjoint(words(text))
    for pattern in (*([CALLED] if living else []), TITLED, WITH, OF_NAME):
        for match in pattern.finditer(text):
            if match["name"].lower() not in NO_NAMES:
                yield filler_of(match["name"])


def _what(clause: Clause | None) -> Iterator[Filler]:
    if clause is None:
        return
    if clause.predicate:
        yield filler_of(clause.predicate)
    if clause.object:
        yield filler_of(clause.object)
    subject = clause.subject.lower()
    if subject and not clause.named and subject not in PRONOUNS and KIN.isdisjoint(subject.split()):
        yield filler_of(clause.subject)


def _day(moment: datetime) -> Filler:
    return Filler(token=moment.date().isoformat(), text=moment.date().isoformat())


def _distinct(fillers: Iterable[Filler]) -> tuple[Filler, ...]:
    found = {filler.token: filler for filler in reversed(list(fillers)) if filler.token}
    return tuple(reversed(list(found.values())))[:MAX_FILLERS]
