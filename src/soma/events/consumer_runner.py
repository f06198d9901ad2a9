"""The consumers of a process."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from soma.events import consumer_heartbeats
from soma.events.consumer import Consumer
from soma.events.consumer_backlog import ConsumerBacklog
from soma.events.consumer_heartbeats import BEAT_SECONDS, Heartbeat
from soma.events.consumer_thread import ConsumerThread
from soma.events.ports import EventLog
from soma.events.retry import RetryPolicy

DRAIN_POLL_SECONDS = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsumerStatus:
    """`active`: this process handles its events, no other. `last_error` is empty while all goes well."""

    name: str
    running: bool
    active: bool
    last_error: str


class ConsumerRunner:
    """Runs each consumer on a thread of its own, so that a slow one holds up no other. Each gives a sign of
    life every `beat` seconds."""

    def __init__(
        self,
        log: EventLog,
        consumers: Sequence[Consumer],
        *,
        retry: RetryPolicy | None = None,
        beat: float = BEAT_SECONDS,
    ) -> None:
        policy = retry or RetryPolicy()
        self._threads = {
            consumer.name: ConsumerThread(consumer, log, policy, beat=beat) for consumer in consumers
        }

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads.values():
            thread.loop.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Let each finish the event it is at, keep the offsets, end the threads."""
        for thread in self._threads.values():
            thread.loop.ask_to_stop()
        for thread in self._threads.values():
            thread.loop.stop(timeout)

    def drain(self, timeout: float = 10.0, *, patient: bool = True) -> bool:
        """Wait until no consumer has an event of the log left to handle, here or in another process.
        Blocking; returns whether that is so, after `timeout` seconds at most. Who is not `patient` waits no
        longer once one of them fails. Raises EventLogUnavailable."""
        deadline = time.monotonic() + timeout
        while not all(thread.place.caught_up() for thread in self._threads.values()):
            failing = any(thread.loop.last_error for thread in self._threads.values())
            if time.monotonic() >= deadline or (failing and not patient):
                return False
            time.sleep(DRAIN_POLL_SECONDS)
        return True

    def backlogs(self) -> list[ConsumerBacklog]:
        """What waits for each, here or in another process. Blocking. Raises EventLogUnavailable."""
        return [thread.place.backlog() for thread in self._threads.values()]

    def heartbeats(self) -> dict[str, Heartbeat]:
        """The latest sign of life of each, here or in another process. Blocking."""
        return consumer_heartbeats.heartbeats(list(self._threads))

    def status(self) -> list[ConsumerStatus]:
        """How each is doing. Asks nothing of the database."""
        return [
            ConsumerStatus(
                name=name,
                running=thread.loop.running,
                active=thread.active,
                last_error=thread.loop.last_error,
            )
            for name, thread in self._threads.items()
        ]
