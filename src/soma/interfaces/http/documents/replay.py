"""Replays: what is asked for, and what came of it."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from soma.interfaces.http.documents.base import Given, Sent

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ReplayRequest(Sent):
    """`verify` rebuilds the turn from the log and compares; `reexecute` runs it again on the local model."""

    mode: Literal["verify", "reexecute"] = "verify"


class EventsRead(BaseModel):
    """The turn's events in the log: how many, in which partitions, from which to which sequence."""

    events: int
    partitions: list[str]
    first_sequence: int | None
    last_sequence: int | None


class StateHashes(BaseModel):
    """SHA-256 of a part of the turn's state as it was rebuilt, and as it is stored."""

    rebuilt: Sha256 | None
    stored: Sha256 | None


class Difference(BaseModel):
    """A member that is not what it should be."""

    path: str
    expected: Any
    found: Any


class Divergence(BaseModel):
    """The first step that differs. `iteration` counts from 0 and is null outside the loop; `diff` is a
    unified diff of the step as JSON."""

    step: str
    iteration: int | None
    phase: str
    between: str
    differences: list[Difference]
    diff: list[str]


class ReplayReport(Given):
    """What came of a replay. `missing` says what could not be had, `notes` what was taken from the record."""

    turn_id: UUID
    mode: Literal["verify", "reexecute"]
    verdict: Literal["identical", "diverged", "incomplete"]
    status: str
    iterations: int
    attempts: int
    log: EventsRead
    hashes: dict[str, StateHashes]
    divergence: Divergence | None
    divergent_steps: list[str]
    missing: list[str]
    notes: list[str]
