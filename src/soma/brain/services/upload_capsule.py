"""Taking a memory capsule in: the version's row, its memories and its event are one transaction."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import Unavailable
from soma.base.tenancy import Principal
from soma.brain.domain.capsule_blocks import memories_of
from soma.brain.domain.capsule_fault import CapsuleFault
from soma.brain.domain.capsule_limits import CapsuleLimits
from soma.brain.domain.capsule_record import CapsuleVersion
from soma.brain.domain.capsule_verification import SignedCapsule, verify_capsule
from soma.brain.errors import CapsuleConflict, CapsuleIssuerUnknown, CapsuleQuotaExceeded, RememberUnavailable
from soma.brain.models import MemoryCapsuleRow
from soma.brain.ports import Embedder
from soma.brain.services.capsule_issuers import trusted_keys
from soma.brain.services.capsule_privacy import require_storable
from soma.brain.services.capsule_rows import lock_capsules, use_of, version_of, versions_of
from soma.brain.services.guard import Guard
from soma.brain.services.prepare import prepared, store_prepared
from soma.events.api import Event, publish
from soma.fractalmemory.api import FractalMemory

UPLOADED = "memory.capsule.uploaded"
QUOTA = "memory capsules of the tenant"

Admit = Callable[[SignedCapsule], None]
"""Is asked once a capsule has proved genuine, before anything is stored; raises to keep it out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadedCapsule:
    """The version that stands; `new` unless it stood before."""

    capsule: CapsuleVersion
    new: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CapsuleUpload:
    """An upload for a tenant. `own` is the installation's public key."""

    memory: FractalMemory
    embedder: Embedder
    guard: Guard
    own: str
    limits: CapsuleLimits
    principal: Principal

    def run(self, data: bytes, admit: Admit) -> UploadedCapsule:
        """See MemoryCapsules.upload."""
        try:
            return self._run(data, admit)
        except (Unavailable, OperationalError, InterfaceError) as error:
            raise RememberUnavailable(f"Memory could not be written: {error}") from error

    def _run(self, data: bytes, admit: Admit) -> UploadedCapsule:
        tenant_id = self.principal.tenant_id
        with tenant_transaction(tenant_id):
            trusted = trusted_keys(tenant_id, self.own)
        signed = verify_capsule(data, trusted=trusted, limits=self.limits)
        require_storable(self.guard, signed.capsule.blocks)
        admit(signed)
        # Asked twice: now, so that nothing is embedded in vain, and again under the lock.
        with tenant_transaction(tenant_id):
            standing = self._standing(signed)
        if standing is not None:
            return UploadedCapsule(capsule=standing, new=False)
        batch = prepared(self.embedder, memories_of(signed.capsule, trace_id=self.principal.trace_id))
        with tenant_transaction(tenant_id):
            lock_capsules(tenant_id)
            standing = self._standing(signed)
            if standing is not None:
                return UploadedCapsule(capsule=standing, new=False)
            row = self._insert(signed)
            store_prepared(self.memory, tenant_id, batch)
            publish(_uploaded(row, self.principal))
            return UploadedCapsule(capsule=version_of(row), new=True)

    def _standing(self, signed: SignedCapsule) -> CapsuleVersion | None:
        """This very version, if it stands; None if it may be stored. Raises what keeps it out."""
        tenant_id, capsule = self.principal.tenant_id, signed.capsule
        if capsule.issuer not in trusted_keys(tenant_id, self.own):
            raise CapsuleIssuerUnknown(capsule.issuer)
        versions = versions_of(tenant_id, capsule.id)
        same = next((row for row in versions if row.digest == signed.digest), None)
        if same is not None:
            return _not_revoked(same)
        if versions:
            _require_successor(versions[0], signed)
        self._require_room(signed, standing=any(row.revoked_at is None for row in versions))
        return None

    def _require_room(self, signed: SignedCapsule, *, standing: bool) -> None:
        use, limits = use_of(self.principal.tenant_id), self.limits
        wanted = {
            "capsules": (limits.tenant_capsules, use.capsules + (not standing)),
            "bytes": (limits.tenant_bytes, use.bytes + signed.size),
            "blocks": (limits.tenant_blocks, use.blocks + len(signed.capsule.blocks)),
        }
        for unit, (maximum, actual) in wanted.items():
            if actual > maximum:
                raise CapsuleQuotaExceeded(QUOTA, maximum=maximum, actual=actual, unit=unit)

    def _insert(self, signed: SignedCapsule) -> MemoryCapsuleRow:
        capsule = signed.capsule
        return MemoryCapsuleRow.objects.create(
            tenant_id=self.principal.tenant_id,
            capsule_id=capsule.id,
            version=capsule.version,
            name=capsule.name,
            issuer=capsule.issuer,
            policy_hash=capsule.policy_hash,
            digest=signed.digest,
            manifest=signed.manifest,
            signature=signed.signature,
            size=signed.size,
            blocks=len(capsule.blocks),
            uploaded_at=now(),
            uploaded_by=self.principal.user_id,
            revocation_reason="",
        )


def _not_revoked(row: MemoryCapsuleRow) -> CapsuleVersion:
    if row.revoked_at is not None:
        raise CapsuleConflict(
            CapsuleFault.REVOKED, f"version {row.version} of the memory capsule {row.capsule_id} is revoked"
        )
    return version_of(row)


def _require_successor(latest: MemoryCapsuleRow, signed: SignedCapsule) -> None:
    """A capsule goes on with the key that it began with: whoever else is trusted cannot replace it."""
    capsule = signed.capsule
    if capsule.issuer != latest.issuer:
        raise CapsuleConflict(
            CapsuleFault.ISSUER_CHANGED, f"the memory capsule {capsule.id} is of another issuer"
        )
    if capsule.version <= latest.version:
        raise CapsuleConflict(
            CapsuleFault.VERSION_NOT_ABOVE,
            f"the memory capsule {capsule.id} stands at version {latest.version}; "
            f"{capsule.version} is not above it, and is not what stands",
            latest=latest.version,
        )


def _uploaded(row: MemoryCapsuleRow, principal: Principal) -> Event:
    return Event(
        tenant_id=row.tenant_id,
        type=UPLOADED,
        key=str(row.capsule_id),
        payload={
            "capsule_id": str(row.capsule_id),
            "version": row.version,
            "name": row.name,
            "issuer": row.issuer,
            "policy_hash": row.policy_hash,
            "digest": row.digest,
            "blocks": row.blocks,
            "bytes": row.size,
            "user_id": str(principal.user_id),
        },
        trace_id=principal.trace_id,
    )
