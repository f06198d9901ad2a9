"""All that is found in a text."""

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain

from soma.brain.domain.personal.contact import emails, ip_addresses, phones
from soma.brain.domain.personal.finding import Finding, PersonalData
from soma.brain.domain.personal.national_id import national_ids
from soma.brain.domain.personal.payment import cards, ibans
from soma.brain.domain.personal.secret import secrets

UUID = re.compile(r"(?<!\w)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?!\w)", re.IGNORECASE)

Detector = Callable[[str], Iterator[Finding]]
DETECTORS: dict[PersonalData, Detector] = {
    PersonalData.SECRET: secrets,
    PersonalData.CARD: cards,
    PersonalData.IBAN: ibans,
    PersonalData.NATIONAL_ID: national_ids,
    PersonalData.EMAIL: emails,
    PersonalData.IP: ip_addresses,
}


def detect(text: str, wanted: Collection[PersonalData], *, region: str | None = None) -> tuple[Finding, ...]:
    """What `text` holds of the classes `wanted`, in order, none over another. Of two over each other the one
    stands whose class PersonalData names first. `region`: see `phones`. Ids (UUID) are not looked into."""
    asked = [detector(text) for data, detector in DETECTORS.items() if data in wanted]
    if PersonalData.PHONE in wanted:
        asked.append(phones(text, region))
    return _apart(chain.from_iterable(asked), [match.span() for match in UUID.finditer(text)])


def _apart(found: Iterable[Finding], taken: list[tuple[int, int]]) -> tuple[Finding, ...]:
    """Those that are over none of `taken`, which are in order and apart, nor over one found before."""
    kept: list[Finding] = []
    for each in found:
        place = bisect_left(taken, (each.start, each.end))
        beside = taken[max(0, place - 1) : place + 1]
        if all(each.end <= start or end <= each.start for start, end in beside):
            kept.append(each)
            taken.insert(place, (each.start, each.end))
    return tuple(sorted(kept, key=lambda each: each.start))
