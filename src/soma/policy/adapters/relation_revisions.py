"""How far SpiceDB has followed each tenant: the rows of relation_revision, and their locks.

Whoever writes relations to SpiceDB holds the tenant's row from before the write to the commit, so that what
SpiceDB reached last is what was committed last.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connections

from soma.base.database import APP, WORKER, worker_transaction

SELECT = "SELECT revision, previous, zed_token FROM relation_revision WHERE tenant_id = %s"
INSERT = "INSERT INTO relation_revision (tenant_id, zed_token) VALUES (%s, '') ON CONFLICT DO NOTHING"
UPDATE = "UPDATE relation_revision SET revision = %s, previous = %s, zed_token = %s WHERE tenant_id = %s"
FORGET = "UPDATE relation_revision SET revision = NULL WHERE tenant_id = %s AND revision IS NOT NULL"

# The index is asked for the next tenant again and again: their relations are many, they are few.
OF_ALL_TENANTS = """
    WITH RECURSIVE related (tenant_id) AS (
        (SELECT tenant_id FROM relation ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT next.tenant_id FROM relation AS next WHERE next.tenant_id > related.tenant_id
                ORDER BY next.tenant_id LIMIT 1)
        FROM related WHERE related.tenant_id IS NOT NULL
    ), every (tenant_id) AS (
        SELECT tenant_id FROM related WHERE tenant_id IS NOT NULL
        UNION SELECT tenant_id FROM relation_revision
    )
    SELECT every.tenant_id, revision FROM every LEFT JOIN relation_revision USING (tenant_id)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """What SpiceDB has reached, and what before that; `id` is None when it was told nothing, or not all."""

    id: UUID | None = None
    previous: UUID | None = None
    zed_token: str = ""


def current(tenant_id: UUID) -> Revision:
    """The revision as committed, or as this transaction has written it."""
    return _select(SELECT, tenant_id) or Revision()


def current_unless_written(tenant_id: UUID) -> Revision | None:
    """The same, which then stands still until this transaction ends; None while another one writes."""
    return _select(f"{SELECT} FOR SHARE SKIP LOCKED", tenant_id)


def locked(tenant_id: UUID) -> Revision:
    """The same, once nobody else writes the tenant's relations, and nobody does until this transaction
    ends."""
    found = _select(f"{SELECT} FOR UPDATE", tenant_id)
    if found is None:
        with connections[APP].cursor() as cursor:
            cursor.execute(INSERT, [tenant_id])
        found = _select(f"{SELECT} FOR UPDATE", tenant_id)
    return found or Revision()


def keep(tenant_id: UUID, revision: Revision) -> None:
    """Store what SpiceDB has reached, under the lock."""
    with connections[APP].cursor() as cursor:
        cursor.execute(UPDATE, [revision.id, revision.previous, revision.zed_token, tenant_id])


def forget(tenant_id: UUID) -> None:
    """Note that relations are written of which SpiceDB is not told. Locks nothing where that is noted."""
    with connections[APP].cursor() as cursor:
        cursor.execute(FORGET, [tenant_id])


def of_all_tenants() -> dict[UUID, UUID | None]:
    """The revision of every tenant that has relations, as the worker sees them."""
    with worker_transaction(), connections[WORKER].cursor() as cursor:
        cursor.execute(OF_ALL_TENANTS)
        return dict(cursor.fetchall())


def _select(statement: str, tenant_id: UUID) -> Revision | None:
    with connections[APP].cursor() as cursor:
        cursor.execute(statement, [tenant_id])
        row = cursor.fetchone()
    return Revision(id=row[0], previous=row[1], zed_token=row[2]) if row else None
