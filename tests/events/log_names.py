"""Naming a log to another process."""

from soma.events.api import EventLog, PostgresEventLog

POSTGRES = "postgres"


def kafka(servers: str, prefix: str) -> str:
    """The log on `servers` whose topics begin with `prefix`."""
    return f"kafka {servers} {prefix}"


def open_log(name: str) -> EventLog:
    """The log that `name` means."""
    if name == POSTGRES:
        return PostgresEventLog()
    from soma.events.adapters.event_log_kafka import KafkaEventLog

    _, servers, prefix = name.split(" ")
    return KafkaEventLog(servers, prefix=prefix)
