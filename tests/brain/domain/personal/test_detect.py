"""soma.brain.domain.personal.detect"""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from soma.brain.domain.personal.detect import _apart, detect
from soma.brain.domain.personal.finding import Finding, PersonalData

pytestmark = pytest.mark.req("MEM-001", "PRIV-001")

EVERYTHING = tuple(PersonalData)
GITHUB = "ghp_" + "a1B2" * 9
RANDOM_KEY = "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=40))


def found(text: str, region: str | None = None) -> list[tuple[str, str]]:
    return [
        (each.data.value, text[each.start : each.end]) for each in detect(text, EVERYTHING, region=region)
    ]


@pytest.mark.parametrize(
    ("text", "data", "value"),
    [
        ("It is 4111 1111 1111 1111, until 12/27", "card", "4111 1111 1111 1111"),
        ("4111-1111-1111-1111 2024", "card", "4111-1111-1111-1111"),
        ("amex 378282246310005.", "card", "378282246310005"),
        ("Card:5555555555554444", "card", "5555555555554444"),
        ("DE89 3704 0044 0532 0130 00 and so on", "iban", "DE89 3704 0044 0532 0130 00"),
        ("to gb82west12345698765432!", "iban", "gb82west12345698765432"),
        ("ssn 123-45-6789", "national_id", "123-45-6789"),
        ("DNI 12345678Z", "national_id", "12345678Z"),
        ("RSSMRA85T10A562S", "national_id", "RSSMRA85T10A562S"),
        ("CPF 390.533.447-05", "national_id", "390.533.447-05"),
        ("my bsn is 111222333", "national_id", "111222333"),
        ("mail Ada.L@Example.org!", "email", "Ada.L@Example.org"),
        ("at 192.168.0.1.", "ip", "192.168.0.1"),
        ("at 2001:db8::1", "ip", "2001:db8::1"),
        ("call +351 912 345 678", "phone", "+351 912 345 678"),
        ("my password is hunter2!", "secret", "hunter2"),
        ("password: correcthorse", "secret", "correcthorse"),
        (f"use {GITHUB} for it", "secret", GITHUB),
        ("AKIAIOSFODNN7EXAMPLE", "secret", "AKIAIOSFODNN7EXAMPLE"),
        (f"it is {RANDOM_KEY}", "secret", RANDOM_KEY),
    ],
)
def test_finds(text: str, data: str, value: str) -> None:
    assert found(text) == [(data, value)]


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111112",
        "order 111222333",
        "the year 2024 and 3.14159265358979",
        "id 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "sha e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "the password is required",
        "the token expired yesterday",
        "DE89 3704 0044 0532 0130 01",
        "[card:3f9a1c2b5e6d7f80]",
        "I paid 1200 euro on 12 May 2024 at 10:30",
        "We met @ noon",
    ],
)
def test_leaves_what_only_looks_alike(text: str) -> None:
    assert found(text) == []


def test_a_private_key_is_found_whole() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"
    assert found(f"here:\n{key}\nbye") == [("secret", key)]


def test_a_number_without_a_country_code_is_at_home_somewhere() -> None:
    assert found("ring 020 7946 0958") == []
    assert found("ring 020 7946 0958", region="GB") == [("phone", "020 7946 0958")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4111 1111 1111 1111", "4111-1111-1111-1111"),
        ("DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
        ("ada@example.org", "ADA@Example.Org"),
        ("+351 912 345 678", "+351912345678"),
        ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
        ("390.533.447-05", "CPF 39053344705"),
    ],
)
def test_spellings_of_a_value_have_one_canonical(one: str, other: str) -> None:
    [here], [there] = detect(one, EVERYTHING), detect(other, EVERYTHING)
    assert (here.data, here.canonical) == (there.data, there.canonical)


def test_only_what_is_wanted_is_looked_for() -> None:
    text = "ada@example.org pays with 4111 1111 1111 1111"
    assert [each.data for each in detect(text, [PersonalData.EMAIL])] == [PersonalData.EMAIL]


@given(
    digits=st.integers(0, 10**14 - 1).map("4{:014}".format),
    before=st.sampled_from(["", "card ", "(", "a, "]),
    after=st.sampled_from(["", ".", " and", ")"]),
)
def test_every_card_is_found_wherever_it_stands(digits: str, before: str, after: str) -> None:
    number = digits + luhn.calc_check_digit(digits)
    grouped = " ".join(number[at : at + 4] for at in range(0, 16, 4))
    for written in (number, grouped):
        cards = detect(before + written + after, [PersonalData.CARD])
        assert [each.canonical for each in cards] == [number]


@given(st.text(max_size=200))
def test_findings_are_apart_and_in_order(text: str) -> None:
    findings = detect(text, EVERYTHING)
    ends = [0, *(each.end for each in findings)]
    assert all(end <= each.start < each.end for end, each in zip(ends, findings, strict=False))


spans = st.tuples(st.integers(0, 60), st.integers(1, 9)).map(lambda each: (each[0], each[0] + each[1]))


@given(found_=st.lists(spans, max_size=30), ids=st.lists(st.integers(0, 5), unique=True).map(sorted))
def test_of_two_over_each_other_the_first_stands(found_: list[tuple[int, int]], ids: list[int]) -> None:
    taken = [(12 * place, 12 * place + 6) for place in ids]
    stand = list[tuple[int, int]]()
    for start, end in found_:
        if all(end <= first or last <= start for first, last in (*taken, *stand)):
            stand.append((start, end))
    findings = [Finding(data=PersonalData.CARD, start=start, end=end, canonical="") for start, end in found_]
    assert [(each.start, each.end) for each in _apart(findings, list(taken))] == sorted(stand)
