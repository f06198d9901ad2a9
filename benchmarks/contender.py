"""Who is measured, and what a turn of it is."""

from dataclasses import dataclass
from typing import Protocol

ITERATIONS = 5
"""Passes of the loop in a turn: four tool calls, each answered, then the answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnTimes:
    """Milliseconds of a turn, from sending the message to hearing of the end, and of its iterations: each
    from the end of the one before it, the first from sending the message."""

    turn: float
    iterations: tuple[float, ...]


class Contender(Protocol):
    """A system that can do the turn."""

    @property
    def name(self) -> str:
        """As results call it."""

    @property
    def database(self) -> str:
        """Where its rows are."""

    @property
    def background(self) -> tuple[str, ...]:
        """The parts of this process's processor time (see cpu.PARTS) that are never its own."""

    async def open(self, count: int) -> list[str]:
        """New conversations, ready for their first turn."""

    async def turn(self, conversation: str, text: str) -> TurnTimes:
        """Send `text` and wait for the end of its turn. Raises RuntimeError for a turn of another shape."""

    async def settle(self) -> None:
        """Wait until nothing is owed: queues are empty, everything is stored."""


def question(number: int) -> str:
    """A message of ordinary length that no other number gives."""
    return (
        f"Order {number} has {number % 90 + 10} boxes of {number % 17 + 3} bottles; "
        "what do they come to, and how many pallets is that?"
    )


def expression(iteration: int) -> str:
    """What the calculator is asked in an iteration."""
    return f"{iteration + 12} * 7 + {iteration}"


def answer(number: int) -> str:
    """An answer that no other number gives: equal ones would be remembered once."""
    return f"They come to {84 + number} bottles in all, which fits on {number % 7 + 1} pallets."
