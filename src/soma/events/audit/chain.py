"""The chain as the relay makes it: in the transaction that records the events, so that there is neither an
event without its link nor a link without its event, whatever dies when."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from uuid import UUID

from django.db import connections

from soma.base.clock import iso
from soma.base.database import WORKER
from soma.events.audit.event_document import Document, pending_document, stored_document
from soma.events.audit.link import ROOT, Link, digest_after
from soma.events.errors import EventMissing
from soma.events.event import PendingEvent, Recorded
from soma.events.ports import EventLog

logger = logging.getLogger(__name__)

PAGE = 1000
WORTH_A_THREAD = 50
"""Events in a batch from which on another thread pays."""

HEADS = """
SELECT tenant.id, head.sequence, head.event_id, head.digest
FROM unnest(%s::uuid[]) AS tenant(id)
CROSS JOIN LATERAL (
    SELECT sequence, event_id, digest FROM audit_link WHERE tenant_id = tenant.id
    ORDER BY sequence DESC LIMIT 1) AS head
"""
"""The last link of each tenant: one look into the index for each."""

# Arrays and one string of all digests, because a row of parameters each takes longer than the rest of it.
INSERT = """
INSERT INTO audit_link (tenant_id, sequence, event_id, digest)
SELECT tenant_id, sequence, event_id, substring(digests FROM (64 * (place - 1) + 1)::integer FOR 64)
FROM (SELECT %s::bytea AS digests) AS every,
     unnest(%s::uuid[], %s::bigint[], %s::uuid[]) WITH ORDINALITY AS row(tenant_id, sequence, event_id, place)
"""


class AuditChain:
    """Appends to `log` and links what it records."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="soma-audit")

    def append(self, events: Sequence[PendingEvent]) -> set[UUID]:
        """See EventLog.append; the tenants of what was recorded. Inside the relay's transaction."""
        documents, recorded = self._appended(events)
        recorded_at = iso(recorded.recorded_at)
        unlinked, fresh = dict(recorded.sequences), dict[UUID, list[tuple[PendingEvent, int, bytes]]]()
        for event, unrecorded in zip(events, documents, strict=True):
            # What comes twice in a batch was recorded at its first place.
            if sequence := unlinked.pop(event.event_id, 0):
                content = unrecorded.recorded(sequence, recorded_at)
                fresh.setdefault(event.tenant_id, []).append((event, sequence, content))
        self._link(fresh)
        return set(fresh)

    def _appended(self, events: Sequence[PendingEvent]) -> tuple[list[Document], Recorded]:
        """The documents of `events`, a large batch's made while the log takes its time."""
        if len(events) < WORTH_A_THREAD:
            documents = _documents(events)
            return documents, self._log.append(events)
        making = self._beside.submit(_documents, events)
        try:
            recorded = self._log.append(events)
        finally:
            wait([making])
        return making.result(), recorded

    def _link(self, fresh: Mapping[UUID, Sequence[tuple[PendingEvent, int, bytes]]]) -> None:
        heads = _heads(fresh)
        links = list[tuple[UUID, Link]]()
        for tenant_id, entries in fresh.items():
            earlier = self._earlier(tenant_id, heads.get(tenant_id), until=entries[0][1])
            head = earlier[-1] if earlier else heads.get(tenant_id)
            digest = head.digest if head else ROOT
            links += [(tenant_id, link) for link in earlier]
            for event, sequence, content in entries:
                digest = digest_after(digest, content)
                links.append((tenant_id, Link(sequence=sequence, event_id=event.event_id, digest=digest)))
        _insert(links)

    def _earlier(self, tenant_id: UUID, head: Link | None, *, until: int) -> list[Link]:
        """Links for what the log has before the sequence `until` and behind `head`: what was recorded before
        there was a chain, or by a process that did not know of it."""
        reached, digest, links = (head.sequence, head.digest, []) if head else (0, ROOT, list[Link]())
        while reached + 1 < until:
            try:
                events = self._log.read(tenant_id, after=reached, limit=min(PAGE, until - 1 - reached))
            except EventMissing:
                # The relay goes on; that they have no links is what a verification finds.
                logger.exception("the events of %s after %d get no links", tenant_id, reached)
                break
            for event in events:
                if event.sequence < until:
                    digest = digest_after(digest, stored_document(event))
                    links.append(Link(sequence=event.sequence, event_id=event.event_id, digest=digest))
            reached = events[-1].sequence if events else until
        if links:
            logger.warning("linked %d events of %s that had no links", len(links), tenant_id)
        return links


def _documents(events: Sequence[PendingEvent]) -> list[Document]:
    return [pending_document(event) for event in events]


def _heads(tenant_ids: Collection[UUID]) -> dict[UUID, Link]:
    with connections[WORKER].cursor() as cursor:
        cursor.execute(HEADS, [list(tenant_ids)])
        return {
            tenant_id: Link(sequence=sequence, event_id=event_id, digest=bytes(digest))
            for tenant_id, sequence, event_id, digest in cursor.fetchall()
        }


def _insert(links: Sequence[tuple[UUID, Link]]) -> None:
    if not links:
        return
    with connections[WORKER].cursor() as cursor:
        cursor.execute(
            INSERT,
            [
                b"".join(link.digest for _, link in links),
                _array(tenant_id for tenant_id, _ in links),
                _array(link.sequence for _, link in links),
                _array(link.event_id for _, link in links),
            ],
        )


def _array(values: Iterable[UUID | int]) -> str:
    """A PostgreSQL array's text: psycopg takes as long for a list as the server for the insert."""
    return f"{{{','.join(map(str, values))}}}"
