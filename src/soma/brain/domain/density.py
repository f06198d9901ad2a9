"""What is known of a namespace's density matrix, and when it is due to be brought up to date."""

from dataclasses import dataclass

RANK = 32
"""Directions that a sketch keeps at least. The error in any direction is at most energy/RANK."""
BATCH = 32
"""A sketch waits for so many new memories."""
STALE_SHARE = 0.05
"""Of what a sketch holds, at most this share may be of memories that are gone or rewritten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Density:
    """A namespace's sketch: of `count` vectors of the total square norm `energy`; no direction's square is
    short by more than `lost`. `version` counts its writings."""

    rank: int
    count: int
    energy: float
    lost: float
    version: int


def is_due(held: int | None, standing: int) -> bool:
    """Whether a sketch of `held` vectors (None: there is no sketch) is to be brought up to date, where
    `standing` memories are there."""
    if held is None:
        return standing > 0
    return standing - held >= BATCH or is_stale(held, standing)


def is_stale(held: int, standing: int) -> bool:
    """Whether a sketch of `held` vectors that has taken in everything holds too many that are gone: what was
    deleted, or rewritten and so taken in twice, cannot be taken out of a sketch one by one. Nor may it lack
    as many."""
    return abs(held - standing) > STALE_SHARE * standing
