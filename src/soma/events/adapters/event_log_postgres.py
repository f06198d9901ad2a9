"""The event log as an append-only table."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connections

from soma.base.canonical import json_value
from soma.base.clock import now
from soma.base.database import APP, RETENTION, WORKER, tenant_transaction
from soma.events.admission import admitted
from soma.events.event import LogSlice, PendingEvent, Recorded, StoredEvent
from soma.events.outage import refusals

PARTITION = "log"
"""The only one: the table's identity orders the events of all topics and tenants."""

# One statement, because a round trip costs as much as ten rows. It passes over what the log has, takes as
# many numbers of each tenant as there are new events of it, and inserts in the order given. The stream's row
# stays locked until the commit: no number is given twice or lost. Sorted: appenders cannot deadlock.
APPEND = """
WITH incoming AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS row(
        place integer, event_id uuid, tenant_id uuid, topic text, type text, version smallint, key text,
        payload jsonb, trace_id text, occurred_at timestamptz)),
fresh AS MATERIALIZED (
    SELECT incoming.*,
           row_number() OVER (PARTITION BY tenant_id ORDER BY place) AS number,
           count(*) OVER (PARTITION BY tenant_id) AS amount
    FROM incoming
    WHERE event_id NOT IN (SELECT event_id FROM event_log WHERE event_id = ANY(%s::uuid[]))),
stream AS (
    INSERT INTO event_stream (tenant_id, last_sequence)
    SELECT DISTINCT tenant_id, amount FROM fresh ORDER BY tenant_id
    ON CONFLICT (tenant_id) DO UPDATE SET last_sequence = event_stream.last_sequence + excluded.last_sequence
    RETURNING tenant_id, last_sequence)
INSERT INTO event_log (sequence, event_id, tenant_id, topic, type, version, key, payload, trace_id,
                       occurred_at, recorded_at)
SELECT stream.last_sequence - fresh.amount + fresh.number, event_id, tenant_id, topic, type, version, key,
       payload, trace_id, occurred_at, %s
FROM fresh JOIN stream USING (tenant_id) ORDER BY place
RETURNING event_id, sequence
"""

READ = """
SELECT position, sequence, event_id, tenant_id, topic, type, version, key, payload::text, trace_id,
       occurred_at, recorded_at
FROM event_log WHERE tenant_id = %s AND sequence > %s ORDER BY sequence LIMIT %s
"""

READ_KEY = """
SELECT position, sequence, event_id, tenant_id, topic, type, version, key, payload::text, trace_id,
       occurred_at, recorded_at
FROM event_log WHERE tenant_id = %s AND key = %s AND sequence > %s ORDER BY sequence LIMIT %s
"""

COLUMNS = tuple(name for name in StoredEvent.__slots__ if name != "partition")
"""What the queries above and below select, in their order."""

LAST = "SELECT coalesce(max(position), 0) FROM event_log"

# The end of the log and the events before it in one snapshot: where no event of these types is left, the
# reader may go on from the end instead of passing the others by again.
FOLLOWING = """
SELECT ending.position AS ending, found.*
FROM (SELECT coalesce(max(position), 0) AS position FROM event_log) AS ending
LEFT JOIN LATERAL (
    SELECT position, sequence, event_id, tenant_id, topic, type, version, key, payload::text, trace_id,
           occurred_at, recorded_at
    FROM event_log WHERE position > %s AND type = ANY(%s::text[]) ORDER BY position LIMIT %s) AS found ON true
ORDER BY found.position
"""

AFTER = "SELECT count(*) FROM event_log WHERE position > %s AND type = ANY(%s::text[])"

# Along the positions from the low end, where the old ones are, and up to the first that has to stay: were a
# clock ever set back, what is left would still be each tenant's latest events without a gap.
EXPIRE = """
DELETE FROM event_log WHERE position IN (
    SELECT position FROM event_log
    WHERE recorded_at < %s AND position < coalesce(
        (SELECT position FROM event_log WHERE recorded_at >= %s ORDER BY position LIMIT 1),
        9223372036854775807)
    ORDER BY position LIMIT %s)
"""

