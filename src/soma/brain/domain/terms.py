"""The terms of a text: what full-text search compares."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from threading import local

import Stemmer

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]+")
"""Scripts written without spaces; their terms are pairs of characters."""

FUNCTION_WORDS = frozenset(
    """
    a an the and or but nor so if then than that this these those there here it its he she they him her his
    hers their theirs them we us our ours you your yours i me my mine myself yourself himself herself itself
    themselves am is are was were be been being do does did done doing have has had having can could will
    would shall should may might must of in on at to from by for with about into onto over under after before
    during between through as up down out off again not no yes what when where who whom whose which why how
    s t re ve ll d m don didn doesn isn wasn aren weren hasn haven hadn wouldn couldn shouldn won
    much many some any each other another both all also just very too really
    """.split()
)
"""Words that say how a question is put, not what it is about. None of them is a term."""

_stemmers = local()


def words(text: str) -> list[str]:
    """The words in lower case, as written otherwise."""
    return WORD.findall(unicodedata.normalize("NFKC", text).lower())


def terms(text: str) -> Iterator[str]:
    """The terms in order: English words stemmed, function words left out, other scripts as they are."""
    for word in words(text):
        plain = word.replace("’", "'").split("'")[0].removesuffix("n" if "n'" in word else "")
        if UNSPACED.search(plain):
            yield from _pairs(plain)
        elif plain and plain not in FUNCTION_WORDS:
            yield stem(plain)


@lru_cache(16_384)
def stem(word: str) -> str:
    """The English stem of a lower-case word; a word with letters beyond ASCII stays whole."""
    if not word.isascii():
        return word
    if not hasattr(_stemmers, "english"):
        _stemmers.english = Stemmer.Stemmer("english")  # not safe to share between threads
    stemmed: str = _stemmers.english.stemWord(word)
    return stemmed


def _pairs(word: str) -> Iterator[str]:
    yield from ([word] if len(word) == 1 else (word[i : i + 2] for i in range(len(word) - 1)))
