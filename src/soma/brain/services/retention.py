"""Keeping memories for so long and no longer, by the time of what they tell of. Memory capsules stand whole
until they are revoked."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db import connections

from soma.base.database import WORKER, tenant_transaction
from soma.base.errors import InvalidInput
from soma.brain.domain.capsule_reference import capsule_of
from soma.brain.models import RetentionRow
from soma.fractalmemory.api import FractalMemory, Selection

ALL = ""
"""In place of a namespace's name: all of the tenant's that have no rule of their own."""
LONGEST_DAYS = 36_500
PAGE = 500
"""Memories that are deleted in a transaction: writers of their namespace wait for it."""

TRY_LEASE = "SELECT pg_try_advisory_lock(hashtextextended('soma.brain.retention', 0))"
END_LEASE = "SELECT pg_advisory_unlock(hashtextextended('soma.brain.retention', 0))"
"""The server gives it back also when the process that has it dies."""


def keep_for(tenant_id: UUID, namespace: str, days: int | None) -> None:
    """See Brain.keep_for."""
    if days is not None and not 0 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"Memories are kept for {days} days; it takes 0 to {LONGEST_DAYS}")
    with tenant_transaction(tenant_id):
        rule = RetentionRow.objects.filter(tenant_id=tenant_id, namespace=namespace)
        if days is None:
            rule.delete()
        else:
            RetentionRow.objects.bulk_create(
                [RetentionRow(tenant_id=tenant_id, namespace=namespace, days=days)],
                update_conflicts=True,
                unique_fields=["tenant_id", "namespace"],
                update_fields=["days"],
            )


def apply_retention(memory: FractalMemory, as_of: datetime, default_days: int) -> int | None:
    """Delete what is past its time at `as_of`, of all tenants; how many memories. None if another process is
    at it."""
    with connections[WORKER].cursor() as cursor:
        cursor.execute(TRY_LEASE)
        if not cursor.fetchone()[0]:
            return None
        try:
            return _everywhere(memory, as_of, default_days)
        finally:
            cursor.execute(END_LEASE)


def _everywhere(memory: FractalMemory, as_of: datetime, default_days: int) -> int:
    deleted = 0
    for tenant_id, places in groupby(memory.every_namespace(), key=lambda place: place[0]):
        rules = _rules(tenant_id)
        for namespace in (name for _, name in places if capsule_of(name) is None):
            days = rules.get(namespace, rules.get(ALL, default_days))
            if days > 0:
                deleted += _expire(memory, tenant_id, namespace, as_of - timedelta(days=days))
    return deleted


def _rules(tenant_id: UUID) -> Mapping[str, int]:
    with tenant_transaction(tenant_id):
        return dict(RetentionRow.objects.filter(tenant_id=tenant_id).values_list("namespace", "days"))


def _expire(memory: FractalMemory, tenant_id: UUID, namespace: str, before: datetime) -> int:
    past, deleted = Selection(namespace=namespace, before=before), 0
    while True:
        with tenant_transaction(tenant_id):
            page = memory.select(tenant_id, past, limit=PAGE)
            deleted += memory.delete(tenant_id, [record.id for record in page]) if page else 0
        if len(page) < PAGE:
            return deleted
