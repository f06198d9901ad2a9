"""Signing checkpoints: of what has grown, by whoever has the key."""

from collections.abc import Collection, Mapping
from time import monotonic
from uuid import UUID

from django.db import connections

from soma.base.clock import now
from soma.base.crypto import SigningKey
from soma.base.database import WORKER, worker_transaction
from soma.events.audit.checkpoint import sign
from soma.events.audit.link import Link
from soma.events.audit.stored_expiry import announce
from soma.events.models import AuditCheckpoint

EVENTS = 1000
SECONDS = 60.0
"""The relay signs after so many events, or so long after the last time."""

# Two who sign the same would give the same number; the one that waits then finds nothing left to sign.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('soma.audit.checkpoint', 0))"

UNSIGNED = """
SELECT tenant.id, head.sequence, head.event_id, head.digest, coalesce(signed.number, 0)
FROM (
    SELECT tenant_id AS id FROM event_stream
    WHERE %s::uuid[] IS NULL OR tenant_id = ANY(%s::uuid[])) AS tenant
CROSS JOIN LATERAL (
    SELECT sequence, event_id, digest FROM audit_link WHERE tenant_id = tenant.id
    ORDER BY sequence DESC LIMIT 1) AS head
LEFT JOIN LATERAL (
    SELECT number, sequence FROM audit_checkpoint WHERE tenant_id = tenant.id
    ORDER BY number DESC LIMIT 1) AS signed ON true
WHERE head.sequence > coalesce(signed.sequence, 0)
"""


class AuditSigner:
    """Signs with `key`."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def sign(self, tenant_ids: Collection[UUID] | None = None) -> None:
        """Sign the last link of each of `tenant_ids`, of every tenant without them, unless it is signed
        already. Blocking, in a worker transaction of its own."""
        chosen = None if tenant_ids is None else list(tenant_ids)
        with worker_transaction(), connections[WORKER].cursor() as cursor:
            cursor.execute(LOCK)
            cursor.execute(UNSIGNED, [chosen, chosen])
            AuditCheckpoint.objects.using(WORKER).bulk_create([self._row(*row) for row in cursor.fetchall()])

    def announce_expiry(self, lasts: Mapping[UUID, int]) -> None:
        """Sign that what the log has of each tenant up to the sequence given is about to leave it. Blocking,
        in a worker transaction of its own."""
        announce(lasts, self._key)

    def _row(
        self, tenant_id: UUID, sequence: int, event_id: UUID, digest: bytes, number: int
    ) -> AuditCheckpoint:
        link = Link(sequence=sequence, event_id=event_id, digest=bytes(digest))
        made = sign(tenant_id, link, number=number + 1, created_at=now(), key=self._key)
        return AuditCheckpoint(
            tenant_id=made.tenant_id,
            number=made.number,
            sequence=made.sequence,
            event_id=made.event_id,
            digest=made.digest,
            created_at=made.created_at,
            key_id=made.key_id,
            signature=made.signature,
        )


class PacedSigner:
    """The relay's: signs what it has moved when that is due. Used by one thread."""

    def __init__(self, signer: AuditSigner) -> None:
        self._signer = signer
        # Not known before the first time: what an earlier relay left unsigned is then signed too.
        self._moved: set[UUID] | None = None
        self._events = 0
        self._last = 0.0

    def note(self, tenant_ids: Collection[UUID], events: int) -> None:
        """Take note of what was committed."""
        self._events += events
        if self._moved is not None:
            self._moved.update(tenant_ids)

    def sign_if_due(self) -> None:
        """Sign if it is time. Blocking."""
        first = self._moved is None
        if first or self._events >= EVENTS or (self._events and monotonic() - self._last >= SECONDS):
            self.sign()

    def sign(self) -> None:
        """Sign what is not signed yet. Blocking."""
        if self._moved is None or self._moved:
            self._signer.sign(self._moved)
        self._moved, self._events, self._last = set(), 0, monotonic()
