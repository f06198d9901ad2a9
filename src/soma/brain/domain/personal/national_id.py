"""Numbers that states give to people.

What has a form of its own is known by that and its check digits. A bare row of digits is one only where words
before it say so: one order number in ten or eleven has the right check digit as well.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stdnum.be import nn
from stdnum.br import cpf
from stdnum.cl import rut
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import cc, nif
from stdnum.se import personnummer
from stdnum.tr import tckimlik
from stdnum.us import ssn
from stdnum.za import idnr as za_idnr

from soma.brain.domain.personal.finding import Finding, PersonalData

REACH = 48
"""Characters before a number in which words say what it is."""

ANY_ID = (
    r"(?:national|personal|identity|citizen|social|tax|health)\s+(?:security\s+)?"
    r"(?:id\b|identity|number|no\b|card)"
)


@dataclass(frozen=True, slots=True)
class Form:
    """How a country writes its numbers, and what has to stand before one that is digits only."""

    country: str
    pattern: re.Pattern[str]
    valid: Callable[[str], bool]
    said: re.Pattern[str] | None = None


def _form(country: str, pattern: str, valid: Callable[[str], bool], said: str = "") -> Form:
    return Form(
        country,
        re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE),
        valid,
        re.compile(rf"\b(?:{said}|{ANY_ID})", re.IGNORECASE) if said else None,
    )


FORMS = (
    _form("us", r"\d{3}-\d{2}-\d{4}", ssn.is_valid),
    _form("us", r"\d{9}|\d{3} \d{2} \d{4}", ssn.is_valid, r"ssn\b|social security"),
    _form("es", r"\d{8}-?[a-z]", dni.is_valid),
    _form("es", r"[xyz]-?\d{7}-?[a-z]", nie.is_valid),
    _form("it", r"[a-z]{6}[\dl-v]{2}[a-z][\dl-v]{2}[a-z][\dl-v]{3}[a-z]", codicefiscale.is_valid),
    _form("fr", r"[12] ?\d{2} ?\d{2} ?[\dab]{2} ?\d{3} ?\d{3} ?\d{2}", nir.is_valid),
    _form("br", r"\d{3}\.\d{3}\.\d{3}-\d{2}", cpf.is_valid),
    _form("br", r"\d{11}", cpf.is_valid, r"cpf\b"),
    _form("mx", r"[a-z]{4}\d{6}[hm][a-z]{5}[\da-z]\d", curp.is_valid),
    _form("cn", r"\d{17}[\dx]", ric.is_valid),
    _form("fi", r"\d{6}[-+a-f]\d{3}[\da-y]", hetu.is_valid),
    _form("se", r"(?:\d{2})?\d{6}[-+]\d{4}", personnummer.is_valid),
    _form("no", r"\d{6} ?\d{5}", fodselsnummer.is_valid),
    _form("be", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", nn.is_valid),
    _form("be", r"\d{11}", nn.is_valid, r"rijksregister\w*|registre national|insz\b|niss\b"),
    _form("cl", r"\d{1,2}\.\d{3}\.\d{3}-[\dk]", rut.is_valid),
    _form("kr", r"\d{6}-\d{7}", rrn.is_valid),
    _form("pt", r"\d{8} ?\d ?[\da-z]{2}\d", cc.is_valid),
    _form("pt", r"\d{9}|\d{3} \d{3} \d{3}", nif.is_valid, r"nif\b|contribuinte"),
    _form("nl", r"\d{9}", bsn.is_valid, r"bsn\b|burgerservicenummer|sofinummer"),
    _form("de", r"\d{11}|\d{2} \d{3} \d{3} \d{3}", idnr.is_valid, r"steuer\W?id\w*|idnr\b|tin\b"),
    _form("pl", r"\d{11}", pesel.is_valid, r"pesel\b"),
    _form("gb", r"\d{3}[ -]?\d{3}[ -]?\d{4}", nhs.is_valid, r"nhs\b"),
    _form("in", r"\d{4}[ -]?\d{4}[ -]?\d{4}", aadhaar.is_valid, r"aadhaar|uidai|uid\b"),
    _form("za", r"\d{13}", za_idnr.is_valid, r"south african id|rsa id"),
    _form("tr", r"\d{11}", tckimlik.is_valid, r"kimlik|tckn\b"),
)
FEWEST_DIGITS = 7
"""A text with fewer has no such number: in none of the forms do letters stand for more."""


def national_ids(text: str) -> Iterator[Finding]:
    """Numbers of people, by country."""
    if sum(map(str.isdigit, text)) < FEWEST_DIGITS:
        return
    for form in FORMS:
        for match in form.pattern.finditer(text):
            if _said(form, text, match) and form.valid(match.group()):
                number = "".join(filter(str.isalnum, match.group())).upper()
                yield Finding(
                    data=PersonalData.NATIONAL_ID,
                    start=match.start(),
                    end=match.end(),
                    canonical=f"{form.country}:{number}",
                )


def _said(form: Form, text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - REACH) : match.start()]
    return form.said is None or form.said.search(before) is not None
