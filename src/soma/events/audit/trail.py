"""The audit trail of an installation: what its faces ask for."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from soma.base.crypto import SigningKey
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, NotFound
from soma.events.audit.checkpoint import Checkpoint, key_id_of
from soma.events.audit.export import exported
from soma.events.audit.finding import AuditReport
from soma.events.audit.signatures import Signatures
from soma.events.audit.signer import AuditSigner
from soma.events.audit.stored_evidence import PAGE, StoredEvidence, checkpoint_of
from soma.events.audit.stored_expiry import latest_expiry
from soma.events.audit.walk import Walk
from soma.events.models import AuditCheckpoint
from soma.events.ports import EventLog


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicKey:
    """What proves a checkpoint: an Ed25519 key, 32 bytes in hex, and its name."""

    key_id: str
    algorithm: str
    public: str


class AuditTrail:
    """Verifies, signs and exports what `log` has recorded. `key` signs, and nobody else is trusted.
    What the retention has signed that it removes may be gone: its links stand for it."""

    def __init__(self, log: EventLog, key: SigningKey) -> None:
        self._log = log
        self._key = key
        self.signer = AuditSigner(key)

    def public_key(self) -> PublicKey:
        """The key to verify with."""
        public = self._key.public
        return PublicKey(key_id=key_id_of(public), algorithm="Ed25519", public=public.hex())

    def verify(
        self, tenant_id: UUID, *, since: Checkpoint | None = None, page: int = PAGE
    ) -> Iterator[AuditReport]:
        """How far the verification of the tenant's chain has come, page by page; the last is the result.

        Looks at everything, or at what follows the checkpoint `since` and whether the chain still holds it.
        Blocking; no transaction is open between two reports. Raises InvalidInput for a checkpoint of another
        tenant or one that this installation did not sign, EventLogUnavailable.
        """
        signatures = Signatures(tenant_id, self._key.public, start=since)
        if since is not None and not signatures.trusts(since):
            raise InvalidInput(
                "the checkpoint is not this tenant's, or not signed with this installation's key"
            )
        evidence = StoredEvidence(tenant_id, self._log, page=page, public=self._key.public)
        return Walk(tenant_id, evidence, signatures, start=since).reports()

    def checkpoint(self, tenant_id: UUID) -> Checkpoint:
        """The tenant's chain as it stands, signed: now, unless it was. Blocking. Raises NotFound before its
        first event."""
        self.signer.sign([tenant_id])
        latest = self._latest(tenant_id)
        if latest is None:
            raise NotFound("nothing has been recorded yet")
        return latest

    def export(self, tenant_id: UUID) -> Iterator[bytes]:
        """The tenant's events, links and checkpoints as JSON Lines up to a checkpoint that is signed now, for
        somebody who has nothing but the public key. See export. Raises NotFound, EventLogUnavailable."""
        head = self.checkpoint(tenant_id)
        expiry = latest_expiry(tenant_id, self._key.public)
        evidence = StoredEvidence(tenant_id, self._log)
        return exported(evidence, head, public=self._key.public, expiry=expiry)

    def _latest(self, tenant_id: UUID) -> Checkpoint | None:
        with tenant_transaction(tenant_id):
            row = AuditCheckpoint.objects.filter(tenant_id=tenant_id).order_by("-number").first()
        return None if row is None else checkpoint_of(row)
