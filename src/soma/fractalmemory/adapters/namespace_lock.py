"""One writer a namespace at a time."""

from collections.abc import Iterable
from uuid import UUID

from django.db.backends.utils import CursorWrapper

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
"""Serialises writers of one namespace until commit: two that store one content must not both find it new."""


def lock_namespaces(cursor: CursorWrapper, tenant_id: UUID, namespaces: Iterable[str]) -> None:
    """Wait until this transaction is the only one that writes `namespaces`; in one order, so that two who
    write the same do not wait for each other."""
    for namespace in sorted(set(namespaces)):
        cursor.execute(LOCK, [f"{tenant_id}/{namespace}"])
