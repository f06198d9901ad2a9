"""Links between memories, as the brain keeps them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, LimitExceeded, NotFound
from soma.brain.domain.memory_link import (
    MAX_PAGE,
    GraphMetrics,
    LinkPage,
    MemoryLink,
    WantedLink,
    check_hops,
    check_kind,
)
from soma.brain.domain.usage import Usage, UsageTaken
from soma.brain.services.graph_metrics import graph_metrics
from soma.brain.services.network import distances
from soma.brain.services.record_usage import record_usage
from soma.events.api import Consumer, StoredEvent
from soma.fractalmemory.api import MAX_LINKS, USED_TOGETHER, FractalMemory, Link, LinkKey, Walk

EVIDENCE_USED = "memory.evidence_used"

MOST_SEEN = 1000
"""Memories around one, whose links are listed."""


class MemoryLinks:
    """Links between the memories of a namespace. Opens transactions of its own.

    A link carries conductance. What is recalled brings along what is linked to it; what is used strengthens
    the links over which one comes to it, and what is used together gets linked.
    """

    def __init__(self, memory: FractalMemory) -> None:
        self._memory = memory

    def link(self, tenant_id: UUID, namespace: str, wanted: WantedLink) -> MemoryLink:
        """Make a link, or give the one that there is another conductance; usage moves it from there, and it
        comes back to it. A memory that has as many links as it may loses the weakest that usage made.

        Raises NotFound for a memory that is none of the namespace's, LimitExceeded where one has MAX_LINKS
        that were made like this, InvalidInput for the kind that usage makes.
        """
        if wanted.kind == USED_TOGETHER:
            raise InvalidInput(f"{USED_TOGETHER} is the kind of links that usage makes", limit="kind")
        key = LinkKey(source_id=wanted.source_id, target_id=wanted.target_id, kind=wanted.kind)
        link = Link(key=key, conductance=wanted.conductance, created_at=now())
        with tenant_transaction(tenant_id):
            self._require(tenant_id, namespace, (key.source_id, key.target_id))
            for end in (key.source_id, key.target_id):
                self._require_room(tenant_id, end, key)
            self._memory.graph.link(tenant_id, [link], link.created_at)
        return _told(link)

    def unlink(self, tenant_id: UUID, namespace: str, source_id: UUID, target_id: UUID, kind: str) -> None:
        """Remove a link, of whichever kind. Raises NotFound, InvalidInput."""
        check_kind(kind)
        with tenant_transaction(tenant_id):
            self._require(tenant_id, namespace, (source_id, target_id))
            key = LinkKey(source_id=source_id, target_id=target_id, kind=kind)
            if not self._memory.graph.unlink(tenant_id, [key]):
                raise NotFound("there is no such link")

    def around(
        self,
        tenant_id: UUID,
        namespace: str,
        record_id: UUID,
        *,
        k_hop: int = 1,
        limit: int = 100,
        cursor: str | None = None,
    ) -> LinkPage:
        """The links within `k_hop` (0 to 3) of a memory, at most `limit` (1 to 1000) a page. Raises NotFound,
        InvalidInput, LimitExceeded."""
        check_hops(k_hop)
        start = _start(cursor)
        if limit < 1:
            raise InvalidInput(f"limit is {limit}; it takes 1 to {MAX_PAGE}")
        if limit > MAX_PAGE:
            raise LimitExceeded("limit", maximum=MAX_PAGE, actual=limit, unit="links")
        links = self._around(tenant_id, namespace, record_id, k_hop, now())
        page = tuple(links[start : start + limit])
        return LinkPage(links=page, cursor=str(start + limit) if start + limit < len(links) else None)

    def metrics(self, tenant_id: UUID, namespace: str, ids: Sequence[UUID] = ()) -> GraphMetrics:
        """How the namespace is linked, and the effective resistance between each two of `ids`, at most 8.
        Raises NotFound, LimitExceeded."""
        with tenant_transaction(tenant_id):
            self._require(tenant_id, namespace, ids)
            return graph_metrics(self._memory, tenant_id, namespace, tuple(dict.fromkeys(ids)))

    def record_usage(self, usage: Usage) -> UsageTaken:
        """Let links take in what was used; the same name again changes nothing. Raises LinksUnavailable, and
        then nothing is taken in."""
        return record_usage(self._memory, usage)

    def usage(self) -> Consumer:
        """The consumer that takes in what turns have used."""

        def handle(event: StoredEvent) -> None:
            self.record_usage(usage_of(event))

        return Consumer(name="brain.usage", types=(EVIDENCE_USED,), handler=handle)

    def _require(self, tenant_id: UUID, namespace: str, ids: Sequence[UUID]) -> None:
        found = self._memory.get(tenant_id, list(set(ids)))
        if {record.id for record in found if record.namespace == namespace} != set(ids):
            raise NotFound("there is no such memory")

    def _require_room(self, tenant_id: UUID, record_id: UUID, key: LinkKey) -> None:
        """Raises LimitExceeded if a link made by hand had to give way."""
        made = 1 + self._memory.graph.made_by_hand(tenant_id, record_id, key)
        if made > MAX_LINKS:
            raise LimitExceeded("links_per_memory", maximum=MAX_LINKS, actual=made, unit="links")

    def _around(
        self, tenant_id: UUID, namespace: str, record_id: UUID, hops: int, moment: datetime
    ) -> list[MemoryLink]:
        walk = Walk(
            namespace=namespace,
            seeds=(record_id,),
            hops=hops,
            at=moment,
            fanout=MAX_LINKS,
            limit=MOST_SEEN,
        )
        with tenant_transaction(tenant_id):
            self._require(tenant_id, namespace, (record_id,))
            links = self._memory.graph.walk(tenant_id, walk)
        away = distances((record_id,), links)
        told = [
            _told(link, hop=1 + min(away[link.key.source_id], away[link.key.target_id])) for link in links
        ]
        return sorted(told, key=lambda link: (link.hop, -link.conductance, link.source_id, link.target_id))


def usage_of(event: StoredEvent) -> Usage:
    """The use that a `memory.evidence_used` event tells of."""
    payload = event.payload
    return Usage(
        tenant_id=event.tenant_id,
        namespace=payload["namespace"],
        name=f"turn:{payload['turn_id']}",
        entries=tuple(UUID(each) for each in payload["entries"]),
        used=tuple(UUID(each) for each in payload["used"]),
        at=event.occurred_at,
    )


def _told(link: Link, hop: int = 1) -> MemoryLink:
    return MemoryLink(
        source_id=link.key.source_id,
        target_id=link.key.target_id,
        kind=link.key.kind,
        conductance=link.conductance,
        rest=link.resting,
        flow=link.flow,
        created_at=link.created_at,
        hop=hop,
    )


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 9):
        raise InvalidInput("cursor is none that was given", limit="cursor")
    return int(cursor)
