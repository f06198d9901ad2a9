"""Transactions to call a store in."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

from soma.base.database import tenant_transaction


@contextmanager
def own_connection(tenant: UUID) -> Iterator[None]:
    """The tenant's transaction, on a connection that goes with the thread."""
    try:
        with tenant_transaction(tenant):
            yield
    finally:
        connection.close()
