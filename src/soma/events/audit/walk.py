"""Walking along a tenant's chain until something does not fit."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from soma.events.audit.checkpoint import Checkpoint
from soma.events.audit.diagnosis import Diagnosis
from soma.events.audit.event_document import stored_document
from soma.events.audit.evidence import Evidence, Page
from soma.events.audit.finding import AuditReport, Break, Fault, Part
from soma.events.audit.link import ROOT, Link, digest_after
from soma.events.audit.signatures import Signatures
from soma.events.event import StoredEvent

LOOKED_AHEAD = 1000
"""Sequences at once of which it is asked whether they have expired."""


@dataclass(slots=True)
class _Place:
    """What stands at one sequence; more than one of a kind is a fault in itself."""

    events: list[StoredEvent] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)


class Walk:
    """Verifies `evidence` from its beginning, or from `start`, a checkpoint whose signature was checked."""

    def __init__(
        self, tenant_id: UUID, evidence: Evidence, signatures: Signatures, *, start: Checkpoint | None = None
    ) -> None:
        self._tenant_id = tenant_id
        self._evidence = evidence
        self._signatures = signatures
        self._diagnosis = Diagnosis(evidence)
        self._after = self._sequence = start.sequence if start else 0
        self._digest = start.digest if start else ROOT
        self._positions: dict[str, int] = {}
        self._events = self._expired = 0
        self._start = start
        self._expected = self._sequence
        self._made = 0

    def reports(self) -> Iterator[AuditReport]:
        """How far it has come, after each page; the last is the result."""
        claims = self._evidence.claims()
        self._expected = max(claims.sequence, self._expected)
        self._made = claims.checkpoints
        broken = self._beginning(claims.linked)
        more = broken is None
        while more:
            page = self._evidence.page(self._sequence, self._expected)
            broken = self._page(page)
            more = page.more and broken is None
            if more:
                yield self._report(None)
        yield self._report(broken or self._ending())

    def _beginning(self, linked: int) -> Break | None:
        """Whether the chain holds the link that `start` names."""
        if self._start is None:
            return None
        before = self._start.sequence - 1
        page = self._evidence.page(before, self._start.sequence)
        link = next((link for link in page.links if link.sequence == self._start.sequence), None)
        if link is None:
            if linked < self._start.sequence:
                return self._truncated(linked)
            return _at_link(self._start, Fault.REMOVED, "the link that the given checkpoint names is gone")
        if link.digest != self._start.digest:
            return _at_link(self._start, Fault.CHANGED, "the given checkpoint names another link")
        return None

    def _page(self, page: Page) -> Break | None:
        places = _places(page)
        absent = [number for number, place in places.items() if not place.events]
        expired = self._evidence.expired(absent) if absent else set[int]()
        last_event = max((event.sequence for event in page.events), default=0)
        last = max(last_event, max((link.sequence for link in page.links), default=0))
        for number in sorted(places):
            if number > last and not page.more:
                break
            later = page.later or number < last_event
            broken = self._gap(number) or self._step(
                places[number], number, expired=number in expired, later=later
            )
            if broken:
                return broken
            self._sequence = number
        if page.missing is not None:
            return self._gap(page.missing.sequence) or Diagnosis.missing(page.missing)
        return None

    def _gap(self, number: int) -> Break | None:
        """Whether whatever should stand before `number` has expired together with its links."""
        while (expected := self._sequence + 1) < number:
            ahead = range(expected, min(number, expected + LOOKED_AHEAD))
            expired = self._evidence.expired(ahead)
            if not expired.issuperset(ahead):
                first = min(set(ahead) - expired)
                detail = "neither the event nor its link is there, and later ones are"
                return Break(
                    sequence=first, event_id=None, fault=Fault.REMOVED, part=Part.EVENT, detail=detail
                )
            self._expired += len(ahead)
            self._sequence = ahead[-1]
        return None

    def _step(self, place: _Place, number: int, *, expired: bool, later: bool) -> Break | None:
        event, link = next(iter(place.events), None), next(iter(place.links), None)
        if len(place.events) > 1 or len(place.links) > 1:
            return self._diagnosis.double(place.events, place.links)
        if event is None and link is not None and expired:
            self._expired += 1
            self._digest = link.digest
        elif event is None and link is not None:
            return self._diagnosis.without_event(link, later=later)
        elif event is None:
            if broken := self._gap(number + 1):
                return broken
        elif link is None:
            return self._diagnosis.without_link(event, known=later or number <= self._expected)
        elif broken := self._fit(event, link):
            return broken
        return self._signed(place.checkpoints, link)

    def _fit(self, event: StoredEvent, link: Link) -> Break | None:
        digest = digest_after(self._digest, stored_document(event))
        if digest != link.digest or event.event_id != link.event_id:
            return self._diagnosis.misfit(event, link, digest=digest)
        if event.position <= self._positions.get(event.partition, 0):
            detail = "it stands before an earlier event in its partition"
            return Break(
                sequence=event.sequence,
                event_id=event.event_id,
                fault=Fault.REORDERED,
                part=Part.EVENT,
                detail=detail,
            )
        self._positions[event.partition] = event.position
        self._digest, self._events = link.digest, self._events + 1
        return None

    def _signed(self, checkpoints: Sequence[Checkpoint], link: Link | None) -> Break | None:
        for checkpoint in checkpoints:
            # One made since the beginning may be of a sequence that was passed before it was made.
            if checkpoint.number <= self._made and (broken := self._signatures.check(checkpoint, link)):
                return broken
        return None

    def _ending(self) -> Break | None:
        if self._sequence < self._expected:
            return self._truncated(self._sequence)
        return self._signatures.ending(self._made, self._sequence)

    def _truncated(self, last: int) -> Break:
        return Break(
            sequence=last + 1,
            event_id=None,
            fault=Fault.TRUNCATED,
            part=Part.EVENT,
            detail=f"the log ends with {last}; there were {self._expected} at least",
        )

    def _report(self, broken: Break | None) -> AuditReport:
        return AuditReport(
            tenant_id=self._tenant_id,
            after=self._after,
            sequence=self._sequence,
            expected=max(self._expected, self._sequence),
            digest=self._digest,
            events=self._events,
            expired=self._expired,
            checkpoints=self._signatures.good,
            proven=self._signatures.proven,
            checkpoint=self._signatures.latest,
            broken=broken,
        )


def _places(page: Page) -> dict[int, _Place]:
    places = defaultdict[int, _Place](_Place)
    for event in page.events:
        places[event.sequence].events.append(event)
    for link in page.links:
        places[link.sequence].links.append(link)
    for checkpoint in page.checkpoints:
        places[checkpoint.sequence].checkpoints.append(checkpoint)
    return dict(places)


def _at_link(start: Checkpoint, fault: Fault, detail: str) -> Break:
    return Break(sequence=start.sequence, event_id=start.event_id, fault=fault, part=Part.LINK, detail=detail)
