"""The stored frames of memories."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from django.db import connections

from soma.base.database import APP, tenant_transaction
from soma.brain.domain.frame import Filler, Frame, Role, StoredFrame
from soma.brain.domain.frame_extraction import frames_of
from soma.brain.domain.recall import Evidence
from soma.brain.domain.utterance import UtteranceKind
from soma.fractalmemory.api import FractalMemory, MemoryRecord, Outcome, Selection, Upserted

Told = tuple[str, tuple[Frame, ...]]
"""The namespace of a memory, and what it tells."""

SILENT = frozenset({UtteranceKind.QUESTION.value, UtteranceKind.COMMAND.value})
"""Questions and commands tell no event."""

PAGE = 500

DROP = "DELETE FROM memory_frame WHERE tenant_id = %s AND record_id = ANY(%s)"
WRITE = """
    INSERT INTO memory_frame (tenant_id, namespace, record_id, position, role, place, token, text)
    SELECT %s, * FROM unnest(%s::text[], %s::uuid[], %s::smallint[], %s::text[], %s::smallint[], %s::text[],
                             %s::text[])
"""
"""SQL, because it follows every turn: one statement for all the fillers of a batch."""

FILLED = """
    SELECT record_id, position
    FROM memory_frame JOIN unnest(%s::text[], %s::text[]) AS known (role, token) USING (role, token)
    WHERE tenant_id = %s AND namespace = %s
    GROUP BY record_id, position HAVING count(DISTINCT role) = %s
    ORDER BY record_id DESC, position LIMIT %s
"""
LATEST = """
    SELECT record_id, position FROM memory_frame
    WHERE tenant_id = %s AND namespace = %s AND role = 'when' AND place = 0
    ORDER BY token DESC, record_id DESC, position DESC LIMIT %s
"""
"""Every frame has a time: the index of fillers is one of frames by their time, too."""
FILLERS = """
    SELECT record_id, position, role, token, text FROM memory_frame
    WHERE tenant_id = %s AND record_id = ANY(%s) ORDER BY record_id, position, role, place
"""
"""SQL, because the ORM joins no arrays and compares no rows."""


def frames_in(record: MemoryRecord) -> tuple[Frame, ...]:
    """The events that `record` tells."""
    if record.provenance.get("kind") in SILENT:
        return ()
    speaker = record.speaker or record.role
    return tuple(frames_of(record.content, speaker=speaker, occurred_at=record.occurred_at))


def write_frames(tenant_id: UUID, told: Sequence[Told], outcomes: Sequence[Upserted]) -> None:
    """Store the frames of those memories of `told` that were stored or rewritten, inside their transaction.
    They go with their memories; the database sees to that."""
    rewritten = [outcome.id for outcome in outcomes if outcome.outcome is Outcome.UPDATED]
    # The later of two with one key has won.
    written = {
        outcome.id: each
        for each, outcome in zip(told, outcomes, strict=True)
        if outcome.outcome in {Outcome.STORED, Outcome.UPDATED}
    }
    _write(tenant_id, rewritten, written)


def fill_frames(memory: FractalMemory, tenant_id: UUID, namespace: str, keys: Sequence[str]) -> None:
    """Read the memories of `keys` into frames anew, as where they were stored without. Opens transactions of
    its own."""
    for start in range(0, len(keys), PAGE):
        wanted = Selection(namespace=namespace, keys=tuple(keys[start : start + PAGE]))
        with tenant_transaction(tenant_id):
            records = memory.select(tenant_id, wanted, limit=PAGE)
            found = {record.id: (record.namespace, frames_in(record)) for record in records}
            _write(tenant_id, list(found), found)


def frames_filled(
    tenant_id: UUID, namespace: str, cues: Sequence[tuple[Role, str]], limit: int
) -> list[StoredFrame]:
    """The frames that fill each role of `cues` with its token, of the latest memories first, at most
    `limit`."""
    roles, tokens = [role.value for role, _ in cues], [token for _, token in cues]
    with connections[APP].cursor() as cursor:
        cursor.execute(FILLED, (roles, tokens, tenant_id, namespace, len(cues), limit))
        return _stored(tenant_id, cursor.fetchall())


def latest_frames(tenant_id: UUID, namespace: str, limit: int) -> list[StoredFrame]:
    """The `limit` frames of the latest events, the latest first."""
    with connections[APP].cursor() as cursor:
        cursor.execute(LATEST, (tenant_id, namespace, limit))
        return _stored(tenant_id, cursor.fetchall())


def frames_told(tenant_id: UUID, record_ids: Iterable[UUID]) -> Mapping[UUID, list[Frame]]:
    """The frames of each of `record_ids` that has any, in order."""
    found = defaultdict[UUID, list[Frame]](list)
    for (record_id, _), frame in _frames(tenant_id, list(record_ids)).items():
        found[record_id].append(frame)
    return found


def with_frames(tenant_id: UUID, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """`evidence`, each with the frames of its memory."""
    told = frames_told(tenant_id, [each.record_id for each in evidence])
    return tuple(replace(each, frames=tuple(told.get(each.record_id, ()))) for each in evidence)


def _write(tenant_id: UUID, rewritten: list[UUID], told: Mapping[UUID, Told]) -> None:
    rows = [row for record_id, each in told.items() for row in _rows(record_id, *each)]
    with connections[APP].cursor() as cursor:
        if rewritten:
            cursor.execute(DROP, (tenant_id, rewritten))
        if rows:
            cursor.execute(WRITE, (tenant_id, *(list(column) for column in zip(*rows, strict=True))))


def _stored(tenant_id: UUID, places: Sequence[tuple[UUID, int]]) -> list[StoredFrame]:
    frames = _frames(tenant_id, list({record_id for record_id, _ in places}))
    return [
        StoredFrame(record_id=record_id, position=position, frame=frames[record_id, position])
        for record_id, position in places
        if (record_id, position) in frames
    ]


def _frames(tenant_id: UUID, record_ids: list[UUID]) -> dict[tuple[UUID, int], Frame]:
    with connections[APP].cursor() as cursor:
        cursor.execute(FILLERS, (tenant_id, record_ids))
        rows = cursor.fetchall()
    found = defaultdict[tuple[UUID, int], dict[Role, list[Filler]]](lambda: defaultdict(list))
    for record_id, position, role, token, text in rows:
        found[record_id, position][Role(role)].append(Filler(token=token, text=text))
    return {
        place: Frame(roles={role: tuple(roles[role]) for role in Role if role in roles})
        for place, roles in found.items()
    }


def _rows(
    record_id: UUID, namespace: str, frames: Sequence[Frame]
) -> Iterable[tuple[str, UUID, int, str, int, str, str]]:
    for position, frame in enumerate(frames):
        for role, place, filler in frame.pairs():
            yield namespace, record_id, position, role.value, place, filler.token, filler.text
