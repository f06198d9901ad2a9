"""Where in Kafka each event of the log stands: the table `event_place`, in the relay's own transaction.

It is what makes the log exactly once: a record that is not written here, left behind by an append that
failed or a relay that died before its commit, is not in the log.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import IntegrityError, connections

from soma.base.database import APP, RETENTION, WORKER
from soma.events.errors import EventLogUnavailable
from soma.events.event import PendingEvent
from soma.events.outage import refusals

# Passes over what the log has, and takes as many numbers of each tenant as there are new events of it. The
# stream's row stays locked until the commit: no number is given twice or lost. Sorted: no deadlock.
NUMBER = """
WITH incoming AS MATERIALIZED (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS row(event_id, tenant_id, place)),
fresh AS MATERIALIZED (
    SELECT incoming.*,
           row_number() OVER (PARTITION BY tenant_id ORDER BY place) AS number,
           count(*) OVER (PARTITION BY tenant_id) AS amount
    FROM incoming
    WHERE event_id NOT IN (SELECT event_id FROM event_place WHERE event_id = ANY(%s::uuid[]))),
stream AS (
    INSERT INTO event_stream (tenant_id, last_sequence)
    SELECT DISTINCT tenant_id, amount FROM fresh ORDER BY tenant_id
    ON CONFLICT (tenant_id) DO UPDATE SET last_sequence = event_stream.last_sequence + excluded.last_sequence
    RETURNING tenant_id, last_sequence)
SELECT event_id, stream.last_sequence - fresh.amount + fresh.number FROM fresh JOIN stream USING (tenant_id)
"""

WRITE = """
INSERT INTO event_place (event_id, tenant_id, sequence, type, key, partition, position, recorded_at)
SELECT event_id, tenant_id, sequence, type, key, partition, position, %s
FROM jsonb_to_recordset(%s::jsonb) AS row(
    event_id uuid, tenant_id uuid, sequence bigint, type text, key text, partition text, position bigint)
"""

OF_TENANT = """
SELECT event_id, partition, position, sequence FROM event_place
WHERE tenant_id = %s AND sequence > %s ORDER BY sequence LIMIT %s
"""

OF_KEY = """
SELECT event_id, partition, position, sequence FROM event_place
WHERE tenant_id = %s AND key = %s AND sequence > %s ORDER BY sequence LIMIT %s
"""

AT_SEQUENCES = """
SELECT event_id, partition, position, sequence FROM event_place
WHERE tenant_id = %s AND sequence = ANY(%s::bigint[])
"""

# One look into the index for each partition there is, instead of one at each event of a topic.
PARTITIONS = """
WITH RECURSIVE found AS (
    SELECT topic, (SELECT min(partition) FROM event_place
                   WHERE partition > topic || '/' AND partition < topic || '0') AS partition
    FROM unnest(%s::text[]) AS topic
    UNION ALL
    SELECT topic, (SELECT min(event_place.partition) FROM event_place
                   WHERE event_place.partition > found.partition AND event_place.partition < topic || '0')
    FROM found WHERE partition IS NOT NULL)
SELECT partition, (SELECT max(position) FROM event_place WHERE event_place.partition = found.partition)
FROM found WHERE partition IS NOT NULL
"""

# The end of the partition and the places before it in one snapshot, as in the log of PostgreSQL.
FOLLOWING = """
SELECT ending.position AS ending, found.*
FROM (SELECT coalesce(max(position), 0) AS position FROM event_place WHERE partition = %s) AS ending
LEFT JOIN LATERAL (
    SELECT event_id, partition, position, sequence FROM event_place
    WHERE partition = %s AND position > %s AND type = ANY(%s::text[])
    ORDER BY position LIMIT %s) AS found ON true
ORDER BY found.position
"""

AFTER = """
SELECT count(*) FROM event_place WHERE partition = %s AND position > %s AND type = ANY(%s::text[])
"""

EXPIRING = "SELECT tenant_id, max(sequence) FROM event_place WHERE recorded_at < %s GROUP BY tenant_id"

EXPIRE = """
DELETE FROM event_place WHERE event_id IN (
    SELECT event_id FROM event_place WHERE recorded_at < %s ORDER BY recorded_at LIMIT %s)
