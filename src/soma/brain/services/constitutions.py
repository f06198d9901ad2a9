"""The constitutions that agents learn under: learning is not to be returned to across one that is revoked."""

import re
from uuid import UUID

from soma.base.clock import now
from soma.base.errors import Conflict, InvalidInput, NotFound
from soma.brain.models import ConstitutionRow

HASH = re.compile(r"[0-9a-f]{64,128}")


def adopt_constitution(tenant_id: UUID, hash_: str) -> None:
    """See Brain.adopt_constitution."""
    if not HASH.fullmatch(hash_):
        raise InvalidInput("The hash of a constitution is 64 to 128 hex digits in lower case")
    row, _ = ConstitutionRow.objects.get_or_create(
        tenant_id=tenant_id, hash=hash_, defaults={"adopted_at": now()}
    )
    if row.revoked_at is not None:
        raise Conflict(f"The constitution {hash_} is revoked")


def revoke_constitution(tenant_id: UUID, hash_: str) -> None:
    """See Brain.revoke_constitution."""
    rows = ConstitutionRow.objects.filter(tenant_id=tenant_id, hash=hash_)
    if not rows.exists():
        raise NotFound(f"No constitution {hash_} was adopted")
    rows.filter(revoked_at=None).update(revoked_at=now())


def is_revoked(tenant_id: UUID, hash_: str | None) -> bool:
    """Whether the constitution is, or cannot be shown not to be; what was learned under none is free."""
    if hash_ is None:
        return False
    return not ConstitutionRow.objects.filter(tenant_id=tenant_id, hash=hash_, revoked_at=None).exists()
