"""How the event backbone is doing, and what it gave up."""

from datetime import datetime
from typing import Any
from uuid import UUID

from soma.interfaces.http.documents.base import Given


class Letter(Given):
    """An event that `source`, the relay or a consumer, gave up after `attempts`. `settled_at`: when it was
    handed back to be tried again; null as long as it is given up."""

    id: UUID
    source: str
    topic: str
    type: str
    version: int
    key: str
    event_id: UUID
    sequence: int | None
    trace_id: str
    payload: dict[str, Any]
    attempts: int
    error: str
    occurred_at: datetime
    failed_at: datetime
    settled_at: datetime | None


class Letters(Given):
    """Dead letters, the latest first. `cursor` asks for those behind them; null at the end."""

    letters: list[Letter]
    cursor: str | None


class Outbox(Given):
    """What waits for the relay, and since when."""

    waiting: int
    oldest: datetime | None


class Reached(Given):
    """How far a consumer is in a partition of the log, whose last position is `newest`."""

    partition: str
    offset: int
    newest: int
    lag: int


class Backlog(Given):
    """Events that wait for a consumer, those `parked` included that wait for their next attempt."""

    waiting: int
    parked: int
    oldest: datetime | None
    reached: list[Reached]


class Heartbeat(Given):
    """When and in which process a consumer was last heard of, and what kept it from its work."""

    process: str
    beat_at: datetime
    last_error: str


class ConsumerReport(Given):
    """A consumer: `backlog` is null while nobody knows, `heartbeat` when it was never heard of."""

    name: str
    silent: bool
    backlog: Backlog | None
    heartbeat: Heartbeat | None


class LetterCount(Given):
    """How many events `source` gave up that nobody has had tried again."""

    source: str
    letters: int
    oldest: datetime


class Status(Given):
    """The event backbone, of all tenants. `log_fault` says why the log cannot be asked; empty when it can."""

    outbox: Outbox
    consumers: list[ConsumerReport]
    dead_letters: list[LetterCount]
    log_fault: str


class Topic(Given):
    """A topic, what it is for, and its event types with their versions."""

    topic: str
    description: str
    types: dict[str, list[int]]
