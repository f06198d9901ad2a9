"""How long a text is to the embedding model, without asking it."""

import re
import unicodedata

MAX_TOKENS = 200
"""Of a chunk's text. MiniLM reads 256 word pieces; title and headings stand before the text. In English prose
these are about 150 words."""

PIECE_TOKENS = 180
"""Of a part that is not cut further: its heading fits into the chunk with it."""

UNIT = re.compile(r"[A-Za-z]+|[^\W\d_]+|\d+|[^\w\s]|_")
LATIN_END = "\u0250"


def tokens(text: str) -> int:
    """About how many word pieces `text` makes. English words are one or two, digits go by threes, marks by
    one; letters beyond Latin script have a piece each."""
    return sum(_pieces(unit) for unit in UNIT.findall(text))


def _pieces(unit: str) -> int:
    if unit.isascii():
        return 1 + len(unit) // 8 if unit.isalpha() else 1 + (len(unit) - 1) // 3
    if max(unit) < LATIN_END:
        return 1 + len(unit) // 3
    return sum(1 for letter in unit if not unicodedata.combining(letter)) or 1
