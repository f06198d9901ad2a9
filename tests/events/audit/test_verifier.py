"""The verifier that stands alone: an export and a public key are all that it is given."""

import json
import random
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.base.canonical_json import canonical_json
from soma.base.crypto import SigningKey
from soma.events.api import AuditTrail, verifier_source
from soma.events.audit import verifier
from tests.base.test_canonical_json import JSON

pytestmark = pytest.mark.req("AUDIT-001")

EVENTS = 30
KINDS = ("event", "link", "checkpoint")
NAMES = runpy.run_path(str(Path(verifier.__file__)))
"""What the file defines, for what needs no export."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that `somagent audit verifier` prints."""
    path = tmp_path_factory.mktemp("verifier") / "verifier.py"
    path.write_text(verifier_source(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def names(program: Path) -> dict[str, Any]:
    """What it defines."""
    return runpy.run_path(str(program))


@pytest.fixture(scope="module")
def tenant(recorded: Callable[..., UUID]) -> UUID:
    return recorded(EVENTS, every=10)


@pytest.fixture
def export(trail: AuditTrail, tenant: UUID, tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(trail.export(tenant)))
    return path


def run(program: Path, export: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """The verifier in a process of its own, which finds no package but the standard library."""
    command = [sys.executable, "-I", "-S", str(program), str(export), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env={})


def test_an_export_verifies_with_nothing_but_the_key(
    program: Path, export: Path, trail: AuditTrail, tmp_path: Path, tenant: UUID
) -> None:
    key = trail.public_key().public
    ended = run(program, export, "--key", key)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"OK: {EVENTS} of {EVENTS} events, 3 checkpoints")
    assert run(program, export).stderr.startswith("Note: verified with the key that the export itself names")
    assert run(program, export, "--key", "00" * 32).returncode == 1
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps(trail.checkpoint(tenant).as_json()))
    assert run(program, export, "--key", key, "--checkpoint", str(kept)).returncode == 0
    assert run(program, program).returncode == 2


def test_it_imports_nothing_but_the_standard_library(program: Path) -> None:
    script = f"import runpy, sys; runpy.run_path({str(program)!r}); print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.partition(".")[0] for name in ended.stdout.split()}
    assert loaded <= {*sys.stdlib_module_names, "__main__"}


def test_a_broken_export_is_named(program: Path, export: Path, trail: AuditTrail) -> None:
    lines = export.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if '"key":"key 9"' in line)
    export.write_text("".join([*lines[:at], lines[at].replace("key 9", "key 8"), *lines[at + 1 :]]))
    ended = run(program, export, "--key", trail.public_key().public)
    assert ended.returncode == 1
    event_id = json.loads(lines[at])["event"]["event_id"]
    assert ended.stdout == f"BROKEN: event 10 ({event_id}): event or link changed\n"


def test_an_export_that_was_cut_at_an_earlier_head_lacks_the_checkpoint_that_was_kept(
    program: Path, export: Path, trail: AuditTrail, tenant: UUID, tmp_path: Path
) -> None:
    """Whoever has an older export may show that; a checkpoint that was kept tells."""
    lines = [json.loads(line) for line in export.read_text().splitlines()]
    at = next(n for n, line in enumerate(lines) if line["kind"] == "checkpoint" and n > 20)
    lines[0]["head"] = lines[at]["checkpoint"]
    counts = {f"{kind}s": sum(line["kind"] == kind for line in lines[: at + 1]) for kind in KINDS}
    cut = [*lines[: at + 1], {"kind": "end", **counts}]
    export.write_bytes(b"".join(canonical_json(line) + b"\n" for line in cut))
    key = trail.public_key().public
    assert run(program, export, "--key", key).returncode == 0
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps(trail.checkpoint(tenant).as_json()))
    ended = run(program, export, "--key", key, "--checkpoint", str(kept))
    assert ended.returncode == 1
    assert "the chain lacks your checkpoint" in ended.stdout


@pytest.mark.parametrize("round_number", range(5))
def test_no_byte_and_no_line_of_an_export_can_be_changed(
    names: dict[str, Any], export: Path, trail: AuditTrail, round_number: int
) -> None:
    chance, lines = random.Random(round_number), export.read_text().splitlines(keepends=True)
    key = trail.public_key().public
    assert names["verified"](iter(lines), key, None).events == EVENTS
    for _ in range(60):
        changed = [*lines]
        one, two = chance.sample(range(len(lines)), 2)
        match chance.randrange(5):
            case 0:
                changed.pop(one)
            case 1:
                changed[one], changed[two] = changed[two], changed[one]
            case 2:
                changed.insert(two, changed[one])
            case 3:
                changed = changed[:one]
            case _:
                at = chance.randrange(len(lines[one]))
                new = chance.choice([c for c in 'a0 }"\n' if c != lines[one][at]])
                changed[one] = lines[one][:at] + new + lines[one][at + 1 :]
        assert not verifies(names, changed, key), (one, two)


