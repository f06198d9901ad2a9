"""The subject, the verb and the object of a clause."""

import re
from dataclasses import dataclass

from soma.brain.domain.frame import IRREGULAR
from soma.brain.domain.frame_words import (
    ADVERBS,
    AUXILIARIES,
    BEING,
    BREAKS,
    DETERMINERS,
    NO_NAMES,
    PRONOUNS,
    VERBS,
)
from soma.brain.domain.terms import stem

TOKEN = re.compile(r"[^\W_]+(?:[’'-][^\W_]+)*|[|,;:]")
CONTRACTION = re.compile(
    r"\b(?P<verb>can|won|\w+n)['’]?(?<=['’])t\b|(?<=\w)['’](?P<end>m|re|ve|ll|d)\b|\b(?P<it>it|he|she)['’]s\b",
    re.IGNORECASE,
)
ENDINGS = {"m": "am", "re": "are", "ve": "have", "ll": "will", "d": "would"}
OPENING = frozenset(
    """
    and but so well also then now oh hi hello hey yes no ok okay actually anyway today yesterday
    please remember note that finally luckily sadly unfortunately for the record | ,
    """.split()
) - {"the", "for"}
MAX_SUBJECT, MAX_OBJECT = 5, 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    """What a clause says, as written: `subject`, whether it is `named` by names, `predicate`, `object`; ""
    where there is none."""

    subject: str
    named: bool
    predicate: str
    object: str


def clause_of(text: str) -> Clause | None:
    """The clause that `text` opens with, or None where it has no subject and verb that the rules know."""
    tokens = TOKEN.findall(CONTRACTION.sub(_spaced, text))
    while tokens and tokens[0].lower() in OPENING:
        tokens.pop(0)
    subject = _subject(tokens)
    if subject is None:
        return None
    words, rest = _unbroken(tokens[:subject]), tokens[subject:]
    predicate, being, rest = _predicate(rest)
    if not predicate:
        return None
    head = [word for word in words if word.lower() not in DETERMINERS]
    return Clause(
        subject=" ".join(head),
        named=bool(head) and all(_is_name(word) or word in {"and", ","} for word in head),
        predicate="be" if being else predicate,
        object=_object(rest),
    )


def _spaced(match: re.Match[str]) -> str:
    if match["it"]:
        return f"{match['it']} is"
    if match["end"]:
        return f" {ENDINGS[match['end'].lower()]}"
    verb = match["verb"].lower()
    return {"can": "can not", "won": "will not"}.get(verb, f"{verb.removesuffix('n')} not")


def _subject(tokens: list[str]) -> int | None:
    """How many tokens the subject has; None where it cannot be told."""
    if not tokens:
        return None
    if tokens[0].lower() in PRONOUNS:
        return 1
    for end in range(1, min(len(tokens), MAX_SUBJECT + 1)):
        if tokens[end] in {";", ":"}:
            return None
        if _is_verb(tokens[end], tokens[:end]):
            return end if _can_be_subject(_unbroken(tokens[:end])) else None
    return None


def _unbroken(tokens: list[str]) -> list[str]:
    """Without the places where something was taken out."""
    return [word for word in tokens if word != "|"]


def _can_be_subject(words: list[str]) -> bool:
    return (bool(words) and (words[0].lower() in DETERMINERS)) or all(
        _is_name(word) or word in {"and", ","} for word in words
    )


def _is_name(word: str) -> bool:
    return word[0].isupper() and word.lower() not in NO_NAMES


def _is_verb(word: str, before: list[str]) -> bool:
    lower = word.lower()
    if lower in AUXILIARIES:
        return True
    if word[0].isupper() or before[-1].lower() in DETERMINERS:
        return False
    return _base(lower) in VERBS or (lower.endswith("ed") and len(lower) > 4)


def _base(word: str) -> str:
    return IRREGULAR.get(word) or stem(word)


def _predicate(tokens: list[str]) -> tuple[str, bool, list[str]]:
    """The verb, whether it is only "be", and what follows. Auxiliaries and adverbs before it are passed."""
    being, seen, place = False, False, 0
    while place < len(tokens) and (_passes(tokens[place]) or _is_about_to(tokens[place : place + 3])):
        lower = tokens[place].lower()
        being, seen = being or lower in BEING, seen or lower in AUXILIARIES
        being = being and lower != "going"
        place += 2 if lower == "going" else 1
    word = tokens[place] if place < len(tokens) else ""
    if being and not _is_participle(word):
        return "be", True, tokens[place:]
    if not word or word.lower() in BREAKS or (word.lower() in DETERMINERS):
        had = next(
            (token for token in tokens[:place] if token.lower() in {"have", "has", "had", "do", "did"}), ""
        )
        return had, False, tokens[place:]
    if seen and not being and word.lower() not in BREAKS and not _is_verb(word, ["i"]):
        had = next((token for token in tokens[:place] if token.lower() in {"have", "has", "had"}), "")
        return had, False, tokens[place:]
    return word, False, tokens[place + 1 :]


def _passes(token: str) -> bool:
    lower = token.lower()
    return lower in AUXILIARIES or lower in ADVERBS or (lower.endswith("ly") and len(lower) > 4)


def _is_about_to(tokens: list[str]) -> bool:
    """ "going to buy", but not "going to Japan"."""
    return (
        len(tokens) == 3
        and [each.lower() for each in tokens[:2]] == ["going", "to"]
        and _is_verb(tokens[2], ["i"])
    )


def _is_participle(word: str) -> bool:
    lower = word.lower()
    return (
        bool(lower)
        and lower not in BREAKS
        and (
            (lower.endswith(("ed", "ing")) and len(lower) > 4)
            or (lower in IRREGULAR and lower not in BEING)
            or lower == "born"
        )
    )


def _object(tokens: list[str]) -> str:
    found = list[str]()
    for token in tokens:
        lower = token.lower()
        if found and (lower in BREAKS or lower in {"named", "called"}):
            break
        if lower in {"|", ",", ";", ":"} or lower in BREAKS:
            if found or lower in {"|", ";", ":"}:
                break
            return ""
        if lower in DETERMINERS or (not found and _passes(token)):
            continue
        found.append(token)
        if len(found) == MAX_OBJECT:
            break
    return " ".join(found)
