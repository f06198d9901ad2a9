"""The event log in Kafka.

A topic is named as the events' own (chat.events, …), with an optional prefix. The key of a record is its
tenant, the value the payload, the rest of the event stands in the headers event_id, sequence, type, version,
key, trace_id, occurred_at and recorded_at.

For those who read the topics with tools of their own: a record is there a moment before its event is in the
log, and an append that failed, or a relay that died before its commit, leaves a record behind whose event
comes a second time, possibly with another sequence number. Take each event_id once. What is read through
this class comes exactly once; the table event_place tells the two apart.

The number of a topic's partitions must not change while it holds events: a tenant's would go on in another
partition, where a consumer may come to them before the earlier ones.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from confluent_kafka import Message

from soma.base.clock import now
from soma.base.kafka_security import KafkaSecurity
from soma.events.adapters import kafka_places
from soma.events.adapters.event_log_postgres import PARTITION as EARLIER
from soma.events.adapters.event_log_postgres import PostgresEventLog, tenant_scope
from soma.events.adapters.kafka_places import Place
from soma.events.adapters.kafka_readers import KafkaReaders
from soma.events.adapters.kafka_record import record_of, require_object, stored_event
from soma.events.adapters.kafka_settings import RETENTION_DAYS, client
from soma.events.adapters.kafka_topics import KafkaTopics
from soma.events.adapters.kafka_writer import KafkaWriter
from soma.events.admission import admitted
from soma.events.event import LogSlice, PendingEvent, Recorded, StoredEvent
from soma.events.schema_catalogue import catalogue

PARTITIONS = 6
AS_THE_CLUSTER_HAS_IT = -1


class KafkaEventLog:
    """See ports.EventLog. Topics that are missing are made at first use.

    `retention_days` is what these are told to keep records for, as a whole segment of a partition becomes
    that old. `security`: in the clear, and as nobody, where nothing else is said.

    What an installation recorded in PostgreSQL before it turned to Kafka stays in the log, as a partition
    of its own.
    """

    def __init__(
        self,
        servers: str,
        *,
        prefix: str = "",
        partitions: int = PARTITIONS,
        replication: int = AS_THE_CLUSTER_HAS_IT,
        retention_days: int = RETENTION_DAYS,
        security: KafkaSecurity | None = None,
    ) -> None:
        self._prefix = prefix
        self._earlier = PostgresEventLog()
        settings = client(servers, security or KafkaSecurity())
        self._readers = KafkaReaders(settings)
        self._writer = KafkaWriter(
            settings,
            KafkaTopics(
                settings, partitions=partitions, replication=replication, retention_days=retention_days
            ),
        )

    def append(self, events: Sequence[PendingEvent]) -> Recorded:
        """See ports.EventLog."""
        events = admitted(events)
        for event in events:
            require_object(event)
        sequences = kafka_places.number(events)
        fresh = [event for event in events if event.event_id in sequences]
        recorded_at = now()
        records = [
            record_of(
                event,
                topic=self._prefix + event.topic,
                sequence=sequences[event.event_id],
                recorded_at=recorded_at,
            )
            for event in fresh
        ]
        places = [
            Place(
                event_id=event.event_id,
                partition=f"{self._prefix}{event.topic}/{number}",
                position=offset + 1,
                sequence=sequences[event.event_id],
            )
            for event, (number, offset) in zip(fresh, self._writer.write(records), strict=True)
        ]
        kafka_places.write(fresh, places, recorded_at)
        return Recorded(sequences=sequences, recorded_at=recorded_at)

    def read(
        self, tenant_id: UUID, *, key: str | None = None, after: int = 0, limit: int = 1000
    ) -> list[StoredEvent]:
        """See ports.EventLog. Kafka may keep an event for longer or shorter, as the topic's operator wants.

        Joins the transaction that is open; else opens one for the tenant, and ends it before Kafka is asked.
        """
        events: list[StoredEvent] = []
        while len(events) < limit:
            missing = limit - len(events)
            entries = self._entries(tenant_id, key=key, after=after, limit=missing)
            events += self._kept(entries)
            if len(entries) < missing:
                break
            after = entries[-1].sequence
        return events

    def expired(self, tenant_id: UUID, sequences: Collection[int]) -> set[int]:
        """See ports.EventLog. Kafka is not asked: `read` has just heard from it."""
        with tenant_scope(tenant_id):
            places = kafka_places.at_sequences(tenant_id, sequences)
        return {place.sequence for place in places if place.position < self._readers.first(place.partition)}

    def partitions(self, types: Collection[str]) -> dict[str, int]:
        """See ports.EventLog. One that has no event yet is not among them. Kafka is not asked."""
        topics = {schema.topic for schema in catalogue().values() if schema.type in types}
        earlier = {name: last for name, last in self._earlier.partitions(types).items() if last > 0}
        return earlier | kafka_places.partitions([self._prefix + topic for topic in topics])

    def following(self, partition: str, position: int, *, types: Collection[str], limit: int) -> LogSlice:
        """See ports.EventLog."""
        if partition == EARLIER:
            return self._earlier.following(partition, position, types=types, limit=limit)
        events: list[StoredEvent] = []
        while len(events) < limit:
            # Past what Kafka was seen to keep no longer.
            start = max(position, self._readers.first(partition) - 1)
            ahead = kafka_places.following(partition, start, types=types, limit=limit - len(events))
            events += self._kept(ahead.places)
            position = ahead.position
            if not ahead.full:
                break
        return LogSlice(events=tuple(events), position=position)

    def count(self, partition: str, position: int, *, types: Collection[str]) -> int:
        """See ports.EventLog. Kafka is not asked."""
        if partition == EARLIER:
            return self._earlier.count(partition, position, types=types)
        return kafka_places.count(partition, position, types=types)

    def expiring(self, before: datetime) -> dict[UUID, int]:
        """See ports.EventLog."""
        # What Kafka took came later than what stands in the earlier log.
        return self._earlier.expiring(before) | kafka_places.expiring(before)

    def expire(self, before: datetime, *, limit: int) -> int:
        """See ports.EventLog. The records themselves go when Kafka thinks it time: see `retention_days`."""
        removed = self._earlier.expire(before, limit=limit)
        return removed + (kafka_places.expire(before, limit - removed) if removed < limit else 0)

    def close(self) -> None:
        """Let go of all connections. Nothing is lost by it: what was not acknowledged was not appended."""
        self._writer.close()
        self._readers.close()

    def _entries(
        self, tenant_id: UUID, *, key: str | None, after: int, limit: int
    ) -> list[Place | StoredEvent]:
        """The tenant's next events from before Kafka, and the places of those in it, by sequence."""
        with tenant_scope(tenant_id):
            earlier = self._earlier.read(tenant_id, key=key, after=after, limit=limit)
            places = kafka_places.of_tenant(tenant_id, key=key, after=after, limit=limit)
        found: list[Place | StoredEvent] = [*earlier, *places]
        return sorted(found, key=lambda entry: entry.sequence)[:limit]

    def _kept(self, entries: Sequence[Place | StoredEvent]) -> list[StoredEvent]:
        """The events among `entries` and at them, but for those that Kafka no longer keeps."""
        messages = self._readers.fetch([entry for entry in entries if isinstance(entry, Place)])
        return [
            entry if isinstance(entry, StoredEvent) else self._stored(entry, messages[entry])
            for entry in entries
            if isinstance(entry, StoredEvent) or entry in messages
        ]

    def _stored(self, place: Place, message: Message) -> StoredEvent:
        topic = (message.topic() or "").removeprefix(self._prefix)
        return stored_event(message, topic=topic, partition=place.partition, position=place.position)
