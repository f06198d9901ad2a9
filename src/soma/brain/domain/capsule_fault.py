"""Why a memory capsule is refused."""

from enum import StrEnum


class CapsuleFault(StrEnum):
    """The reasons, by name."""

    OVERSIZE = "oversize"
    NOT_JSON = "not_json"
    NOT_CANONICAL = "not_canonical"
    UNKNOWN_SCHEMA = "unknown_schema"
    BAD_MEMBER = "bad_member"
    NO_BLOCKS = "no_blocks"
    TOO_MANY_BLOCKS = "too_many_blocks"
    BLOCK_OVERSIZE = "block_oversize"
    BAD_BLOCK = "bad_block"
    PERSONAL_DATA = "personal_data"
    DUPLICATE_KEY = "duplicate_key"
    ALTERED_BLOCK = "altered_block"
    WRONG_DIGEST = "wrong_digest"
    UNKNOWN_ISSUER = "unknown_issuer"
    BAD_SIGNATURE = "bad_signature"
    VERSION_NOT_ABOVE = "version_not_above"
    ISSUER_CHANGED = "issuer_changed"
    REVOKED = "revoked"
