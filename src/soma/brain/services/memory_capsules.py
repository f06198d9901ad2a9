"""Memory capsules: what callers may do with them."""

from collections.abc import Callable, Sequence
from uuid import UUID

from soma.base.crypto import SigningKey
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput
from soma.base.tenancy import Principal
from soma.brain.domain.capsule_limits import CapsuleLimits
from soma.brain.domain.capsule_record import CapsuleIssuer, CapsuleMetadata, CapsuleVersion
from soma.brain.domain.capsule_reference import CapsuleReference
from soma.brain.domain.capsule_verification import SignedCapsule, verify_capsule
from soma.brain.domain.memory_capsule import CapsuleBlock, id_of_name
from soma.brain.ports import Embedder
from soma.brain.services import capsule_issuers, capsule_rows
from soma.brain.services.build_capsule import CapsulePlan, blocks_of_namespace, build_capsule
from soma.brain.services.capsule_privacy import require_storable
from soma.brain.services.guard import Guard
from soma.brain.services.revoke_capsule import revoke_capsule
from soma.brain.services.upload_capsule import CapsuleUpload, UploadedCapsule
from soma.fractalmemory.api import FractalMemory

MAX_PAGE = 200


def _admitted(signed: SignedCapsule) -> None:
    """Nobody else is asked."""


class MemoryCapsules:
    """The memory capsules of all tenants of an installation, which signs with `key`. Safe to call from
    several threads. Methods open transactions of their own."""

    def __init__(
        self,
        memory: FractalMemory,
        embedder: Embedder,
        key: SigningKey,
        limits: CapsuleLimits,
        guard: Guard,
    ) -> None:
        self._memory = memory
        self._embedder = embedder
        self._key = key
        self._limits = limits
        self._guard = guard

    @property
    def public_key(self) -> str:
        """The key that this installation issues with, 64 hex digits."""
        return self._key.public.hex()

    def build(self, plan: CapsulePlan) -> bytes:
        """The signed document of `plan`: the same plan gives the same bytes. Nothing is stored. Raises
        CapsuleRefused, CapsuleTooLarge."""
        document = build_capsule(self._key, plan, self._limits)
        require_storable(self._guard, plan.blocks)
        return document

    def blocks_of(
        self, tenant_id: UUID, namespace: str, *, keys: Sequence[str] | None = None
    ) -> list[CapsuleBlock]:
        """The memories of `namespace` as blocks, all or those of `keys`; of one that holds more than a
        capsule may, one more than that. Raises StoreUnavailable."""
        return blocks_of_namespace(self._memory, tenant_id, namespace, keys=keys, most=self._limits.blocks)

    def next_version(self, tenant_id: UUID, name: str, capsule_id: UUID | None = None) -> int:
        """The version that follows the latest which the tenant has of this installation's capsule `name`, or
        of `capsule_id`."""
        wanted = capsule_id or id_of_name(self.public_key, name)
        with tenant_transaction(tenant_id):
            versions = capsule_rows.versions_of(tenant_id, wanted)
        return versions[0].version + 1 if versions else 1

    def verify(self, tenant_id: UUID, data: bytes) -> SignedCapsule:
        """The capsule of the document `data`, by the rules of an upload. Raises CapsuleRefused,
        CapsuleTooLarge, CapsuleIssuerUnknown."""
        with tenant_transaction(tenant_id):
            trusted = capsule_issuers.trusted_keys(tenant_id, self.public_key)
        signed = verify_capsule(data, trusted=trusted, limits=self._limits)
        require_storable(self._guard, signed.capsule.blocks)
        return signed

    def upload(
        self, principal: Principal, data: bytes, admit: Callable[[SignedCapsule], None] = _admitted
    ) -> UploadedCapsule:
        """Take in the document `data`: its version, its blocks as memories and `memory.capsule.uploaded`, all
        or nothing. The same document again changes nothing. `admit` is asked once it has proved genuine.

        Raises what `verify` and `admit` raise, CapsuleConflict (version_not_above, issuer_changed, revoked),
        CapsuleQuotaExceeded, LimitExceeded where the quotas of memory leave no room, RememberUnavailable.
        """
        upload = CapsuleUpload(
            memory=self._memory,
            embedder=self._embedder,
            guard=self._guard,
            own=self.public_key,
            limits=self._limits,
            principal=principal,
        )
        return upload.run(data, admit)

    def find(self, tenant_id: UUID, reference: CapsuleReference) -> CapsuleMetadata:
        """What was signed of a version; of a capsule as a whole, of the latest that is not revoked, else of
        the latest. Raises NotFound."""
        with tenant_transaction(tenant_id):
            row = capsule_rows.named_row(tenant_id, reference)
        return capsule_rows.metadata_of(row)

    def versions(self, tenant_id: UUID, capsule_id: UUID) -> list[CapsuleVersion]:
        """All versions of a capsule, the latest first. Raises NotFound."""
        with tenant_transaction(tenant_id):
            rows = capsule_rows.versions_of(tenant_id, capsule_id)
        if not rows:
            raise capsule_rows.unknown(CapsuleReference(id=capsule_id))
        return [capsule_rows.version_of(row) for row in rows]

    def page(
        self, tenant_id: UUID, *, after: CapsuleReference | None = None, limit: int = MAX_PAGE
    ) -> list[CapsuleVersion]:
        """The first `limit` versions in the order of id and version, of those behind `after`, a version.
        Raises InvalidInput."""
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidInput(f"limit takes 1 to {MAX_PAGE}")
        if after is not None and after.version is None:
            raise InvalidInput("a cursor is ID@VERSION")
        place = None if after is None or after.version is None else (after.id, after.version)
        with tenant_transaction(tenant_id):
            rows = capsule_rows.listed(tenant_id, place, limit)
        return [capsule_rows.version_of(row) for row in rows]

    def revoke(self, principal: Principal, reference: CapsuleReference, reason: str) -> list[CapsuleVersion]:
        """Mark a version, or all of a capsule, as revoked and delete its memories, with
        `memory.capsule.revoked`; those that were stay as they are. Recall refuses it from the commit on. What
        was signed of it stays. Raises NotFound, InvalidInput, RememberUnavailable."""
        return revoke_capsule(self._memory, principal, reference, reason)

    def trust(self, principal: Principal, public_key: str, label: str = "") -> None:
        """Take capsules of the key (64 hex digits) from now on. Raises InvalidInput."""
        with tenant_transaction(principal.tenant_id):
            capsule_issuers.trust(principal, public_key, label)

    def distrust(self, principal: Principal, public_key: str) -> None:
        """Take no more capsules of the key; what was taken stands until it is revoked. Raises NotFound."""
        with tenant_transaction(principal.tenant_id):
            capsule_issuers.distrust(principal, public_key)

    def issuers(self, tenant_id: UUID) -> list[CapsuleIssuer]:
        """Whose capsules the tenant takes, the installation's own key first."""
        with tenant_transaction(tenant_id):
            return capsule_issuers.issuers(tenant_id, self.public_key)
