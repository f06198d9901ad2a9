"""Working memory: what a conversation has at hand, and what stays when there is no more room.

It is a view of the conversation's last turns, not a stage on the way into long-term memory. All that a turn
leaves to be remembered goes into long-term memory by the event log, whether it was admitted here or not, so
that a full working memory loses nothing. What is here can be recalled at once, before consolidation came to
it; what has to give way is recalled from long-term memory as before.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.brain.kernels.salience import GATE, salience
from soma.brain.kernels.working_memory import admit, priority

CAPACITY = 32
"""Items: sixteen turns with their answers. A prompt shows the last ten anyway."""

HALF_LIFE = 8.0
"""Turns without use after which an item counts half as much."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkingSettings:
    """How many items a conversation has at hand, and after how many turns without use one counts half."""

    capacity: int = CAPACITY
    half_life: float = HALF_LIFE


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkingItem:
    """One thing at hand. `salience` in [0, 1] is that of its admission; `turn` is when it came in and
    `last_use` when it was last evidence, as counts of the conversation's turns. `record_id` is the memory
    that long-term memory keeps it as, None before consolidation; `vector` (d,) is there from then on.
    """

    id: UUID
    namespace: str
    key: str
    content: str
    role: str
    speaker: str
    occurred_at: datetime
    importance: float
    provenance: Mapping[str, Any]
    salience: float
    turn: int
    last_use: int
    record_id: UUID | None = None
    vector: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)

    @property
    def known_id(self) -> UUID:
        """What it is called wherever it is shown: the memory's id where there is one. Unless the same words
        stood in memory before, both are the same."""
        return self.record_id or self.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What decides whether an item stays."""

    id: UUID
    salience: float
    last_use: int


def worth(novelty: float, importance: float) -> float:
    """The salience of something said in a turn of this `novelty` that counts `importance`, all in [0, 1].

    The salience of learning, with importance in the place of the prediction error: nothing was predicted.
    What is known to the letter (novelty 0) and of the importance of a message stays below the gate.
    """
    return salience(novelty, importance)


def held(
    places: Sequence[Place],
    newcomers: Sequence[Place],
    *,
    turn: int,
    used: Collection[UUID],
    settings: WorkingSettings,
) -> list[Place]:
    """What is at hand after `turn`, oldest first: `used` count as new again, then each newcomer is admitted
    if its salience opens the gate, and if it is worth more than the weakest where there is no room."""
    stay = [replace(place, last_use=turn) if place.id in used else place for place in places]
    for newcomer in newcomers:
        ranks = _ranks(stay, settings)
        decided = admit(
            ranks,
            priority(newcomer.salience, newcomer.last_use, settings.half_life),
            settings.capacity,
            priority(GATE, turn, settings.half_life),
        )
        if decided.evicted is not None:
            del stay[decided.evicted]
        if decided.admitted:
            stay.append(newcomer)
    while len(stay) > settings.capacity:  # it was larger before
        del stay[int(np.argmin(_ranks(stay, settings)))]
    return stay


def _ranks(places: Sequence[Place], settings: WorkingSettings) -> NDArray[np.float64]:
    return np.array([priority(each.salience, each.last_use, settings.half_life) for each in places])
