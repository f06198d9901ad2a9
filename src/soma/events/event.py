"""An event on its way: as published, as it waits in the outbox, as it stands in the log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.base.clock import now
from soma.base.ids import new_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A past-tense fact, as its publisher states it.

    `key` names what the event is about (a turn, a session) and is what the log is read by. `payload` holds
    JSON values only. `topic` follows from the type; a topic that is given must be the schema's.
    """

    tenant_id: UUID
    type: str
    key: str
    payload: Mapping[str, Any]
    topic: str = ""
    version: int = 1
    trace_id: str = ""
    event_id: UUID = field(default_factory=new_id)
    occurred_at: datetime = field(default_factory=now)


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingEvent:
    """An event that waits in the outbox. `payload` is JSON text: the relay has no reason to parse it."""

    outbox_id: int
    event_id: UUID
    tenant_id: UUID
    topic: str
    type: str
    version: int
    key: str
    payload: str
    trace_id: str
    occurred_at: datetime
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What an append has recorded: the sequence of each event by event_id, without those the log had."""

    sequences: Mapping[UUID, int]
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredEvent:
    """An event of the log.

    `position` orders the events of all tenants in a `partition` as they were recorded and may skip numbers;
    `sequence` counts the tenant's own, in all partitions, 1, 2, 3, … without a gap.
    """

    partition: str
    position: int
    sequence: int
    event_id: UUID
    tenant_id: UUID
    topic: str
    type: str
    version: int
    key: str
    payload: dict[str, Any]
    trace_id: str
    occurred_at: datetime
    recorded_at: datetime

    @property
    def lane(self) -> "Lane":
        """What it keeps its order in."""
        return self.partition, self.tenant_id


Lane = tuple[str, UUID]
"""The events of one tenant in one partition, which are taken in order: partition and tenant_id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSlice:
    """Events of some types in the order of their partition, and the position up to which that has been
    looked through."""

    events: tuple[StoredEvent, ...]
    position: int
