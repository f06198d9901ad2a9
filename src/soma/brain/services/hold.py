"""Taking what a turn leaves behind into the working memory of its conversation."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from soma.base.insertion import insert
from soma.brain.domain.importance import importance
from soma.brain.domain.remember import RememberItem
from soma.brain.domain.utterance import utterance_kind
from soma.brain.domain.working import Place, WorkingSettings, held, worth
from soma.brain.models import WorkingItemRow
from soma.brain.services import working_rows
from soma.brain.services.guard import Guard
from soma.brain.services.requested_items import Requested, requested_items
from soma.events.api import Event
from soma.fractalmemory.api import content_hash


def hold(
    requested: Event, *, novelty: float, used: Collection[UUID], guard: Guard, settings: WorkingSettings
) -> None:
    """See Brain.hold."""
    payload = requested.payload
    tenant_id, conversation_id = requested.tenant_id, UUID(payload["conversation_id"])
    begun = working_rows.begin_turn(tenant_id, conversation_id, UUID(payload["turn_id"]))
    if begun is None:
        return
    turn, forgotten_before = begun
    standing = working_rows.places(tenant_id, conversation_id)
    asked = _cleared(guard, tenant_id, requested)
    items = _distinct(asked, forgotten_before)
    again = {hashed: place.id for place, _, hashed in standing}
    touched = {place.id for place, known_id, _ in standing if known_id in used}
    touched |= {again[hashed] for hashed in items if hashed in again}
    rows = [
        _row(tenant_id, conversation_id, record_id, asked[record_id], hashed, novelty, turn)
        for hashed, record_id in items.items()
        if hashed not in again
    ]
    before = [place for place, _, _ in standing]
    newcomers = [Place(id=row.id, salience=row.salience, last_use=turn) for row in rows]
    after = {place.id for place in held(before, newcomers, turn=turn, used=touched, settings=settings)}
    _write(tenant_id, conversation_id, turn, rows, before, after, touched)


def _write(
    tenant_id: UUID,
    conversation_id: UUID,
    turn: int,
    rows: Sequence[WorkingItemRow],
    before: Sequence[Place],
    after: set[UUID],
    touched: set[UUID],
) -> None:
    if gone := [place.id for place in before if place.id not in after]:
        working_rows.evict(tenant_id, conversation_id, gone)
    if stay := sorted(touched & after):
        working_rows.use(tenant_id, conversation_id, stay, turn)
    insert(*(row for row in rows if row.id in after))


def _cleared(guard: Guard, tenant_id: UUID, requested: Event) -> Requested:
    """What the guard lets pass, as it lets it pass: at hand stand the tokens that will stand in memory."""
    trace_id = requested.trace_id or str(requested.event_id)
    asked = requested_items(tenant_id, requested.payload, trace_id)
    judged = {record_id: guard.cleared(tenant_id, item) for record_id, item in asked.items()}
    return {record_id: each.item for record_id, each in judged.items() if each.reason is None}


def _distinct(asked: Requested, forgotten_before: datetime | None) -> dict[str, UUID]:
    """Those that nobody has forgotten, by the hash of their content: of those that say the same the first."""
    found: dict[str, UUID] = {}
    for record_id, item in asked.items():
        forgotten = forgotten_before is not None and item.occurred_at <= forgotten_before
        if not forgotten:
            found.setdefault(content_hash(item.content), record_id)
    return found


def _row(
    tenant_id: UUID,
    conversation_id: UUID,
    record_id: UUID,
    item: RememberItem,
    hashed: str,
    novelty: float,
    turn: int,
) -> WorkingItemRow:
    kind = item.provenance.get("kind") or utterance_kind(item.content, role=item.role)
    found = importance(item.content) if item.importance is None else item.importance
    return WorkingItemRow(
        tenant_id=tenant_id,
        conversation_id=conversation_id,
        id=record_id,
        namespace=item.namespace,
        key=item.key,
        content=item.content,
        content_hash=hashed,
        role=item.role,
        speaker=item.speaker,
        occurred_at=item.occurred_at,
        importance=found,
        provenance={**item.provenance, "kind": str(kind)},
        salience=worth(novelty, found),
        turn=turn,
        last_use=turn,
    )
