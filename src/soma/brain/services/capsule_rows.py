"""The rows of memory capsules, inside the tenant's open transaction."""

from uuid import UUID

from django.db import connections
from django.db.models import Count, Q, QuerySet, Sum

from soma.base.canonical import json_value, sha256_hex
from soma.base.crypto import verify_signature
from soma.base.database import APP
from soma.base.errors import NotFound
from soma.brain.domain.capsule_limits import CapsuleUse
from soma.brain.domain.capsule_reading import moment_of
from soma.brain.domain.capsule_record import BlockSummary, CapsuleMetadata, CapsuleVersion
from soma.brain.domain.capsule_reference import CapsuleReference
from soma.brain.models import MemoryCapsuleRow

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))"
"""One change to a tenant's capsules at a time: two uploads must not both find room, or both be the first. No
row could be locked for that, as there may be none yet."""


def lock_capsules(tenant_id: UUID) -> None:
    """Wait until this transaction is the only one that changes the tenant's capsules."""
    with connections[APP].cursor() as cursor:
        cursor.execute(LOCK, [f"{tenant_id}/memory-capsules"])


def versions_of(tenant_id: UUID, capsule_id: UUID) -> list[MemoryCapsuleRow]:
    """All versions of a capsule, the latest first, without what was signed."""
    return list(_light(tenant_id).filter(capsule_id=capsule_id).order_by("-version"))


def listed(tenant_id: UUID, after: tuple[UUID, int] | None, limit: int) -> list[MemoryCapsuleRow]:
    """The first `limit` versions in the order of id and version, of those behind `after`."""
    rows = _light(tenant_id)
    if after is not None:
        capsule_id, version = after
        rows = rows.filter(Q(capsule_id__gt=capsule_id) | Q(capsule_id=capsule_id, version__gt=version))
    return list(rows.order_by("capsule_id", "version")[:limit])


def named_row(tenant_id: UUID, reference: CapsuleReference) -> MemoryCapsuleRow:
    """The version that `reference` names, whole; of a capsule as a whole its latest that is not revoked, else
    its latest. Raises NotFound."""
    rows = MemoryCapsuleRow.objects.filter(tenant_id=tenant_id, capsule_id=reference.id)
    if reference.version is not None:
        rows = rows.filter(version=reference.version)
    latest = rows.order_by("-version")
    row = latest.filter(revoked_at__isnull=True).first() or latest.first()
    if row is None:
        raise unknown(reference)
    return row


def use_of(tenant_id: UUID) -> CapsuleUse:
    """What the tenant's versions take up that are not revoked."""
    standing = MemoryCapsuleRow.objects.filter(tenant_id=tenant_id, revoked_at__isnull=True)
    sums = standing.aggregate(
        capsules=Count("capsule_id", distinct=True),
        bytes=Sum("size", default=0),
        held=Sum("blocks", default=0),
    )
    return CapsuleUse(capsules=sums["capsules"], bytes=sums["bytes"], blocks=sums["held"])


def version_of(row: MemoryCapsuleRow) -> CapsuleVersion:
    """The record of a row."""
    return CapsuleVersion(
        id=row.capsule_id,
        version=row.version,
        name=row.name,
        issuer=row.issuer,
        policy_hash=row.policy_hash,
        digest=row.digest,
        blocks=row.blocks,
        bytes=row.size,
        uploaded_at=row.uploaded_at,
        uploaded_by=row.uploaded_by,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
        revocation_reason=row.revocation_reason,
    )


def metadata_of(row: MemoryCapsuleRow) -> CapsuleMetadata:
    """All that was signed of the version, and whether it still holds."""
    manifest, signature = bytes(row.manifest), bytes(row.signature)
    signed = json_value(manifest)
    intact = sha256_hex(manifest) == row.digest and verify_signature(
        bytes.fromhex(row.issuer), manifest, signature
    )
    return CapsuleMetadata(
        version=version_of(row),
        description=signed["description"],
        constitution_hash=signed["constitution_hash"],
        created_at=moment_of(signed["created_at"]),
        signature=signature.hex(),
        intact=intact,
        blocks=tuple(BlockSummary(**block) for block in signed["blocks"]),
    )


def unknown(reference: CapsuleReference) -> NotFound:
    """That there is no such capsule for this tenant."""
    return NotFound(f"there is no memory capsule {reference}")


def _light(tenant_id: UUID) -> QuerySet[MemoryCapsuleRow]:
    return MemoryCapsuleRow.objects.filter(tenant_id=tenant_id).defer("manifest", "signature")
