"""One byte string per JSON value, and its hashes."""

import hashlib
from typing import Any

import orjson
import rfc8785


def canonical_bytes(value: Any) -> bytes:
    """RFC 8785 (JCS) bytes of a JSON value: what signatures and hash chains cover."""
    return rfc8785.dumps(value)


def json_bytes(value: Any) -> bytes:
    """Compact JSON bytes with sorted keys. Fast; equal values give equal bytes within one version of
    the library, which is enough for hashes that are only compared inside one database."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def json_value(data: bytes | str) -> Any:
    """The value that JSON text spells. Raises ValueError."""
    return orjson.loads(data)


def sha256_hex(data: bytes) -> str:
    """SHA-256 of `data`, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def sha3_512_hex(data: bytes) -> str:
    """SHA3-512 of `data`, 128 hex digits."""
    return hashlib.sha3_512(data).hexdigest()
