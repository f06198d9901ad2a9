"""A tenant's evidence in memory, to be tampered with."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from soma.base.crypto import SigningKey
from soma.events.audit.checkpoint import Checkpoint
from soma.events.audit.evidence import Claims, Page
from soma.events.audit.finding import AuditReport
from soma.events.audit.link import Link
from soma.events.audit.signatures import Signatures
from soma.events.audit.stored_evidence import StoredEvidence, before_last
from soma.events.audit.walk import Walk
from soma.events.event import StoredEvent

T = TypeVar("T", Link, Checkpoint)


@dataclass(kw_only=True)
class Held:
    """Rows as they were read from the real tables. `recorded` is what event_stream says."""

    tenant_id: UUID
    key: SigningKey
    recorded: int
    events: list[StoredEvent]
    links: list[Link]
    checkpoints: list[Checkpoint]
    size: int = 1000
    gone: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, evidence: StoredEvidence, tenant_id: UUID, key: SigningKey) -> "Held":
        """All that `evidence` shows on its first page."""
        claims = evidence.claims()
        page = evidence.page(0, claims.sequence)
        assert not page.more
        return cls(
            tenant_id=tenant_id,
            key=key,
            recorded=claims.sequence,
            events=list(page.events),
            links=list(page.links),
            checkpoints=list(page.checkpoints),
        )

    def copy(self) -> "Held":
        """One that may be changed."""
        return Held(
            tenant_id=self.tenant_id,
            key=self.key,
            recorded=self.recorded,
            events=[*self.events],
            links=[*self.links],
            checkpoints=[*self.checkpoints],
            size=self.size,
        )

    def verify(self, *, since: Checkpoint | None = None) -> AuditReport:
        """What a verification finds."""
        signatures = Signatures(self.tenant_id, self.key.public, start=since)
        *_, report = Walk(self.tenant_id, self, signatures, start=since).reports()
        return report

    def claims(self) -> Claims:
        """See Evidence."""
        linked = max((link.sequence for link in self.links), default=0)
        signed = max((each.sequence for each in self.checkpoints), default=0)
        return Claims(
            sequence=max(self.recorded, linked, signed),
            checkpoints=max((each.number for each in self.checkpoints), default=0),
            linked=linked,
        )

    def page(self, after: int, expected: int) -> Page:
        """See Evidence."""
        behind = sorted((e for e in self.events if e.sequence > after), key=lambda event: event.sequence)
        events = behind[: self.size]
        more = len(behind) > self.size
        last = events[-1].sequence if events else after
        upper = before_last([event.sequence for event in events]) if more else max(expected, last)
        return Page(
            events=[event for event in events if event.sequence <= upper],
            links=_within(self.links, after, upper),
            checkpoints=_within(self.checkpoints, after, upper),
            more=more,
            later=more,
        )

    def expired(self, sequences: Collection[int]) -> set[int]:
        """See Evidence."""
        return self.gone & set(sequences)

    def sequence_of(self, event_id: UUID) -> int | None:
        """See Evidence."""
        return next((link.sequence for link in self.links if link.event_id == event_id), None)

    def holds(self, event_id: UUID) -> bool:
        """See Evidence."""
        return any(event.event_id == event_id for event in self.events)


def _within(each: Sequence[T], after: int, upper: int) -> list[T]:
    return sorted((one for one in each if after < one.sequence <= upper), key=lambda one: one.sequence)
