"""From bytes to a memory capsule: what stands in the document, member by member, and nothing else.

Whether it may be believed is not decided here; see capsule_verification.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from soma.base.canonical import canonical_bytes
from soma.base.ids import parse_id
from soma.brain.domain.capsule_fault import CapsuleFault
from soma.brain.domain.memory_capsule import SCHEMA_VERSION, CapsuleBlock, MemoryCapsule
from soma.brain.errors import CapsuleRefused

HEX = re.compile(r"[0-9a-f]+")
KEY_DIGITS, DIGEST_DIGITS, SIGNATURE_DIGITS = 64, 64, 128
CONSTITUTION_DIGITS = 128
MAX_NAME, MAX_DESCRIPTION, MAX_VERSION = 200, 2_000, 2**31 - 1
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
HEADER = frozenset(
    "schema_version id name version description policy_hash constitution_hash created_at issuer".split()
)
DOCUMENT = HEADER | {"blocks", "digest", "signature"}
BLOCK = frozenset("key content role speaker occurred_at importance provenance digest".split())


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenCapsule:
    """What a document says: the capsule, the digest it states for itself and for each block, in order, and
    its signature."""

    capsule: MemoryCapsule
    digest: str
    block_digests: tuple[str, ...]
    signature: bytes


def read_capsule(data: bytes) -> WrittenCapsule:
    """What `data` says. Raises CapsuleRefused: not_json, not_canonical, unknown_schema, bad_member,
    no_blocks."""
    document = _members(_canonical_value(data), "the document")
    if document.get("schema_version") != SCHEMA_VERSION:
        raise CapsuleRefused(
            CapsuleFault.UNKNOWN_SCHEMA, f"the schema_version is not {SCHEMA_VERSION}, the one that is known"
        )
    _exactly(document, DOCUMENT, "the document")
    blocks = document["blocks"]
    if not isinstance(blocks, list):
        raise _bad("blocks is no list")
    if not blocks:
        raise CapsuleRefused(CapsuleFault.NO_BLOCKS, "a capsule has at least one block")
    read = [_block(block, f"block {place}") for place, block in enumerate(blocks)]
    return WrittenCapsule(
        capsule=_capsule(document, tuple(block for block, _ in read)),
        digest=_hex(document, "digest", DIGEST_DIGITS),
        block_digests=tuple(digest for _, digest in read),
        signature=bytes.fromhex(_hex(document, "signature", SIGNATURE_DIGITS)),
    )


def moment_of(text: str) -> datetime:
    """The time that a capsule spells so. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _canonical_value(data: bytes) -> Any:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise CapsuleRefused(CapsuleFault.NOT_JSON, "the capsule is not JSON") from None
    try:
        canonical = canonical_bytes(value)
    except (ValueError, RecursionError):
        canonical = b""
    if canonical != data:
        raise CapsuleRefused(
            CapsuleFault.NOT_CANONICAL, "the capsule is not canonical JSON (RFC 8785), byte by byte"
        )
    return value


def _capsule(document: Mapping[str, Any], blocks: tuple[CapsuleBlock, ...]) -> MemoryCapsule:
    constitution = document["constitution_hash"]
    if constitution is not None:
        constitution = _hex(document, "constitution_hash", DIGEST_DIGITS, CONSTITUTION_DIGITS)
    return MemoryCapsule(
        id=_id(document),
        name=_text(document, "name", 1, MAX_NAME),
        version=_version(document),
        description=_text(document, "description", 0, MAX_DESCRIPTION),
        policy_hash=_hex(document, "policy_hash", DIGEST_DIGITS),
        constitution_hash=constitution,
        created_at=_time(document, "created_at", "the document"),
        issuer=_hex(document, "issuer", KEY_DIGITS),
        blocks=blocks,
    )


def _block(value: Any, where: str) -> tuple[CapsuleBlock, str]:
    block = _members(value, where)
    _exactly(block, BLOCK, where)
    for name in ("key", "content", "role", "speaker"):
        if not isinstance(block[name], str):
            raise _bad(f"{where}: {name} is no text")
    if not isinstance(block["importance"], int | float) or isinstance(block["importance"], bool):
        raise _bad(f"{where}: importance is no number")
    return CapsuleBlock(
        key=block["key"],
        content=block["content"],
        role=block["role"],
        speaker=block["speaker"],
        occurred_at=_time(block, "occurred_at", where),
        importance=block["importance"],
        provenance=_members(block["provenance"], f"{where}: provenance"),
    ), _hex(block, "digest", DIGEST_DIGITS)


def _members(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _bad(f"{where} is no JSON object")
    return value


def _exactly(members: Mapping[str, Any], wanted: frozenset[str], where: str) -> None:
    missing, unknown = sorted(wanted - set(members)), sorted(set(members) - wanted)
    if missing:
        raise _bad(f"{where} lacks {', '.join(missing)}")
    if unknown:
        raise _bad(f"{where} has a member that is not known: {unknown[0][:60]!r}")


def _text(members: Mapping[str, Any], name: str, least: int, most: int) -> str:
    text = members[name]
    if not isinstance(text, str) or not least <= len(text) <= most:
        raise _bad(f"{name} takes {least} to {most} characters")
    if any(ord(character) < 32 for character in text) or (least and not text.strip()):
        raise _bad(f"{name} is one line of visible text")
    return text


def _hex(members: Mapping[str, Any], name: str, *lengths: int) -> str:
    text = members[name]
    if not isinstance(text, str) or len(text) not in lengths or not HEX.fullmatch(text):
        raise _bad(f"{name} takes {' or '.join(map(str, lengths))} hexadecimal digits")
    return text


def _id(members: Mapping[str, Any]) -> UUID:
    text = members["id"]
    found = parse_id(text) if isinstance(text, str) else None
    if found is None or str(found) != text:
        raise _bad("id is no UUID in lower case with hyphens")
    return found


def _version(members: Mapping[str, Any]) -> int:
    version = members["version"]
    if type(version) is not int or not 1 <= version <= MAX_VERSION:
        raise _bad(f"version takes a whole number from 1 to {MAX_VERSION}")
    return version


def _time(members: Mapping[str, Any], name: str, where: str) -> datetime:
    text = members[name]
    if isinstance(text, str) and TIME.fullmatch(text):
        try:
            return moment_of(text)
        except ValueError:
            pass  # a month or an hour that there is not
    raise _bad(f"{where}: {name} is no time like 2026-01-31T12:00:00.000000Z")


def _bad(detail: str) -> CapsuleRefused:
    return CapsuleRefused(CapsuleFault.BAD_MEMBER, detail)
