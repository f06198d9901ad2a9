"""Texts to remember, and questions about them: made up, in English, no two alike."""

from collections.abc import Iterator
from itertools import product

import numpy as np

PEOPLE = "Ada Boris Chloe Dmitri Elena Farid Grace Hiro Ines Jonas Katya Luis Mina Noor Omar Petra".split()
DEEDS = """
    repaired painted ordered found borrowed sold described cleaned planted measured photographed packed
    returned promised cancelled finished rented catalogued
""".split()
KINDS = "old small red wooden broken heavy cheap rare blue folding electric leaking foreign painted".split()
THINGS = """
    bicycle violin lantern kettle boat telescope ladder carpet camera engine bookshelf tent mirror piano pump
    radio compass garden clock saddle loom oven map drone
""".split()
PLACES = """
    harbour library station market workshop island school orchard museum hospital bakery mill theatre farm
    laboratory village airport bridge
""".split()
OPENINGS = ("Last week", "On Tuesday", "In the morning", "Two years ago", "Yesterday", "In 2021", "Since May")
REMARKS = (
    "It took longer than anybody had thought.",
    "The neighbours helped, and wanted nothing for it!",
    "Honestly, the price was far too high for what it is.",
    "Next time somebody else may do that.",
    "We talked about it for an hour afterwards.",
    "Did you ever hear of such a thing?",
    "There is a photograph of it in the kitchen.",
    "Nobody knows yet who is going to pay.",
)


def texts(count: int, *, first: int = 0) -> list[str]:
    """`count` texts of two to four sentences, about 30 words, from number `first` on; each number has its
    own. A fifth of their words are rare: names of towns that occur once in many thousand texts."""
    return [_text(number) for number in range(first, first + count)]


def questions(count: int, *, among: int) -> Iterator[str]:
    """`count` questions about the texts with numbers below `among`, evenly spread."""
    for number in np.linspace(0, among - 1, count).astype(int).tolist():
        who, did, kind, thing, place = _facts(number)
        yield f"Who {did} the {kind} {thing} at the {place} in {_town(number)}, was it {who}?"


def _text(number: int) -> str:
    who, did, kind, thing, place = _facts(number)
    chosen = np.random.default_rng([7, number])
    opening = OPENINGS[chosen.integers(len(OPENINGS))]
    remarks = [REMARKS[place] for place in chosen.permutation(len(REMARKS))[: chosen.integers(1, 4)]]
    return (
        f"{opening} {who} {did} a {kind} {thing} at the {place} in {_town(number)}, number {number}. "
        + " ".join(remarks)
    )


def _facts(number: int) -> tuple[str, ...]:
    found = []
    for options in (PEOPLE, DEEDS, KINDS, THINGS, PLACES):
        # A different stride for each, so that all combinations come up.
        number, place = divmod(number * 2_654_435_761 % 4_294_967_296, len(options))
        found.append(options[place])
    return tuple(found)


SYLLABLES = ["".join(pair) for pair in product("bdfgklmnprstvz", "aeiou")]


def _town(number: int) -> str:
    """One of some 24,000 names."""
    size = len(SYLLABLES)
    name = "".join(SYLLABLES[number * factor // 7 % size] for factor in (1, 11, 131))
    return name.capitalize()
