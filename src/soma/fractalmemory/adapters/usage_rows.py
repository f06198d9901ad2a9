"""Counters of what namespaces and tenants use, kept in the transaction of what they count."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import connections
from django.db.backends.utils import CursorWrapper

from soma.base.database import WORKER, worker_transaction
from soma.fractalmemory.domain.record import IndexedRecord, MemoryRecord
from soma.fractalmemory.domain.usage import TENANT, Usage

Changes = dict[str, tuple[int, int]]
"""By namespace: how many records and bytes more."""

CHARGE = """
    INSERT INTO memory_usage (tenant_id, namespace, records, bytes)
    SELECT %s, namespace, records, bytes
    FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) WITH ORDINALITY
        AS change (namespace, records, bytes, place)
    ORDER BY place
    ON CONFLICT (tenant_id, namespace) DO UPDATE
    SET records = memory_usage.records + excluded.records, bytes = memory_usage.bytes + excluded.bytes
"""
"""Last in its transaction: every writer of a tenant waits for the tenant's row until the one before commits.
SQL, since the ORM has no addition on conflict."""

CLEAR = "DELETE FROM memory_usage WHERE tenant_id = %s AND records = 0"
READ = (
    "SELECT namespace, records, bytes FROM memory_usage WHERE tenant_id = %s AND namespace = ANY(%s::text[])"
)
LEAVING = """
    SELECT namespace, -count(*), -sum(octet_length(content))::bigint FROM memory_record
    WHERE tenant_id = %s AND id = ANY(%s) GROUP BY namespace
"""
EVERYWHERE = (
    "SELECT tenant_id, namespace FROM memory_usage WHERE namespace <> '' ORDER BY tenant_id, namespace"
)


def charge(cursor: CursorWrapper, tenant_id: UUID, changes: Changes) -> None:
    """Add `changes` to the counters of their namespaces and of the tenant."""
    changes = {namespace: change for namespace, change in sorted(changes.items()) if any(change)}
    if not changes:
        return
    totals = [sum(column) for column in zip(*changes.values(), strict=True)]
    rows = [(name, *change) for name, change in changes.items()] + [(TENANT, *totals)]
    names, records, sizes = map(list, zip(*rows, strict=True))
    cursor.execute(CHARGE, [tenant_id, names, records, sizes])
    if min(change[0] for change in changes.values()) < 0:
        cursor.execute(CLEAR, [tenant_id])


def written(standing: Iterable[MemoryRecord], writes: Sequence[IndexedRecord]) -> Changes:
    """What `writes` add to what is `standing`, of which they rewrite those with their ids."""
    before = {record.id: record for record in standing}
    records, sizes = Counter[str](), Counter[str]()
    for indexed in writes:
        old, new = before.get(indexed.record.id), indexed.record
        records[new.namespace] += old is None
        sizes[new.namespace] += _size(new) - (0 if old is None else _size(old))
    return {namespace: (records[namespace], sizes[namespace]) for namespace in sizes}


def leaving(cursor: CursorWrapper, tenant_id: UUID, ids: Collection[UUID]) -> Changes:
    """What deleting the records `ids` takes away, under the lock of their namespaces."""
    cursor.execute(LEAVING, [tenant_id, list(ids)])
    return {namespace: (records, size) for namespace, records, size in cursor.fetchall()}


def read_usage(cursor: CursorWrapper, tenant_id: UUID, namespaces: Collection[str]) -> Mapping[str, Usage]:
    """The counters of those of `namespaces` (TENANT among them for all) that hold anything."""
    cursor.execute(READ, [tenant_id, list(namespaces)])
    return {name: Usage(records=records, bytes=size) for name, records, size in cursor.fetchall()}


def every_namespace() -> list[tuple[UUID, str]]:
    """The namespaces of all tenants that hold anything. Opens a transaction of the worker's."""
    with worker_transaction(), connections[WORKER].cursor() as cursor:
        cursor.execute(EVERYWHERE)
        rows: list[tuple[UUID, str]] = cursor.fetchall()
        return rows


def _size(record: MemoryRecord) -> int:
    return len(record.content.encode())
