"""soma.brain.domain.capsule_verification and what it stands on: whatever was changed is found, and named."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.base.canonical import canonical_bytes
from soma.base.errors import SomaError
from soma.brain.domain.capsule_fault import CapsuleFault
from soma.brain.domain.capsule_limits import CapsuleLimits
from soma.brain.domain.capsule_reading import read_capsule
from soma.brain.domain.capsule_verification import SignedCapsule, verify_capsule
from soma.brain.domain.memory_capsule import MemoryCapsule
from soma.brain.errors import CapsuleIssuerUnknown, CapsuleRefused, CapsuleTooLarge
from tests.brain.capsules import HASH, KEY, STRANGER, block, capsule, signed

pytestmark = pytest.mark.req("MEM-005")

TRUSTED = (KEY.public.hex(),)
LIMITS = CapsuleLimits()
REFUSALS = (CapsuleRefused, CapsuleTooLarge, CapsuleIssuerUnknown)
DOCUMENT = signed(capsule("The kettle is in the workshop.", "Der Schlüssel liegt unter der Matte."))

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(str.strip)
SCALAR = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT | st.floats(-1e9, 1e9)
NAME = TEXT.filter(lambda name: not name.startswith("capsule_") and name not in {"recalled_from", "kind"})
MOMENT = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
BLOCKS = st.lists(
    st.builds(
        lambda content, key, **more: block(content, key=key, **more),
        TEXT.filter(str.strip),
        TEXT.filter(bool),
        occurred_at=MOMENT,
        importance=st.floats(0, 1) | st.integers(0, 1),
        provenance=st.dictionaries(NAME, SCALAR, max_size=5),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda each: each.key,
)


def verified(data: bytes, limits: CapsuleLimits = LIMITS) -> SignedCapsule:
    return verify_capsule(data, trusted=TRUSTED, limits=limits)


def fault(data: bytes, limits: CapsuleLimits = LIMITS) -> str:
    with pytest.raises(SomaError) as refused:
        verified(data, limits)
    assert isinstance(refused.value, REFUSALS)
    assert refused.value.extra["reason"] == refused.value.reason
    return refused.value.reason


def changed(change: Callable[[dict[str, Any]], object], data: bytes = DOCUMENT) -> bytes:
    document = json.loads(data)
    change(document)
    return canonical_bytes(document)


@given(blocks=BLOCKS, name=LINE, version=st.integers(1, 2**31 - 1), made=MOMENT)
def test_what_is_signed_is_read_back(blocks: list[Any], name: str, version: int, made: datetime) -> None:
    original = capsule(name=name, version=version, created_at=made, blocks=tuple(blocks))
    data = signed(original)
    read = verified(data)
    assert read.capsule == original
    assert signed(read.capsule) == data
    assert (read.size, read.manifest) == (len(data), original.manifest())


@settings(max_examples=400)
@given(st.data())
def test_any_byte_that_is_changed_is_found(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(DOCUMENT) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != DOCUMENT[place]))
    assert fault(DOCUMENT[:place] + bytes([other]) + DOCUMENT[place + 1 :]) in set(CapsuleFault)


@pytest.mark.parametrize("bit", [0, 1, 5, 7])
def test_every_place_is_guarded(bit: int) -> None:
    for place, byte in enumerate(DOCUMENT):
        fault(DOCUMENT[:place] + bytes([byte ^ (1 << bit)]) + DOCUMENT[place + 1 :])


@given(st.integers(0, len(DOCUMENT)), st.binary(min_size=1, max_size=3))
def test_what_is_put_in_or_left_out_is_found(place: int, extra: bytes) -> None:
    fault(DOCUMENT[:place] + extra + DOCUMENT[place:])
    fault(DOCUMENT[:place] + DOCUMENT[place + len(extra) :] if place < len(DOCUMENT) else b"")


def test_each_fault_has_its_name() -> None:
    assert fault(b"") == "not_json"
    assert fault(b"\xff\xfe") == "not_json"
    assert fault(b"[" * 100_000) == "not_json"
    assert fault(DOCUMENT + b"\n") == "not_canonical"
    assert fault(json.dumps(json.loads(DOCUMENT), indent=1).encode()) == "not_canonical"
    assert fault(b'{"a":1,"a":1}') == "not_canonical"
    assert fault(b'{"a":NaN}') == "not_canonical"
    assert fault(b'"\\ud800"') == "not_canonical"
    assert fault(b"[]") == "bad_member"
    assert fault(b"{}") == "unknown_schema"
    assert fault(changed(lambda it: it.update(schema_version=2))) == "unknown_schema"
    assert fault(changed(lambda it: it.update(surprise=1))) == "bad_member"
    assert fault(changed(lambda it: it.pop("policy_hash"))) == "bad_member"
    assert fault(changed(lambda it: it.update(blocks=[]))) == "no_blocks"
    assert fault(changed(lambda it: it["blocks"][0].update(content="Another"))) == "altered_block"
    assert fault(changed(lambda it: it["blocks"][0].update(importance=0.6))) == "altered_block"
    assert fault(changed(lambda it: it["blocks"][0]["provenance"].update(page=1))) == "altered_block"
    assert fault(changed(lambda it: it.update(description="Another"))) == "wrong_digest"
    assert fault(changed(lambda it: it["blocks"].reverse())) == "wrong_digest"
    assert fault(changed(lambda it: it["blocks"].pop())) == "wrong_digest"
    assert fault(changed(lambda it: it.update(signature="00" * 64))) == "bad_signature"


def test_a_signature_is_of_this_content_and_of_this_key() -> None:
    one, other = capsule("One."), capsule("Another.")
    swapped = changed(lambda it: it.update(signature=json.loads(signed(one))["signature"]), signed(other))
    assert fault(swapped) == "bad_signature"
    assert fault(signed(one, STRANGER)) == "bad_signature"


def test_an_issuer_is_believed_only_if_trusted() -> None:
    strange = signed(capsule("Mine.", issuer=STRANGER.public.hex()), STRANGER)
    assert fault(strange) == "unknown_issuer"
    with pytest.raises(CapsuleIssuerUnknown):
        verify_capsule(DOCUMENT, trusted=(), limits=LIMITS)


@pytest.mark.parametrize(
    ("limits", "reason", "maximum", "unit"),
    [
        (replace(LIMITS, bytes=len(DOCUMENT) - 1), "oversize", len(DOCUMENT) - 1, "bytes"),
        (replace(LIMITS, blocks=1), "too_many_blocks", 1, "blocks"),
    ],
)
def test_a_limit_is_named(limits: CapsuleLimits, reason: str, maximum: int, unit: str) -> None:
    with pytest.raises(CapsuleTooLarge) as refused:
        verified(DOCUMENT, limits)
    assert refused.value.reason == reason
    assert (refused.value.extra["maximum"], refused.value.extra["unit"]) == (maximum, unit)


def test_a_block_takes_what_a_message_does() -> None:
    assert verified(signed(capsule("a" * 32_768))).capsule.blocks[0].size == 32_768
    with pytest.raises(CapsuleTooLarge) as refused:
        verified(signed(capsule("a" * 32_769)))
    assert refused.value.reason == "block_oversize"
    assert (refused.value.extra["maximum"], refused.value.extra["actual"]) == (32_768, 32_769)


def test_keys_are_unique() -> None:
    twice = capsule(blocks=(block("One.", key="k"), block("Two.", key="k")))
    assert fault(signed(twice)) == "duplicate_key"


@pytest.mark.parametrize(
    "bad",
    [
        block(" "),
        block("a\0b", key="k"),
        block("a", key="k" * 301),
        block("a", role="r" * 41),
        block("a", importance=1.5),
        block("a", provenance={"capsule_id": "another's"}),
        block("a", provenance={"recalled_from": "x"}),
        block("a", provenance={"nested": {}}),
        block("a", provenance={str(number): 1 for number in range(33)}),
        block("a", provenance={"long": "x" * 1_001}),
    ],
)
def test_a_block_that_memory_would_not_take_is_refused(bad: Any) -> None:
    assert fault(signed(capsule(blocks=(block("Fine."), bad)))) == "bad_block"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "two\nlines"},
        {"name": "n" * 201},
        {"description": "d" * 2_001},
        {"version": 0},
        {"version": 2**31},
        {"policy_hash": "none"},
        {"policy_hash": HASH.upper()},
        {"constitution_hash": ""},
    ],
)
def test_a_header_that_is_wrong_is_refused(changes: dict[str, Any]) -> None:
    assert fault(signed(capsule("a", **changes))) == "bad_member"


@pytest.mark.parametrize(
    "name", ["id", "created_at", "issuer", "digest", "signature", "version", "name", "blocks"]
)
@pytest.mark.parametrize("value", [None, 5, "", [], {}, True, "2026-13-01T00:00:00.000000Z"])
def test_members_of_another_kind_are_refused(name: str, value: Any) -> None:
    if (name, value) != ("version", 5) and (name, value) != ("name", "2026-13-01T00:00:00.000000Z"):
        assert fault(changed(lambda it: it.update({name: value}))) in {"bad_member", "no_blocks"}


def test_one_block_is_checked_without_the_others() -> None:
    made: MemoryCapsule = verified(DOCUMENT).capsule
    stated = json.loads(made.manifest())["blocks"][1]
    assert stated == {"key": made.blocks[1].key, "digest": made.blocks[1].digest, "bytes": 37}
    assert read_capsule(DOCUMENT).block_digests[1] == made.blocks[1].digest
