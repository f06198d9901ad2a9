"""What tells a tenant's processes that one of its sessions was ended."""

from uuid import UUID

from soma.base.ids import new_id
from soma.identity.models import SessionEpoch


def begin_epoch(tenant_id: UUID) -> None:
    """A new epoch, in the transaction that ends a session."""
    SessionEpoch.objects.bulk_create(
        [SessionEpoch(tenant_id=tenant_id, epoch=new_id())],
        update_conflicts=True,
        unique_fields=["tenant_id"],
        update_fields=["epoch"],
    )
