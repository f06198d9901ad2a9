"""What an iteration does outside itself: a running turn on engines, a replayed one on its record."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from soma.agent.domain.iteration import Iteration
from soma.agent.domain.iteration_inputs import IterationInputs
from soma.agent.domain.measures import Measures
from soma.agent.domain.tool import ToolCall, ToolExecution
from soma.agent.ports import ModelPort
from soma.agent.services.progress import Progress
from soma.brain.api import LearnedState


class Watch(Protocol):
    """The clock of one iteration. `phases` are [name, offset from the start, duration], in ms."""

    @property
    def started_at(self) -> datetime:
        """When it began."""

    @property
    def phases(self) -> Sequence[tuple[str, float, float]]:
        """The phases that are over."""

    @property
    def elapsed_ms(self) -> float:
        """Since it began."""

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Time what is done inside."""


class Effects(Protocol):
    """Everything around the loop that is no function of what the loop knows, but for the model."""

    def begin(self, progress: Progress) -> Watch:
        """The clock of the iteration to come."""

    async def recall(self, progress: Progress) -> None:
        """Give the turn its evidence and novelty; without memory, say what it goes on without."""

    async def measures(self, progress: Progress, model: ModelPort) -> Measures:
        """What earlier turns have measured, for the planner."""

    async def execute(self, progress: Progress, calls: Sequence[ToolCall]) -> tuple[ToolExecution, ...]:
        """Run tools, as far as that is allowed; frames are told to the turn's stream."""

    async def commit(
        self, progress: Progress, draft: Iteration, inputs: IterationInputs, *, cancelled: bool
    ) -> tuple[Iteration, LearnedState]:
        """Learn from the iteration, unless it was cancelled, and keep it; with what it taught, and where the
        turn stands now. Raises LeaseLost."""
