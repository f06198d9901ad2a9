"""The evidence that this installation holds: events in the log, links and checkpoints beside it."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db import connections

from soma.base.database import APP, tenant_transaction
from soma.events.audit.checkpoint import Checkpoint
from soma.events.audit.evidence import Claims, Page
from soma.events.audit.link import Link
from soma.events.audit.stored_expiry import latest_expiry
from soma.events.errors import EventMissing
from soma.events.event import StoredEvent
from soma.events.models import AuditCheckpoint, AuditLink
from soma.events.ports import EventLog

PAGE = 1000

# One snapshot: the relay's transaction writes all three.
CLAIMS = """
SELECT coalesce((SELECT max(last_sequence) FROM event_stream WHERE tenant_id = %(tenant)s), 0),
       coalesce((SELECT max(sequence) FROM audit_link WHERE tenant_id = %(tenant)s), 0),
       coalesce((SELECT max(sequence) FROM audit_checkpoint WHERE tenant_id = %(tenant)s), 0),
       coalesce((SELECT max(number) FROM audit_checkpoint WHERE tenant_id = %(tenant)s), 0)
"""


class StoredEvidence:
    """See evidence.Evidence. What is signed with `public` says what may be gone. Each call is a transaction
    of its own; the log may grow meanwhile."""

    def __init__(self, tenant_id: UUID, log: EventLog, *, page: int = PAGE, public: bytes = b"") -> None:
        self._tenant_id = tenant_id
        self._log = log
        self._size = page
        self._public = public

    def claims(self) -> Claims:
        """See Evidence."""
        with tenant_transaction(self._tenant_id), connections[APP].cursor() as cursor:
            cursor.execute(CLAIMS, {"tenant": self._tenant_id})
            recorded, linked, signed, number = cursor.fetchone()
        return Claims(sequence=max(recorded, linked, signed), checkpoints=number, linked=linked)

    def page(self, after: int, expected: int) -> Page:
        """See Evidence. Events first: whatever event is seen, its link was committed with it."""
        events, missing = self._events(after)
        later = more = missing is not None or len(events) == self._size
        last = events[-1].sequence if events else after
        if missing is not None:
            upper = missing.sequence - 1
        elif more:
            upper = before_last([event.sequence for event in events])
        else:
            upper = max(expected, last)
        with tenant_transaction(self._tenant_id):
            links = self._links(after, upper)
            if len(links) == self._size and (cut := before_last([link.sequence for link in links])) < upper:
                upper, more, missing = cut, True, None
                links = [link for link in links if link.sequence <= upper]
            checkpoints = self._checkpoints(after, upper)
        kept = [event for event in events if event.sequence <= upper]
        return Page(
            events=kept,
            links=links,
            checkpoints=checkpoints,
            more=more,
            later=later or len(kept) < len(events),
            missing=missing,
        )

    def expired(self, sequences: Collection[int]) -> set[int]:
        """See Evidence."""
        gone = self._log.expired(self._tenant_id, sequences)
        return gone | self._announced(set(sequences) - gone)

    def _announced(self, sequences: Collection[int]) -> set[int]:
        """What the retention has signed that it removes, and has a link, and stands before all that is
        kept."""
        if not sequences:
            return set()
        # Asked anew, after the events: what has left meanwhile was signed for before it did.
        expiry = latest_expiry(self._tenant_id, self._public)
        if expiry is None:
            return set()
        kept = self._log.read(self._tenant_id, limit=1)
        before = min(expiry.sequence + 1, kept[0].sequence if kept else max(sequences) + 1)
        with tenant_transaction(self._tenant_id):
            links = AuditLink.objects.filter(
                tenant_id=self._tenant_id, sequence__in=sequences, sequence__lt=before
            )
            return set(links.values_list("sequence", flat=True))

    def sequence_of(self, event_id: UUID) -> int | None:
        """See Evidence."""
        with tenant_transaction(self._tenant_id):
            links = AuditLink.objects.filter(tenant_id=self._tenant_id, event_id=event_id)
            return links.values_list("sequence", flat=True).first()

    def holds(self, event_id: UUID) -> bool:
        """See Evidence."""
        after = 0
        while True:
            events, missing = self._events(after)
            if any(event.event_id == event_id for event in events):
                return True
            if missing is None and len(events) < self._size:
                return False
            after = missing.sequence if missing is not None else events[-1].sequence

    def _events(self, after: int) -> tuple[list[StoredEvent], EventMissing | None]:
        """The events that follow, up to one that the log should have and does not."""
        limit, missing = self._size, None
        while True:
            try:
                return self._log.read(self._tenant_id, after=after, limit=limit), missing
            except EventMissing as error:
                missing, limit = error, min(limit - 1, error.sequence - after - 1)
                if limit <= 0:
                    return [], missing

    def _links(self, after: int, upper: int) -> list[Link]:
        rows: Any = AuditLink.objects.filter(
            tenant_id=self._tenant_id, sequence__gt=after, sequence__lte=upper
        ).order_by("sequence")
        found = rows.values_list("sequence", "event_id", "digest")[: self._size]
        return [
            Link(sequence=sequence, event_id=event_id, digest=bytes(digest))
            for sequence, event_id, digest in found
        ]

    def _checkpoints(self, after: int, upper: int) -> list[Checkpoint]:
        rows = AuditCheckpoint.objects.filter(
            tenant_id=self._tenant_id, sequence__gt=after, sequence__lte=upper
        ).order_by("sequence")
        return [checkpoint_of(row) for row in rows]


def before_last(sequences: Sequence[int]) -> int:
    """Where to cut a full page, so that two of one sequence, which the database was kept from refusing, come
    on the same page."""
    return sequences[-1] - (sequences[0] < sequences[-1])


def checkpoint_of(row: AuditCheckpoint) -> Checkpoint:
    """The checkpoint that a row holds."""
    return Checkpoint(
        tenant_id=row.tenant_id,
        number=row.number,
        sequence=row.sequence,
        event_id=row.event_id,
        digest=bytes(row.digest),
        created_at=row.created_at,
        key_id=row.key_id,
        signature=bytes(row.signature),
    )
