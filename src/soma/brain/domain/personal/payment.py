"""Payment cards and bank accounts."""

import re
import unicodedata
from collections.abc import Iterator

from stdnum import iban, luhn

from soma.brain.domain.personal.finding import Finding, PersonalData

DIGITS = re.compile(r"(?<![\w])(?<!\d[.,])\d+(?:[ \u00a0\u202f.-]\d+)*(?!\w)")
GROUP = re.compile(r"\d+")
ISSUED = re.compile(
    r"""4(?:\d{12}|\d{15}|\d{18})                                  # Visa
    |(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}  # Mastercard
    |3[47]\d{13}                                                   # American Express
    |3(?:0[0-5]|095|[689]\d)\d{11}                                 # Diners
    |(?:6011|64[4-9]\d|65\d{2}|62\d{2}|35(?:2[89]|[3-8]\d)|81\d{2})\d{12,15}  # Discover, UnionPay, JCB
    |(?:50\d{2}|5[6-9]\d{2}|6[37]\d{2})\d{12}                      # Maestro""",
    re.VERBOSE,
)
"""ISO 7812 numbers as issuers give them out: without their beginnings one number in ten has the right sum."""

SHORTEST, LONGEST = 13, 19

IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,30}", re.IGNORECASE)


def cards(text: str) -> Iterator[Finding]:
    """Card numbers: an issuer's beginning, 13 to 19 digits, the sum of Luhn."""
    for run in DIGITS.finditer(text):
        groups = [(run.start() + each.start(), each.group()) for each in GROUP.finditer(run.group())]
        yield from _cards_of(groups)


def _cards_of(groups: list[tuple[int, str]]) -> Iterator[Finding]:
    first = 0
    while first < len(groups):
        last = _card_end(groups, first)
        if last is None:
            first += 1
            continue
        start, (at, tail) = groups[first][0], groups[last]
        number = _plain("".join(group for _, group in groups[first : last + 1]))
        yield Finding(data=PersonalData.CARD, start=start, end=at + len(tail), canonical=number)
        first = last + 1


def _card_end(groups: list[tuple[int, str]], first: int) -> int | None:
    """The last group of the longest card number that begins with the group `first`."""
    number, found = "", None
    for place in range(first, len(groups)):
        number += _plain(groups[place][1])
        if len(number) > LONGEST:
            break
        if len(number) >= SHORTEST and ISSUED.fullmatch(number) and luhn.is_valid(number):
            found = place
    return found


def ibans(text: str) -> Iterator[Finding]:
    """Bank accounts of ISO 13616, in the form of their country, with the check digits of mod 97."""
    for match in IBAN.finditer(text):
        end = _iban_end(text, match)
        if end is not None:
            number = iban.compact(text[match.start() : end])
            yield Finding(data=PersonalData.IBAN, start=match.start(), end=end, canonical=number)


def _iban_end(text: str, match: re.Match[str]) -> int | None:
    """Where the longest account ends that begins where the match does: words may follow it."""
    for end in range(match.end(), match.start() + 14, -1):
        stands_alone = end == len(text) or not text[end].isalnum()
        if stands_alone and iban.is_valid(
            text[match.start() : end].replace("\u00a0", " "), check_country=False
        ):
            return end
    return None


def _plain(digits: str) -> str:
    """The digits of any script as ASCII."""
    return "".join(str(unicodedata.digit(each)) for each in digits)
