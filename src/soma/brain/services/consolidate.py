"""Consolidation: what a turn left to be remembered, taken from the event log into long-term memory.

Everything that a turn leaves is remembered, with the importance that the turn gave it; salience decides what
working memory keeps at hand, never what is remembered. Working memory learns here which memory each of its
items has become, and its vector.

Exactly once: an item's id and key follow from its event, so that whatever happened before a crash is found
done when the event comes again. In order: the log hands over a tenant's events one after another, and while
storage or the embedder is down the consumer stays at the event it is at. An event that can never be
remembered is given up after its attempts, as a dead letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.base.database import tenant_transaction
from soma.base.phases import PhaseObserver
from soma.brain.domain.remember import MALFORMED, Remembered, RememberItem
from soma.brain.errors import NeverRemembered
from soma.brain.ports import Embedder
from soma.brain.services import working_rows
from soma.brain.services.forget import to_be_forgotten
from soma.brain.services.guard import Guard
from soma.brain.services.heard import heard_in
from soma.brain.services.remember import remember
from soma.brain.services.requested_items import Requested, requested_items
from soma.brain.services.segments import follow
from soma.events.api import StoredEvent
from soma.fractalmemory.api import FractalMemory

REMEMBER_REQUESTED = "memory.remember_requested"
AFTER_THE_TURN = -1
"""The iteration under which the phases of consolidation are noted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Consolidation:
    """Remembers the items of `memory.remember_requested` events."""

    memory: FractalMemory
    embedder: Embedder
    guard: Guard
    observer: PhaseObserver

    def handle(self, event: StoredEvent) -> None:
        """Remember the items of `event`; again for the same event changes nothing. Raises RememberUnavailable
        and EmbedderUnavailable, NeverRemembered for items that memory can never take (the others are
        remembered then), ValueError and KeyError for a payload that cannot be read."""
        payload, tenant_id = event.payload, event.tenant_id
        turn_id, conversation_id = UUID(payload["turn_id"]), UUID(payload["conversation_id"])
        with tenant_transaction(tenant_id):
            items = requested_items(tenant_id, payload, event.trace_id or str(event.event_id))
        self.observer.phase("consolidate", turn_id, AFTER_THE_TURN)
        items = self._wanted(tenant_id, conversation_id, items)
        if items:
            vectors = self.embedder.embed([item.content for item in items.values()])
            items = self._in_segment(event, conversation_id, items, vectors)
            self.observer.phase("segmented", turn_id, AFTER_THE_TURN)
            remembered = self._remember(tenant_id, list(items.values()), payload.get("evidence", ()))
            self.observer.phase("remembered", turn_id, AFTER_THE_TURN)
            self._settle(tenant_id, conversation_id, items, vectors, remembered)
            _check(remembered)
        self.observer.phase("consolidated", turn_id, AFTER_THE_TURN)

    def _remember(
        self, tenant_id: UUID, items: Sequence[RememberItem], evidence: Sequence[str]
    ) -> Remembered:
        turn = heard_in(self.memory, self.embedder, tenant_id, items, [UUID(each) for each in evidence])
        return remember(self.memory, self.embedder, tenant_id, items, guard=self.guard, turn=turn)

    def _wanted(self, tenant_id: UUID, conversation_id: UUID, items: Requested) -> Requested:
        with tenant_transaction(tenant_id):
            forgotten = self._forget(tenant_id, conversation_id, items)
        return {record_id: item for record_id, item in items.items() if record_id not in forgotten}

    def _forget(self, tenant_id: UUID, conversation_id: UUID, items: Requested) -> list[UUID]:
        """Delete what was forgotten of `items` before they were remembered; their ids."""
        gone = to_be_forgotten(tenant_id, conversation_id, items)
        if gone:
            self.memory.delete(tenant_id, gone)
        return gone

    def _in_segment(
        self, event: StoredEvent, conversation_id: UUID, items: Requested, vectors: NDArray[np.float32]
    ) -> Requested:
        segment = follow(event.tenant_id, conversation_id, event.sequence, vectors)
        if segment is not None:
            return {record_id: _placed(item, segment.start) for record_id, item in items.items()}
        # The event comes again after later ones: what it was given then stays.
        with tenant_transaction(event.tenant_id):
            known = {record.id: record for record in self.memory.get(event.tenant_id, list(items))}
        starts = {record_id: record.provenance.get("segment") for record_id, record in known.items()}
        return {record_id: _placed(item, starts.get(record_id)) for record_id, item in items.items()}

    def _settle(
        self,
        tenant_id: UUID,
        conversation_id: UUID,
        items: Requested,
        vectors: NDArray[np.float32],
        remembered: Remembered,
    ) -> None:
        """Tell working memory, and see what was forgotten since."""
        records = {kept.key: kept.record_id for kept in (*remembered.stored, *remembered.deduplicated)}
        kept = {
            item_id: (records[item.key], vector)
            for (item_id, item), vector in zip(items.items(), vectors, strict=True)
            if item.key in records
        }
        with tenant_transaction(tenant_id):
            self._forget(tenant_id, conversation_id, items)
            working_rows.lock(tenant_id, [conversation_id])
            working_rows.consolidated(tenant_id, conversation_id, kept)


def _placed(item: RememberItem, start: int | None) -> RememberItem:
    return item if start is None else replace(item, provenance={**item.provenance, "segment": start})


def _check(remembered: Remembered) -> None:
    bad = [refusal for refusal in remembered.refused if refusal.reason in MALFORMED]
    if bad:
        raise NeverRemembered("; ".join(f"{refusal.key}: {refusal.detail}" for refusal in bad))
