"""Kafka's topics, made when they are first used."""

from collections.abc import Collection
from functools import partial
from threading import Event
from time import monotonic
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic  # `admin` has it too, but not in its types

from soma.events.adapters import kafka_settings
from soma.events.adapters.kafka_faults import fault_in
from soma.events.adapters.kafka_settings import REQUEST_SECONDS, Settings

ATTEMPT_SECONDS = 0.25


class KafkaTopics:
    """Sees to it that topics exist. One that is there already stays as its operator made it."""

    def __init__(self, client: Settings, *, partitions: int, replication: int, retention_days: int) -> None:
        self._client = client
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
        down = Event()
        # Any: the client's types know of no callbacks.
        settings: dict[str, Any] = {**self._client}
        admin = AdminClient(settings | {"error_cb": partial(_note_down, down)})
        missing = set(names) - _existing(admin, down)
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


def _existing(admin: AdminClient, down: Event) -> set[str]:
    """All topics there are: to ask for one by name may create it, with what the broker thinks right.

    First in short attempts: the client would wait to the end for servers of which it knows that none
    listens.
    """
    deadline, attempt = monotonic() + REQUEST_SECONDS, ATTEMPT_SECONDS
    while True:
        try:
            return set(admin.list_topics(timeout=attempt).topics)
        except KafkaException:
            admin.poll(0)  # calls _note_down
            attempt = min(2 * attempt, deadline - monotonic())
            if down.is_set() or attempt <= 0:
                raise


def _note_down(down: Event, error: KafkaError) -> None:
    if error.code() == KafkaError._ALL_BROKERS_DOWN:
        down.set()


def _accept_existing(error: BaseException | None) -> None:
    """Another process may have made the topic at the same time."""
    if isinstance(error, KafkaException) and error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
        return
    if error is not None:
        raise error
