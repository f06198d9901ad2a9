"""Keys, tokens and passwords."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from soma.brain.domain.personal.finding import Finding, PersonalData

ISSUED = re.compile(
    r"""-----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY(?:[ ]BLOCK)?-----[\s\S]+?(?:-----END[ ][A-Z ]+-----|\Z)
    |(?<![\w-])(?:
        (?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}
        |gh[pousr]_[A-Za-z0-9]{36,255} | github_pat_\w{22,255} | glpat-[\w-]{20,}
        |xox[abeoprs]-[\w-]{10,} | AIza[\w-]{35} | ya29\.[\w-]{20,}
        |(?:sk|pk|rk)_(?:live|test)_\w{16,} | whsec_\w{16,} | sk-[A-Za-z0-9_-]{20,}
        |npm_[A-Za-z0-9]{36} | pypi-[\w-]{50,} | hf_[A-Za-z0-9]{30,} | dop_v1_[0-9a-f]{64}
        |SG\.[\w-]{16,}\.[\w-]{16,} | shpat_[0-9a-fA-F]{32} | AGE-SECRET-KEY-1[A-Z0-9]{58}
        |soma_[0-9a-f]{32}_[\w-]{16,}
        |eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}
    )(?![\w-])""",
    re.VERBOSE,
)
"""What those who issue keys put before them so that they can be found; the last is a JSON Web Token."""

NAMED = re.compile(
    r"""(?<![\w-])(?:pass(?:word|wd|phrase|code)?|pwd|pin(?:[ ]code)?|secret(?:[ _-]?key)?|bearer
        |(?:api|access|auth|private|client|secret)[ _-]?(?:key|token|secret)|token)
    (?P<sign>["']?\s*[:=]\s*|\s+(?:is|was)\s*:?\s+|\s+)["']?(?P<value>[^\s"',;]{4,})""",
    re.IGNORECASE | re.VERBOSE,
)
"""What is said to be one."""

LONG = re.compile(r"(?<![\w/+.=-])[A-Za-z0-9+/_-]{32,}={0,2}(?![\w/+=-])")
BITS = 4.2
"""Entropy of a character from which a long row of them is a key: words have 3 to 4, random Base64 of 32
characters 4.4 and more. Hexadecimal digits have 4 at most: digests and ids are no secrets."""


def secrets(text: str) -> Iterator[Finding]:
    """Keys by their issuers' marks, what is said to be a password or a token, and long random rows."""
    for match in ISSUED.finditer(text):
        yield _finding(match.group(), match.start())
    for match in NAMED.finditer(text):
        value = match["value"].rstrip(".!?)")
        if _is_value(value, assigned=":" in match["sign"] or "=" in match["sign"]):
            yield _finding(value, match.start("value"))
    for match in LONG.finditer(text):
        if _is_random(match.group()):
            yield _finding(match.group(), match.start())


def _is_value(value: str, *, assigned: bool) -> bool:
    """Whether it is more than the next word of the sentence ("the password is required")."""
    if value.startswith("["):
        return False  # a token that stands for one
    mixed = any(each.isdigit() for each in value) or any(not each.isalnum() for each in value[1:-1])
    return len(value) >= 4 and (mixed or (assigned and len(value) >= 6))


def _is_random(row: str) -> bool:
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(any(map(kind, row)) for kind in kinds) and _entropy(row) >= BITS


def _entropy(row: str) -> float:
    """Bits of a character, by how often each occurs."""
    return -sum(count / len(row) * math.log2(count / len(row)) for count in Counter(row).values())


def _finding(value: str, start: int) -> Finding:
    return Finding(data=PersonalData.SECRET, start=start, end=start + len(value), canonical=value)
