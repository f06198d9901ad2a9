"""The event log that the configuration names."""

from contextlib import AsyncExitStack, ExitStack

from soma.base.configuration import Configuration
from soma.events.api import EventLog, PostgresEventLog


def open_event_log(configuration: Configuration, stack: AsyncExitStack | ExitStack) -> EventLog:
    """The log in Kafka where the configuration names servers of it, else the one in PostgreSQL; closed by
    `stack`."""
    if not configuration.kafka_servers:
        return PostgresEventLog()
    # Kafka's client is not there at all in an installation without the servers' clients.
    from soma.events.adapters.event_log_kafka import KafkaEventLog

    log = KafkaEventLog(
        configuration.kafka_servers,
        retention_days=configuration.event_retention_days,
        security=configuration.kafka_security,
    )
    stack.callback(log.close)
    return log
