"""Whose memory capsules a tenant takes, inside the tenant's open transaction."""

import re
from collections.abc import Collection
from uuid import UUID

from soma.base.clock import now
from soma.base.errors import InvalidInput, NotFound
from soma.base.tenancy import Principal
from soma.brain.domain.capsule_record import CapsuleIssuer
from soma.brain.models import CapsuleIssuerRow

KEY = re.compile(r"[0-9a-f]{64}")
MAX_LABEL = 200


def trusted_keys(tenant_id: UUID, own: str) -> Collection[str]:
    """The keys whose capsules are taken: the installation's `own`, and those that the tenant named."""
    rows = CapsuleIssuerRow.objects.filter(tenant_id=tenant_id)
    return {own, *rows.values_list("public_key", flat=True)}


def issuers(tenant_id: UUID, own: str) -> list[CapsuleIssuer]:
    """The same with their labels, the installation's first."""
    rows = CapsuleIssuerRow.objects.filter(tenant_id=tenant_id).order_by("trusted_at", "public_key")
    return [
        CapsuleIssuer(public_key=own, label="this installation", own=True, trusted_at=None),
        *(
            CapsuleIssuer(public_key=row.public_key, label=row.label, own=False, trusted_at=row.trusted_at)
            for row in rows
        ),
    ]


def trust(principal: Principal, public_key: str, label: str) -> None:
    """Take capsules of the key from now on; again changes nothing. Raises InvalidInput."""
    _check(public_key, label)
    CapsuleIssuerRow.objects.bulk_create(
        [
            CapsuleIssuerRow(
                tenant_id=principal.tenant_id,
                public_key=public_key,
                label=label,
                trusted_at=now(),
                trusted_by=principal.user_id,
            )
        ],
        ignore_conflicts=True,
    )


def distrust(principal: Principal, public_key: str) -> None:
    """Take no more capsules of the key; what was taken stands until it is revoked. Raises NotFound."""
    rows = CapsuleIssuerRow.objects.filter(tenant_id=principal.tenant_id, public_key=public_key)
    if not rows.delete()[0]:
        raise NotFound(f"the tenant has not named the key {public_key[:64]!r}")


def _check(public_key: str, label: str) -> None:
    if not KEY.fullmatch(public_key):
        raise InvalidInput("a public key takes 64 hexadecimal digits in lower case: Ed25519, 32 bytes")
    if len(label) > MAX_LABEL or not label.isprintable():
        raise InvalidInput(f"a label is one line of at most {MAX_LABEL} characters")
