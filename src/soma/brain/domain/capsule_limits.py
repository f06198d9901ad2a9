"""How much a memory capsule, and all capsules of a tenant, may hold."""

from dataclasses import dataclass

MAX_CAPSULE_BYTES = 4 * 1024 * 1024
"""Bytes of a capsule's document, at most, whatever is configured: what a request may carry."""

MAX_CAPSULE_BLOCKS = 10_000
"""Blocks of a capsule, at most, whatever is configured: up to so many memories a namespace is read whole, so
that a search in it is exact."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CapsuleLimits:
    """Quotas. The first two are one capsule's; the others a tenant's, over all versions not revoked."""

    bytes: int = MAX_CAPSULE_BYTES
    blocks: int = 1_024
    tenant_capsules: int = 100
    tenant_bytes: int = 64 * 1024 * 1024
    tenant_blocks: int = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class CapsuleUse:
    """What a tenant's versions that are not revoked take up."""

    capsules: int
    bytes: int
    blocks: int
