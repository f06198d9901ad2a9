"""Role–filler frames: who did what, when, where and why, as a memory tells it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from soma.brain.domain.terms import stem, words

MAX_FILLERS = 3
"""Of a role in a frame; more are left out."""
MAX_TEXT = 200
MAX_WORDS = 8
ARTICLES = frozenset("a an the my our his her their your this that of".split())


class Role(StrEnum):
    """What a filler is in an event."""

    WHO = "who"
    WHAT = "what"
    WHEN = "when"
    WHERE = "where"
    WHY = "why"


@dataclass(frozen=True, kw_only=True, slots=True)
class Filler:
    """What fills a role: `text` as it was said, and the `token` that is compared: stems, or of a time its ISO
    8601 date, as far as it is known."""

    token: str
    text: str

    @property
    def parts(self) -> tuple[str, ...]:
        """What another filler may share with it: the stems, or a date's year, month and day."""
        return parts_of(self.token)


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """The roles that a text fills, in the order of Role, each with at most MAX_FILLERS fillers; a role that
    it does not fill is absent."""

    roles: Mapping[Role, tuple[Filler, ...]]

    def pairs(self) -> Iterator[tuple[Role, int, Filler]]:
        """Every filler with its role and its place among the role's."""
        for role, fillers in self.roles.items():
            for place, filler in enumerate(fillers):
                yield role, place, filler

    def coverage(self, role: Role, token: str) -> float:
        """The largest share of the `token`'s cue that a filler of `role` has, in [0, 1]."""
        wanted = cue_parts(token)
        return max(
            (len(wanted & set(filler.parts)) / len(wanted) for filler in self.roles.get(role, ())),
            default=0.0,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredFrame:
    """A frame, the memory that tells it, and its `position` among the memory's frames."""

    record_id: UUID
    position: int
    frame: Frame


def parts_of(token: str) -> tuple[str, ...]:
    """The parts of a token: its stems; of a date the prefixes, "2026", "2026-01" and "2026-01-04"."""
    if token[:4].isdigit() and token[4:5] == "-":
        pieces = token.split("-")
        return tuple("-".join(pieces[:count]) for count in range(1, len(pieces) + 1))
    return tuple(token.split(" "))


def cue_parts(token: str) -> frozenset[str]:
    """The parts by which a token is asked for: a date by itself, since every other of its year shares its
    year with it, so that "2026-01" finds "2026-01-04", and "2026-01-05" does not."""
    return frozenset([token] if len(parts := parts_of(token)) > 1 and parts[-1] == token else parts)


def phrase_token(text: str) -> str:
    """What is compared of a phrase: the stems of its words, irregular forms by their verb."""
    return " ".join(IRREGULAR.get(word) or stem(word) for word in words(text.replace("’", "'")))


def filler_of(text: str) -> Filler:
    """The filler that a phrase is, without what stands before and around it; its token is "" for no words."""
    kept = " ".join(text.split())[:MAX_TEXT].strip(" ,'’\"-")
    bare = [word for word in words(kept) if word not in ARTICLES] or words(kept)
    return Filler(token=phrase_token(" ".join(bare[:MAX_WORDS]))[:MAX_TEXT], text=kept)


IRREGULAR = {
    form: lemma
    for lemma, forms in {
        "be": "am is are was were been being",
        "becom": "became",
        "begin": "began begun",
        "break": "broke broken",
        "bring": "brought",
        "build": "built",
        "buy": "bought",
        "catch": "caught",
        "choos": "chose chosen",
        "come": "came",
        "do": "did done does",
        "draw": "drew drawn",
        "drink": "drank drunk",
        "drive": "drove driven",
        "eat": "ate eaten",
        "fall": "fell fallen",
        "feel": "felt",
        "find": "found",
        "fli": "flew flown",
        "forget": "forgot forgotten",
        "get": "got gotten",
        "give": "gave given",
        "go": "went gone goes",
        "grow": "grew grown",
        "have": "has had",
        "hear": "heard",
        "hide": "hid hidden",
        "hold": "held",
        "keep": "kept",
        "know": "knew known",
        "leav": "left",
        "lend": "lent",
        "lose": "lost",
        "make": "made",
        "meet": "met",
        "pay": "paid",
        "ride": "rode ridden",
        "run": "ran",
        "say": "said",
        "see": "saw seen",
        "sell": "sold",
        "send": "sent",
        "sing": "sang sung",
        "sleep": "slept",
        "speak": "spoke spoken",
        "spend": "spent",
        "stand": "stood",
        "steal": "stole stolen",
        "swim": "swam swum",
        "take": "took taken",
        "teach": "taught",
        "tell": "told",
        "think": "thought",
        "throw": "threw thrown",
        "understand": "understood",
        "wake": "woke woken",
        "wear": "wore worn",
        "win": "won",
        "write": "wrote written",
    }.items()
    for form in forms.split()
}
"""Form → the stem of its verb, for forms that a stemmer does not bring together."""

PAST_FORMS = sorted(set(IRREGULAR) - set("am is are been being has does goes".split()))
