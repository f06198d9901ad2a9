"""Text as it is kept: of lines, without what no database and no reader wants."""

import re

from soma.brain.adapters.reading.limits import MAX_CHARACTERS
from soma.brain.domain.documents.unreadable import Reason, Unreadable

BREAK = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
NOTHING = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")


def cleaned(text: str) -> str:
    """`text` with every line break as a line feed, without control characters and halves of surrogate
    pairs."""
    return NOTHING.sub("", BREAK.sub("\n", text))


def within_limit(characters: int) -> None:
    """Nothing, for a text that is not too long. Raises Unreadable."""
    if characters > MAX_CHARACTERS:
        raise Unreadable(
            Reason.LIMIT,
            f"The text has {characters:,} characters; the limit is {MAX_CHARACTERS:,} characters",
        )
