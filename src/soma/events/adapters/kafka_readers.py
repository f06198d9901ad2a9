"""Reading records of Kafka at known positions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from time import monotonic

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from soma.events.adapters import kafka_settings
from soma.events.adapters.kafka_places import Place
from soma.events.adapters.kafka_record import event_id_of
from soma.events.adapters.kafka_settings import FETCH_SECONDS, REQUEST_SECONDS, Settings
from soma.events.errors import EventLogUnavailable, EventMissing

SKIPPED = 1000
"""To pass this many records by costs about as much as to start anew behind them."""

PAST_THE_ENDS = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)


class KafkaReaders:
    """As many consumers as there are threads that read at once; each keeps its connections for the next."""

    def __init__(self, client: Settings) -> None:
        self._client = client
        self._lock = Lock()
        self._idle: list[Consumer] = []
        self._first: dict[str, int] = {}
        self._closed = False

    def fetch(self, places: Sequence[Place]) -> dict[Place, Message]:
        """The records at `places`, but for those that Kafka no longer keeps.

        Raises EventLogUnavailable, also when another record stands at a place: then it is another log.
        """
        kept = [place for place in places if place.position >= self.first(place.partition)]
        if not kept:
            return {}
        with self._reader() as reader:
            found: dict[Place, Message] = {}
            for run in _runs(kept):
                found |= self._read(reader, run)
            return found

    def first(self, partition: str) -> int:
        """The position before which, as far as was seen yet, Kafka keeps nothing of the partition."""
        return self._first.get(partition, 0)

    def close(self) -> None:
        """Let go of the connections; those in use when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.close()

    @contextmanager
    def _reader(self) -> Iterator[Consumer]:
        with self._lock:
            reader = self._idle.pop() if self._idle else None
        reader = reader or Consumer(dict(kafka_settings.reader(self._client)))
        try:
            yield reader
        except KafkaException as error:
            raise EventLogUnavailable(f"Kafka: {error}") from error
        finally:
            self._give_back(reader)

    def _give_back(self, reader: Consumer) -> None:
        reader.unassign()
        with self._lock:
            if not self._closed:
                self._idle.append(reader)
                return
        reader.close()

    def _read(self, reader: Consumer, run: Sequence[Place]) -> dict[Place, Message]:
        """The records of `run`, which stand near each other in one partition."""
        by_position = {place.position: place for place in run}
        start, found = _offset(run[0]), {}
        reader.assign([start])
        while True:
            message = _next(reader)
            if message is None:
                return self._read_what_is_kept(reader, run, start)
            position = (message.offset() or 0) + 1
            if place := by_position.get(position):
                found[place] = _checked(message, place)
            if position >= run[-1].position:
                return found

    def _read_what_is_kept(
        self, reader: Consumer, run: Sequence[Place], start: TopicPartition
    ) -> dict[Place, Message]:
        """Kafka has nothing at the start of `run`: too old is gone, too new is lost."""
        first, end = reader.get_watermark_offsets(start, timeout=REQUEST_SECONDS)
        partition = run[0].partition
        if start.offset >= first:
            raise EventMissing(
                f"Kafka: {partition} has lost its records from {end} on",
                sequence=run[0].sequence,
                event_id=run[0].event_id,
                replaced=False,
            )
        self._first[partition] = first + 1
        kept = [place for place in run if place.position > first]
        return self._read(reader, kept) if kept else {}


def _next(reader: Consumer) -> Message | None:
    """The next record; None when Kafka has none at this offset and will never have one.

    Raises EventLogUnavailable when none comes in time.
    """
    deadline, reason = monotonic() + FETCH_SECONDS, f"no answer in {FETCH_SECONDS:g} s"
    while (left := deadline - monotonic()) > 0:
        message = reader.poll(left)
        error = None if message is None else message.error()
        if message is not None and error is None:
            return message
        if error is not None:
            if error.code() in PAST_THE_ENDS:
                return None
            # The client goes on trying by itself.
            reason = error.str()
    raise EventLogUnavailable(f"Kafka: {reason}")


def _checked(message: Message, place: Place) -> Message:
    if event_id_of(message) != str(place.event_id):
        raise EventMissing(
            f"Kafka: at {place.partition}:{place.position} stands another record than was put there",
            sequence=place.sequence,
            event_id=place.event_id,
            replaced=True,
        )
    return message


def _runs(places: Sequence[Place]) -> Iterator[list[Place]]:
    """`places` by partition and in order, split where a gap is better jumped over than read through."""
    run: list[Place] = []
    for place in sorted(places, key=lambda place: (place.partition, place.position)):
        if run and (place.partition != run[-1].partition or place.position - run[-1].position > SKIPPED):
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _offset(place: Place) -> TopicPartition:
    topic, _, number = place.partition.rpartition("/")
    return TopicPartition(topic, int(number), place.position - 1)
