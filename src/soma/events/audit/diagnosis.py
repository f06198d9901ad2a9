"""Saying what was done where a chain does not hold."""

from collections.abc import Sequence
from uuid import UUID

from soma.events.audit.event_document import stored_document
from soma.events.audit.evidence import Evidence
from soma.events.audit.finding import Break, Fault, Part
from soma.events.audit.link import Link, digest_after
from soma.events.errors import EventMissing
from soma.events.event import StoredEvent


class Diagnosis:
    """Looks around in `evidence`, which may read all of it: done once, at the end."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def without_event(self, link: Link, *, later: bool) -> Break:
        """There is a link and no event; `later`: there is something behind it."""
        if self._evidence.holds(link.event_id):
            detail = "the event stands elsewhere in the log"
            return _broken(link.sequence, link.event_id, Fault.REORDERED, detail)
        fault = Fault.REMOVED if later else Fault.TRUNCATED
        return _broken(link.sequence, link.event_id, fault, "the event is gone; its link is there")

    def without_link(self, event: StoredEvent, *, known: bool) -> Break:
        """There is an event and no link; `known`: the chain must have come that far."""
        linked = self._evidence.sequence_of(event.event_id)
        if linked is not None:
            detail = f"the chain has this event at {linked}"
            return _broken(event.sequence, event.event_id, Fault.REORDERED, detail)
        if known:
            detail = "the event is there; its link is gone"
            return _broken(event.sequence, event.event_id, Fault.REMOVED, detail, Part.LINK)
        return _broken(event.sequence, event.event_id, Fault.INSERTED, "the chain does not know this event")

    def double(self, events: Sequence[StoredEvent], links: Sequence[Link]) -> Break:
        """There are two events, or two links, of one sequence."""
        if len(events) > 1:
            known = {link.event_id for link in links}
            alien = next((event for event in events if event.event_id not in known), events[-1])
            detail = "there is more than one event of this sequence"
            return _broken(alien.sequence, alien.event_id, Fault.INSERTED, detail)
        detail = "there is more than one link of this sequence"
        return _broken(links[0].sequence, links[0].event_id, Fault.INSERTED, detail, Part.LINK)

    def misfit(self, event: StoredEvent, link: Link, *, digest: bytes) -> Break:
        """The event does not have the link that stands there; `digest` is the one it should have."""
        if event.event_id != link.event_id and digest != link.digest:
            return self._other_event(event, link)
        if digest == link.digest or self._goes_on(event.sequence, digest):
            detail = "the event fits the chain before and behind it; its link does not"
            return _broken(event.sequence, event.event_id, Fault.CHANGED, detail, Part.LINK)
        detail = "the event does not have the digest that its link says"
        return _broken(event.sequence, event.event_id, Fault.CHANGED, detail)

    def _goes_on(self, sequence: int, digest: bytes) -> bool:
        """Whether the link behind `sequence` was made after `digest`."""
        page = self._evidence.page(sequence, sequence + 1)
        return any(
            digest_after(digest, stored_document(event)) == link.digest
            for event, link in zip(page.events[:1], page.links[:1], strict=False)
        )

    def _other_event(self, event: StoredEvent, link: Link) -> Break:
        """Where the chain has one event, another stands."""
        linked, stands = self._evidence.sequence_of(event.event_id), self._evidence.holds(link.event_id)
        if linked is not None and stands:
            detail = f"the chain has the event {event.event_id}, which stands here, at {linked}"
            return _broken(event.sequence, link.event_id, Fault.REORDERED, detail)
        if linked is not None:
            detail = f"the event is gone, and {event.event_id} has moved up from {linked}"
            return _broken(event.sequence, link.event_id, Fault.REMOVED, detail)
        if stands:
            detail = f"the chain does not know this event; {link.event_id}, which stood here, was moved"
            return _broken(event.sequence, event.event_id, Fault.INSERTED, detail)
        detail = f"{event.event_id}, which the chain does not know, stands in its place"
        return _broken(event.sequence, link.event_id, Fault.CHANGED, detail)

    @staticmethod
    def missing(error: EventMissing) -> Break:
        """The log itself says what it has not."""
        fault = Fault.CHANGED if error.replaced else Fault.REMOVED
        return _broken(error.sequence, error.event_id, fault, error.detail)


def _broken(sequence: int, event_id: UUID, fault: Fault, detail: str, part: Part = Part.EVENT) -> Break:
    return Break(sequence=sequence, event_id=event_id, fault=fault, part=part, detail=detail)
