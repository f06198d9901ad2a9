"""Bringing the index up to the memories, a page in a transaction."""

from uuid import UUID

from soma.base.database import tenant_transaction
from soma.fractalmemory.domain.reconciled import Reconciled
from soma.fractalmemory.ports import VectorStore

PAGE = 1_000
"""Rows of a page are locked while they are indexed; so many take a tenth of a second."""

COMPARED = 1_000


def index_page(store: VectorStore, tenant_id: UUID, namespace: str) -> bool:
    """One page; whether there may be more."""
    with tenant_transaction(tenant_id):
        sealed = store.passages.seal(tenant_id, namespace)
    with tenant_transaction(tenant_id):
        return store.index(tenant_id, namespace, PAGE) + sealed > 0


def reconcile(store: VectorStore, tenant_id: UUID) -> Reconciled:
    """See FractalMemory.reconcile."""
    lost, orphaned, cursor = 0, 0, None
    while True:
        with tenant_transaction(tenant_id):
            step = store.reconcile(tenant_id, cursor, COMPARED)
        lost, orphaned, cursor = lost + step.lost, orphaned + step.orphaned, step.cursor
        if cursor is None:
            return Reconciled(lost=lost, orphaned=orphaned, cursor=None)