def verifies(names: dict[str, Any], lines: list[str], key: str) -> bool:
    try:
        names["verified"](iter(lines), key, None)
    except (names["Broken"], names["Unreadable"], ValueError, LookupError, TypeError, AttributeError):
        return False
    return True


def test_what_has_expired_must_be_accepted(names: dict[str, Any], export: Path, trail: AuditTrail) -> None:
    lines = export.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if '"key":"key 0"' in line)
    end = json.loads(lines[-1])
    fewer = canonical_json({**end, "events": end["events"] - 1}).decode() + "\n"
    without = [*lines[:at], *lines[at + 1 : -1], fewer]
    key = trail.public_key().public
    assert not verifies(names, without, key)
    assert names["verified"](iter(without), key, None, expired=True).events == EVENTS - 1


def test_what_the_retention_has_signed_for_may_be_missing(
    names: dict[str, Any], recorded: Callable[..., UUID], trail: AuditTrail, intruder: psycopg.Connection
) -> None:
    tenant, key = recorded(EVENTS), trail.public_key().public
    intruder.execute("DELETE FROM event_log WHERE tenant_id = %s AND sequence < 4", [tenant])

    def lines() -> list[str]:
        return [line.decode() for line in trail.export(tenant)]

    assert not verifies(names, lines(), key)
    trail.signer.announce_expiry({tenant: 3})
    assert names["verified"](iter(lines()), key, None).events == EVENTS - 3
    assert not verifies(names, [lines()[0].replace('"sequence":3', '"sequence":4'), *lines()[1:]], key)
    intruder.execute("DELETE FROM event_log WHERE tenant_id = %s AND sequence = 4", [tenant])
    assert not verifies(names, lines(), key)


def test_an_export_of_a_tampered_log_is_broken(
    program: Path,
    recorded: Callable[..., UUID],
    trail: AuditTrail,
    intruder: psycopg.Connection,
    tmp_path: Path,
) -> None:
    tenant, path = recorded(12), tmp_path / "audit.jsonl"
    intruder.execute("DELETE FROM event_log WHERE tenant_id = %s AND sequence = 7", [tenant])
    path.write_bytes(b"".join(trail.export(tenant)))
    ended = run(program, path, "--key", trail.public_key().public)
    assert ended.returncode == 1
    assert ended.stdout.startswith("BROKEN: event 7 ")


# RFC 8032, section 7.1: secret, public, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25b"
            "f5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b"
            "2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c"
            "15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_signatures_of_rfc_8032(
    names: dict[str, Any], secret: str, public: str, message: str, signature: str
) -> None:
    key = SigningKey.from_seed(bytes.fromhex(secret))
    assert (key.public.hex(), key.sign(bytes.fromhex(message)).hex()) == (public, signature)
    assert names["ed25519_verify"](key.public, bytes.fromhex(message), bytes.fromhex(signature))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.binary(min_size=32, max_size=32),
    message=st.binary(),
    at=st.integers(0, 95),
    bit=st.integers(0, 7),
)
def test_a_signature_holds_for_its_message_and_key_alone(
    seed: bytes, message: bytes, at: int, bit: int
) -> None:
    verify = NAMES["ed25519_verify"]
    key = SigningKey.from_seed(seed)
    signature = key.sign(message)
    assert verify(key.public, message, signature)
    assert not verify(key.public, message + b"\0", signature)
    both = bytearray(key.public + signature)
    both[at] ^= 1 << bit
    assert not verify(bytes(both[:32]), message, bytes(both[32:]))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_signature_that_was_made_longer_or_shorter_is_none(names: dict[str, Any], size: int) -> None:
    key = SigningKey.from_seed(bytes(32))
    assert not names["ed25519_verify"](bytes(size), b"", key.sign(b""))
    assert not names["ed25519_verify"](key.public, b"", bytes(2 * size))


def test_the_order_added_to_a_signature_makes_none(names: dict[str, Any]) -> None:
    """RFC 8032, 5.1.7: S must be less than the order, or there would be two signatures of one message."""
    key = SigningKey.from_seed(bytes(32))
    made = key.sign(b"")
    larger = int.from_bytes(made[32:], "little") + names["ORDER"]
    assert not names["ed25519_verify"](key.public, b"", made[:32] + larger.to_bytes(32, "little"))


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_it_writes_canonical_json_as_we_do(value: Any) -> None:
    assert NAMES["octets"](value) == rfc8785.dumps(value) == canonical_json(value)
    assert NAMES["octets"](json.loads(canonical_json(value))) == canonical_json(value)
