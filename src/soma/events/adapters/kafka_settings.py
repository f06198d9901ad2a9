"""How the clients of Kafka are set up."""

from collections.abc import Mapping

from soma.base.kafka_security import KafkaSecurity

REQUEST_SECONDS = 3.0
"""Longest wait for one answer of a broker."""

DELIVERY_SECONDS = 4.0
"""Longest time from handing a record over until Kafka has it for good; after that it counts as not sent."""

FETCH_SECONDS = 3.0
"""Longest wait for the next record of those that are known to be there."""

RETENTION_DAYS = 30
RECORD_BYTES = 2 * 1024 * 1024
"""Largest record, headers and all: the payload has half of it at most."""

SILENT = 2
"""librdkafka prints what is critical and nothing else: we raise, or try again and say so ourselves."""

Settings = Mapping[str, str | int | float | bool]


def client(servers: str, security: KafkaSecurity) -> Settings:
    """What every client needs to reach `servers`, `host:port` separated by commas."""
    return {
        **_security(security),
        "bootstrap.servers": servers,
        "client.id": "somastack",
        "socket.timeout.ms": _ms(REQUEST_SECONDS),
        "socket.connection.setup.timeout.ms": _ms(REQUEST_SECONDS),
        "reconnect.backoff.ms": 200,
        "reconnect.backoff.max.ms": 1000,
        "log_level": SILENT,
    }


def producer(client: Settings) -> Settings:
    """No record lost, none twice as long as the producer lives, each partition in the order of the calls."""
    return {
        **client,
        "enable.idempotence": True,
        "acks": "all",
        "message.timeout.ms": _ms(DELIVERY_SECONDS),
        "message.max.bytes": RECORD_BYTES,
        "partitioner": "murmur2_random",  # as Java's: other producers would choose the same partition
        "compression.type": "lz4",
        "linger.ms": 5,  # the batch is handed over within a millisecond, and flushed: nobody waits for this
    }


def reader(client: Settings) -> Settings:
    """For reading at positions that are known, with no group and no offsets of Kafka's."""
    return {
        **client,
        "group.id": "somastack",  # demanded by the client, used by nobody
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        # What is not in the index is passed over, whatever transaction it came in.
        "isolation.level": "read_uncommitted",
        "check.crcs": True,
        # There is always something to fetch; and a request that waits would hold up the next one.
        "fetch.wait.max.ms": 1,
        "fetch.error.backoff.ms": 50,
        "fetch.queue.backoff.ms": 10,
        "queued.max.messages.kbytes": 8 * 1024,
    }


def topic(retention_days: int) -> dict[str, str]:
    """What a topic of ours is created with."""
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(retention_days * 24 * 60 * 60 * 1000),
        "max.message.bytes": str(RECORD_BYTES),
    }


def _security(security: KafkaSecurity) -> Settings:
    settings: dict[str, str | int | float | bool] = {"security.protocol": security.protocol.value}
    if security.protocol.encrypted:
        # Said although they are the defaults: a broker with another's certificate is refused.
        settings["enable.ssl.certificate.verification"] = True
        settings["ssl.endpoint.identification.algorithm"] = "https"
    if security.ca is not None:
        settings["ssl.ca.location"] = str(security.ca)
    if security.protocol.signed_in:
        settings["sasl.mechanism"] = security.mechanism.value
        settings["sasl.username"] = security.username
        settings["sasl.password"] = security.password
    return settings


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
