"""A tenant's events as one stream."""

from uuid import UUID

from soma.base.database import tenant_transaction
from soma.events.models import EventStream


def last_sequence(tenant_id: UUID) -> int:
    """The sequence number of the tenant's latest event; 0 before the first. In a transaction of its own."""
    with tenant_transaction(tenant_id):
        row = EventStream.objects.filter(tenant_id=tenant_id).first()
    return row.last_sequence if row else 0