"""

SAME_POSITION = "event_place_position"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where an event stands. `position` is its offset in Kafka plus one."""

    event_id: UUID
    partition: str
    position: int
    sequence: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceSlice:
    """Places of some types in their order, and the position up to which there are no others of them.
    `full`: there were as many as were asked for."""

    places: tuple[Place, ...]
    position: int
    full: bool


def number(events: Sequence[PendingEvent]) -> dict[UUID, int]:
    """Those of `events` that the log does not have yet, by event_id, each with its tenant's next sequence
    number. Inside the relay's transaction."""
    event_ids = [event.event_id for event in events]
    with refusals():
        rows = _rows(WORKER, NUMBER, [event_ids, [event.tenant_id for event in events], event_ids])
    return dict(rows)


def write(events: Sequence[PendingEvent], places: Sequence[Place], recorded_at: datetime) -> None:
    """Put `events`, which Kafka has at `places`, into the log. Inside the relay's transaction."""
    rows = [_row(event, place) for event, place in zip(events, places, strict=True)]
    with refusals(), _lost_records(), connections[WORKER].cursor() as cursor:
        cursor.execute(WRITE, [recorded_at, orjson.dumps(rows).decode()])


def of_tenant(tenant_id: UUID, *, key: str | None, after: int, limit: int) -> list[Place]:
    """See EventLog.read. Inside a transaction of the tenant."""
    if key is None:
        rows = _rows(APP, OF_TENANT, [tenant_id, after, limit])
    else:
        rows = _rows(APP, OF_KEY, [tenant_id, key, after, limit])
    return [_place(row) for row in rows]


def at_sequences(tenant_id: UUID, sequences: Collection[int]) -> list[Place]:
    """Where the tenant's events of these numbers stand. Inside a transaction of the tenant."""
    return [_place(row) for row in _rows(APP, AT_SEQUENCES, [tenant_id, list(sequences)])]


def partitions(topics: Collection[str]) -> dict[str, int]:
    """The partitions of `topics` that hold events, each with its last position."""
    return dict(_rows(WORKER, PARTITIONS, [list(topics)]))


def following(partition: str, position: int, *, types: Collection[str], limit: int) -> PlaceSlice:
    """See EventLog.following."""
    rows = _rows(WORKER, FOLLOWING, [partition, partition, position, list(types), limit])
    places = tuple(_place(row[1:]) for row in rows if row[1] is not None)
    full = len(places) == limit
    reached = places[-1].position if full else rows[0][0]
    return PlaceSlice(places=places, position=max(position, reached), full=full)


def count(partition: str, position: int, *, types: Collection[str]) -> int:
    """See EventLog.count."""
    [[amount]] = _rows(WORKER, AFTER, [partition, position, list(types)])
    return int(amount)


def expiring(before: datetime) -> dict[UUID, int]:
    """See EventLog.expiring."""
    with refusals():
        return dict(_rows(RETENTION, EXPIRING, [before]))


def expire(before: datetime, limit: int) -> int:
    """See EventLog.expire."""
    with refusals(), connections[RETENTION].cursor() as cursor:
        cursor.execute(EXPIRE, [before, limit])
        return int(cursor.rowcount)


@contextmanager
def _lost_records() -> Iterator[None]:
    """Tell a Kafka that has forgotten what it took from an event that cannot be stored."""
    try:
        yield
    except IntegrityError as error:
        if SAME_POSITION not in str(error):
            raise
        raise EventLogUnavailable(
            "Kafka gives a position away a second time: a topic was deleted, or has lost records"
        ) from error


def _row(event: PendingEvent, place: Place) -> Mapping[str, Any]:
    return {
        "event_id": event.event_id,
        "tenant_id": event.tenant_id,
        "sequence": place.sequence,
        "type": event.type,
        "key": event.key,
        "partition": place.partition,
        "position": place.position,
    }


def _place(row: tuple[Any, ...]) -> Place:
    event_id, partition, position, sequence = row
    return Place(event_id=event_id, partition=partition, position=position, sequence=sequence)


def _rows(alias: str, statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