EXPIRING = """
SELECT tenant_id, max(sequence) FROM event_log
WHERE recorded_at < %s AND position < coalesce(
    (SELECT position FROM event_log WHERE recorded_at >= %s ORDER BY position LIMIT 1),
    9223372036854775807)
GROUP BY tenant_id
"""
"""Of whom EXPIRE removes something, up to where."""


class PostgresEventLog:
    """See ports.EventLog. Appends on the worker connection, so that the relay's transaction covers both the
    outbox and the log: an event is in exactly one of them at any moment."""

    def append(self, events: Sequence[PendingEvent]) -> Recorded:
        """See ports.EventLog."""
        events = admitted(events)
        rows = orjson.dumps([_row(place, event) for place, event in enumerate(events)])
        recorded_at = now()
        with refusals(), connections[WORKER].cursor() as cursor:
            cursor.execute(APPEND, [rows.decode(), [event.event_id for event in events], recorded_at])
            return Recorded(sequences=dict(cursor.fetchall()), recorded_at=recorded_at)

    def read(
        self, tenant_id: UUID, *, key: str | None = None, after: int = 0, limit: int = 1000
    ) -> list[StoredEvent]:
        """See ports.EventLog. Joins the transaction that is open, else opens one for the tenant."""
        with tenant_scope(tenant_id):
            if key is None:
                rows = _rows(APP, READ, [tenant_id, after, limit])
            else:
                rows = _rows(APP, READ_KEY, [tenant_id, key, after, limit])
        return [_stored(row) for row in rows]

    def expired(self, tenant_id: UUID, sequences: Collection[int]) -> set[int]:
        """See ports.EventLog: it keeps everything."""
        return set()

    def partitions(self, types: Collection[str]) -> dict[str, int]:
        """See ports.EventLog."""
        [[last]] = _rows(WORKER, LAST, [])
        return {PARTITION: last}

    def following(self, partition: str, position: int, *, types: Collection[str], limit: int) -> LogSlice:
        """See ports.EventLog."""
        if partition != PARTITION:
            return LogSlice(events=(), position=position)
        rows = _rows(WORKER, FOLLOWING, [position, list(types), limit])
        events = tuple(_stored(row[1:]) for row in rows if row[1] is not None)
        ending = events[-1].position if len(events) == limit else rows[0][0]
        return LogSlice(events=events, position=max(position, ending))

    def count(self, partition: str, position: int, *, types: Collection[str]) -> int:
        """See ports.EventLog."""
        [[amount]] = _rows(WORKER, AFTER, [position, list(types)]) if partition == PARTITION else [(0,)]
        return int(amount)

    def expiring(self, before: datetime) -> dict[UUID, int]:
        """See ports.EventLog."""
        with refusals():
            return dict(_rows(RETENTION, EXPIRING, [before, before]))

    def expire(self, before: datetime, *, limit: int) -> int:
        """See ports.EventLog."""
        with refusals(), connections[RETENTION].cursor() as cursor:
            cursor.execute(EXPIRE, [before, before, limit])
            return int(cursor.rowcount)


def _row(place: int, event: PendingEvent) -> dict[str, Any]:
    return {
        "place": place,
        "event_id": event.event_id,
        "tenant_id": event.tenant_id,
        "topic": event.topic,
        "type": event.type,
        "version": event.version,
        "key": event.key,
        "payload": orjson.Fragment(event.payload),
        "trace_id": event.trace_id,
        "occurred_at": event.occurred_at,
    }


def _rows(alias: str, statement: str, parameters: Iterable[Any]) -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, list(parameters))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _stored(row: tuple[Any, ...]) -> StoredEvent:
    values = dict(zip(COLUMNS, row, strict=True))
    values["payload"] = json_value(values["payload"])
    return StoredEvent(partition=PARTITION, **values)


def tenant_scope(tenant_id: UUID) -> AbstractContextManager[None]:
    """The transaction that is open, else one of the tenant's."""
    return nullcontext() if connections[APP].in_atomic_block else tenant_transaction(tenant_id)
