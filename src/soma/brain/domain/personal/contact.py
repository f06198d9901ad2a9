"""E-mail addresses, addresses of machines, and telephone numbers."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

import phonenumbers

from soma.brain.domain.personal.finding import Finding, PersonalData

EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w](?:[\w-]{0,61}[\w])?\.)+[^\W\d_]{2,24}(?![\w-])", re.UNICODE
)
IP = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.\d)"
)
SEVEN_DIGITS = re.compile(r"(?:\d[^\w\n]{0,3}){7}")
"""No number that can be called is shorter; the library looks long at every digit."""


def emails(text: str) -> Iterator[Finding]:
    """E-mail addresses; one in small letters and in large ones is one."""
    if "@" not in text:
        return
    for match in EMAIL.finditer(text):
        yield _finding(PersonalData.EMAIL, match, match.group().lower())


def ip_addresses(text: str) -> Iterator[Finding]:
    """IPv4 and IPv6 addresses."""
    for match in IP.finditer(text):
        try:
            address = ip_address(match.group())
        except ValueError:
            continue
        yield _finding(PersonalData.IP, match, address.compressed)


def phones(text: str, region: str | None) -> Iterator[Finding]:
    """Telephone numbers that exist by their country's plan: with a country code, or as they are written in
    `region` (two letters)."""
    if not SEVEN_DIGITS.search(text):
        return
    for match in phonenumbers.PhoneNumberMatcher(text, region):
        number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        yield Finding(data=PersonalData.PHONE, start=match.start, end=match.end, canonical=number)


def _finding(data: PersonalData, match: re.Match[str], canonical: str) -> Finding:
    return Finding(data=data, start=match.start(), end=match.end(), canonical=canonical)
