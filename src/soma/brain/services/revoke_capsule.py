"""Revoking memory capsules: what is marked and what is deleted is one transaction."""

from django.db import InterfaceError, OperationalError

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, Unavailable
from soma.base.tenancy import Principal
from soma.brain.domain.capsule_record import CapsuleVersion
from soma.brain.domain.capsule_reference import CapsuleReference, namespace_of
from soma.brain.errors import RememberUnavailable
from soma.brain.models import DensitySketchRow, MemoryCapsuleRow
from soma.brain.services.capsule_rows import lock_capsules, unknown, version_of, versions_of
from soma.events.api import Event, publish
from soma.fractalmemory.api import FractalMemory, Selection

REVOKED = "memory.capsule.revoked"
MAX_REASON = 500


def revoke_capsule(
    memory: FractalMemory, principal: Principal, reference: CapsuleReference, reason: str
) -> list[CapsuleVersion]:
    """See MemoryCapsules.revoke."""
    if not 1 <= len(reason.strip()) <= MAX_REASON or not reason.isprintable():
        raise InvalidInput(f"a reason is one line of 1 to {MAX_REASON} characters")
    try:
        with tenant_transaction(principal.tenant_id):
            lock_capsules(principal.tenant_id)
            return _revoke(memory, principal, reference, reason.strip())
    except (Unavailable, OperationalError, InterfaceError) as error:
        raise RememberUnavailable(f"Memory could not be written: {error}") from error


def _revoke(
    memory: FractalMemory, principal: Principal, reference: CapsuleReference, reason: str
) -> list[CapsuleVersion]:
    rows = [
        row
        for row in versions_of(principal.tenant_id, reference.id)
        if reference.version in {None, row.version}
    ]
    if not rows:
        raise unknown(reference)
    for row in rows:
        if row.revoked_at is None:
            _mark(row, principal, reason)
            publish(_revoked(row, principal, _delete(memory, row)))
    return [version_of(row) for row in rows]


def _delete(memory: FractalMemory, row: MemoryCapsuleRow) -> int:
    """Delete what the version brought, and what was computed of its vectors; how many memories there were."""
    namespace = namespace_of(row.capsule_id, row.version)
    DensitySketchRow.objects.filter(tenant_id=row.tenant_id, namespace=namespace).delete()
    return memory.delete_matching(row.tenant_id, Selection(namespace=namespace))


def _mark(row: MemoryCapsuleRow, principal: Principal, reason: str) -> None:
    row.revoked_at, row.revoked_by, row.revocation_reason = now(), principal.user_id, reason
    MemoryCapsuleRow.objects.filter(pk=row.pk).update(
        revoked_at=row.revoked_at, revoked_by=row.revoked_by, revocation_reason=reason
    )


def _revoked(row: MemoryCapsuleRow, principal: Principal, deleted: int) -> Event:
    return Event(
        tenant_id=row.tenant_id,
        type=REVOKED,
        key=str(row.capsule_id),
        payload={
            "capsule_id": str(row.capsule_id),
            "version": row.version,
            "digest": row.digest,
            "reason": row.revocation_reason,
            "deleted": deleted,
            "user_id": str(principal.user_id),
        },
        trace_id=principal.trace_id,
    )
