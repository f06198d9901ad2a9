"""Telling a record that Kafka will never take from a Kafka that takes nothing at present."""

from confluent_kafka import KafkaError, KafkaException

from soma.events.errors import EventLogUnavailable, EventRefused

REFUSALS = frozenset(
    {
        KafkaError.INVALID_RECORD,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.POLICY_VIOLATION,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.TOPIC_EXCEPTION,
    }
)


def fault_of(error: KafkaError) -> EventRefused | EventLogUnavailable:
    """What `error` means to whoever appends."""
    kind = EventRefused if error.code() in REFUSALS else EventLogUnavailable
    return kind(f"Kafka: {error.str()} ({error.name()})")


def fault_in(exception: KafkaException) -> EventRefused | EventLogUnavailable:
    """What `exception`, as the client raises it, means to whoever appends."""
    return fault_of(exception.args[0])
