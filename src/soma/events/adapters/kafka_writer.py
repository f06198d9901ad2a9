"""Writing records to Kafka: all of them, or an error."""

from collections.abc import Sequence
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from soma.events.adapters import kafka_settings
from soma.events.adapters.kafka_faults import fault_of
from soma.events.adapters.kafka_record import Record
from soma.events.adapters.kafka_settings import DELIVERY_SECONDS, Settings
from soma.events.adapters.kafka_topics import KafkaTopics
from soma.events.errors import EventLogUnavailable, EventRefused

GRACE_SECONDS = 1.5
"""How much later than its time-out the last report may come: the client looks once a second."""


class KafkaWriter:
    """An idempotent producer. Used by one thread at a time."""

    def __init__(self, client: Settings, topics: KafkaTopics) -> None:
        self._client = client
        self._topics = topics
        self._producer: Producer | None = None

    def write(self, records: Sequence[Record]) -> list[tuple[int, int]]:
        """Send `records` and wait until Kafka has every one of them for good; partition number and offset
        of each.

        When it raises, EventRefused or EventLogUnavailable, some may be in Kafka nevertheless, and nothing
        tells which.
        """
        self._topics.ensure({record.topic for record in records})
        producer = self._producer = self._producer or self._new()
        deliveries = _Deliveries(len(records))
        try:
            for number, record in enumerate(records):
                deliveries.send(producer, number, record)
        except KafkaException as error:
            deliveries.fail(error.args[0])
        # Whatever happened, no report may come when nobody waits for it any more.
        producer.flush(DELIVERY_SECONDS + GRACE_SECONDS)
        return self._settled(deliveries)

    def close(self) -> None:
        """Let go of the connections."""
        self._producer = None

    def _new(self) -> Producer:
        return Producer(dict(kafka_settings.producer(self._client)))

    def _settled(self, deliveries: "_Deliveries") -> list[tuple[int, int]]:
        if deliveries.broken or deliveries.waiting:
            self._producer = None
        if deliveries.fault is not None:
            self._topics.forget()
            raise deliveries.fault
        if deliveries.waiting:
            raise EventLogUnavailable(f"Kafka: no word of {deliveries.waiting} records")
        return deliveries.places


class _Deliveries:
    """What became of the records of one call."""

    def __init__(self, count: int) -> None:
        self.places = [(-1, -1)] * count
        self.waiting = 0
        self.fault: EventRefused | EventLogUnavailable | None = None
        self.broken = False

    def send(self, producer: Producer, number: int, record: Record) -> None:
        """Hand `record` over. Raises KafkaException; BufferError means more than a gigabyte at once."""
        producer.produce(
            record.topic,
            value=record.value,
            key=record.key,
            headers=record.headers,
            on_delivery=partial(self._reported, number),
        )
        self.waiting += 1

    def fail(self, error: KafkaError) -> None:
        """Take note of `error`. A refusal counts more than an outage: to try again would be in vain."""
        if not isinstance(self.fault, EventRefused):
            self.fault = fault_of(error)
        self.broken |= error.fatal()

    def _reported(self, number: int, error: KafkaError | None, message: Message) -> None:
        self.waiting -= 1
        if error is None:
            self.places[number] = (message.partition() or 0, message.offset() or 0)
        else:
            self.fail(error)
