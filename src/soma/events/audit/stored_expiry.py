"""The expiries that this installation keeps: written ahead of the retention, read by verifications."""

from collections.abc import Mapping
from uuid import UUID

from django.db import connections

from soma.base.clock import now
from soma.base.crypto import SigningKey
from soma.base.database import WORKER, tenant_transaction, worker_transaction
from soma.events.audit.expiry import Expiry, sign_expiry
from soma.events.models import AuditExpiry, AuditLink

DIGESTS = """
SELECT last.tenant_id, last.sequence, link.digest
FROM unnest(%s::uuid[], %s::bigint[]) AS last(tenant_id, sequence)
LEFT JOIN audit_link AS link ON link.tenant_id = last.tenant_id AND link.sequence = last.sequence
"""


def announce(lasts: Mapping[UUID, int], key: SigningKey) -> None:
    """Sign that each tenant's events up to the sequence given are about to leave the log. Blocking, in a
    worker transaction of its own: when they leave, it is known."""
    if not lasts:
        return
    with worker_transaction(), connections[WORKER].cursor() as cursor:
        cursor.execute(DIGESTS, [list(lasts), list(lasts.values())])
        signed = [
            sign_expiry(tenant_id, sequence, bytes(digest or b""), created_at=now(), key=key)
            for tenant_id, sequence, digest in cursor.fetchall()
        ]
        # Another process may sweep too, and say the same.
        AuditExpiry.objects.using(WORKER).bulk_create(map(_row, signed), ignore_conflicts=True)


def latest_expiry(tenant_id: UUID, public: bytes) -> Expiry | None:
    """The furthest of the tenant's expiries that is signed with `public` and names the link that stands
    there; None where there is none. Joins no transaction."""
    with tenant_transaction(tenant_id):
        for row in AuditExpiry.objects.filter(tenant_id=tenant_id).order_by("-sequence").iterator():
            expiry = _expiry(row)
            if expiry.signed_by(public) and _fits(expiry):
                return expiry
    return None


def _fits(expiry: Expiry) -> bool:
    links = AuditLink.objects.filter(tenant_id=expiry.tenant_id, sequence=expiry.sequence)
    digest = links.values_list("digest", flat=True).first()
    return bytes(digest or b"") == expiry.digest


def _row(expiry: Expiry) -> AuditExpiry:
    return AuditExpiry(
        tenant_id=expiry.tenant_id,
        sequence=expiry.sequence,
        digest=expiry.digest,
        created_at=expiry.created_at,
        key_id=expiry.key_id,
        signature=expiry.signature,
    )


def _expiry(row: AuditExpiry) -> Expiry:
    return Expiry(
        tenant_id=row.tenant_id,
        sequence=row.sequence,
        digest=bytes(row.digest),
        created_at=row.created_at,
        key_id=row.key_id,
        signature=bytes(row.signature),
    )
