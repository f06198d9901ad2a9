"""Kafka's topics, made when they are first used."""

from collections.abc import Collection

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic  # `admin` has it too, but not in its types

from soma.events.adapters import kafka_settings
from soma.events.adapters.kafka_faults import fault_in
from soma.events.adapters.kafka_settings import REQUEST_SECONDS


class KafkaTopics:
    """Sees to it that topics exist. One that is there already stays as its operator made it."""

    def __init__(self, servers: str, *, partitions: int, replication: int, retention_days: int) -> None:
        self._servers = servers
        self._partitions = partitions
        self._replication = replication
        self._retention_days = retention_days
        self._known: set[str] = set()

    def ensure(self, names: Collection[str]) -> None:
        """Make those of `names` that are missing. Raises EventRefused for a name that cannot be a topic's,
        EventLogUnavailable."""
        unknown = set(names) - self._known
        if not unknown:
            return
        try:
            self._create_missing(unknown)
        except KafkaException as error:
            raise fault_in(error) from error
        self._known |= unknown

    def forget(self) -> None:
        """Look again at the next use: one of them may be gone."""
        self._known.clear()

    def _create_missing(self, names: Collection[str]) -> None:
        admin = AdminClient(dict(kafka_settings.client(self._servers)))
        # All of them: to ask for one by name may create it, with what the broker thinks right.
        missing = set(names) - set(admin.list_topics(timeout=REQUEST_SECONDS).topics)
        if missing:
            topics = [self._new(name) for name in sorted(missing)]
            for made in admin.create_topics(topics, request_timeout=REQUEST_SECONDS).values():
                _accept_existing(made.exception())

    def _new(self, name: str) -> NewTopic:
        return NewTopic(
            name,
            num_partitions=self._partitions,
            replication_factor=self._replication,
            config=kafka_settings.topic(self._retention_days),
        )


def _accept_existing(error: BaseException | None) -> None:
    """Another process may have made the topic at the same time."""
    if isinstance(error, KafkaException) and error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
        return
    if error is not None:
        raise error
