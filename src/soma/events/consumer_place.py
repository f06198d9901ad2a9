"""Where a consumer stands in the log, as the database tells: it may be at work in another process."""

from soma.events import consumer_offsets
from soma.events.consumer import Consumer
from soma.events.consumer_backlog import ConsumerBacklog, Reached
from soma.events.parking import Parking
from soma.events.ports import EventLog


class ConsumerPlace:
    """Compares a consumer's offsets with the log. Blocking."""

    def __init__(self, consumer: Consumer, log: EventLog, parking: Parking) -> None:
        self._consumer = consumer
        self._log = log
        self._parking = parking

    def caught_up(self) -> bool:
        """Whether every event the consumer wants was handled or is a dead letter."""
        types = self._consumer.types
        ahead = [each for each in self._reached() if each.lag]
        behind = any(
            self._log.following(each.partition, each.offset, types=types, limit=1).events for each in ahead
        )
        return not behind and self._parking.empty()

    def backlog(self) -> ConsumerBacklog:
        """What the consumer has not handled yet."""
        types, reached, parked = self._consumer.types, self._reached(), self._parking.count()
        ahead = [(each.partition, each.offset) for each in reached if each.lag]
        new = sum(self._log.count(*place, types=types) for place in ahead)
        first = self._parking.oldest()
        places = [(first.partition, first.position - 1)] if first else ahead
        slices = [self._log.following(*place, types=types, limit=1) for place in places if new or first]
        moments = [event.recorded_at for found in slices for event in found.events]
        return ConsumerBacklog(
            name=self._consumer.name,
            waiting=new + parked,
            oldest=min(moments, default=None),
            parked=parked,
            reached=tuple(reached),
        )

    def _reached(self) -> list[Reached]:
        offsets = consumer_offsets.load(self._consumer.name)
        ends = self._log.partitions(self._consumer.types)
        return [
            Reached(partition=partition, offset=offsets.get(partition, 0), newest=newest)
            for partition, newest in ends.items()
        ]
