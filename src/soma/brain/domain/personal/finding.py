"""What is looked for in a text, and what was found."""

from dataclasses import dataclass
from enum import StrEnum


class PersonalData(StrEnum):
    """A class of data that says who somebody is, or opens what is theirs."""

    SECRET = "secret"  # noqa: S105 - the name of the class
    CARD = "card"
    IBAN = "iban"
    NATIONAL_ID = "national_id"
    EMAIL = "email"
    IP = "ip"
    PHONE = "phone"


class Treatment(StrEnum):
    """What becomes of a class where it is found in something to remember."""

    STORE = "store"
    HASH = "hash"
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`text[start:end]` is of class `data`. `canonical` is the value in its one spelling: equal values are
    equal there, however they were written."""

    data: PersonalData
    start: int
    end: int
    canonical: str
