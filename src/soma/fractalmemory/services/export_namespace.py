"""Writing a namespace as JSON Lines."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from soma.base.database import tenant_transaction
from soma.fractalmemory.domain.record import MemoryRecord
from soma.fractalmemory.domain.selection import Selection
from soma.fractalmemory.domain.transfer_line import header_line, link_line, record_line
from soma.fractalmemory.ports import LinkStore, VectorStore

PAGE = 500


def export_namespace(
    store: VectorStore,
    links: LinkStore,
    tenant_id: UUID,
    namespace: str,
    *,
    called: str | None = None,
    vectors: bool = False,
) -> Iterator[bytes]:
    """See MemoryTransfer.export."""
    yield header_line(called or namespace)
    after: str | None = None
    while lines := _records(store, tenant_id, namespace, after, vectors=vectors):
        after = lines[-1][0]
        yield from (line for _, line in lines)
    after = None
    while page := _links(store, links, tenant_id, namespace, after):
        after, found = page
        yield from found


def _records(
    store: VectorStore, tenant_id: UUID, namespace: str, after: str | None, *, vectors: bool
) -> list[tuple[str, bytes]]:
    """The lines of a page of memories, each with its key."""
    with tenant_transaction(tenant_id):
        records = store.select(tenant_id, Selection(namespace=namespace), after=after, limit=PAGE)
        kept = store.vectors(tenant_id, [record.id for record in records]) if vectors else {}
    return [(record.key, record_line(record, kept.get(record.id))) for record in records]


def _links(
    store: VectorStore, links: LinkStore, tenant_id: UUID, namespace: str, after: str | None
) -> tuple[str, list[bytes]] | None:
    """The lines of the links that leave a page of memories for others of the namespace, with the page's last
    key; None behind the last page."""
    with tenant_transaction(tenant_id):
        records = store.select(tenant_id, Selection(namespace=namespace), after=after, limit=PAGE)
        if not records:
            return None
        leaving = links.outgoing(tenant_id, [record.id for record in records])
        targets = store.get(tenant_id, sorted({link.key.target_id for link in leaving}))
    sources = _keys(records, namespace)
    keys = sources | _keys(targets, namespace)
    return records[-1].key, [
        link_line(link, sources[link.key.source_id], keys[link.key.target_id])
        for link in leaving
        if link.key.target_id in keys
    ]


def _keys(records: Sequence[MemoryRecord], namespace: str) -> dict[UUID, str]:
    return {record.id: record.key for record in records if record.namespace == namespace}
