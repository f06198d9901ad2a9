"""The effects of a turn that runs: engines, tools, the database, the clock."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from soma.agent.domain.iteration import Iteration
from soma.agent.domain.iteration_inputs import IterationInputs
from soma.agent.domain.measures import Measures
from soma.agent.domain.tool import ToolCall, ToolExecution
from soma.agent.ports import ModelPort
from soma.agent.services.commit_iteration import commit_iteration
from soma.agent.services.evidence_blocks import blocks
from soma.agent.services.execute_tools import ToolRunner
from soma.agent.services.measure import RecentMeasures
from soma.agent.services.progress import Progress
from soma.base import clock
from soma.base.database import DatabaseThreads
from soma.brain.api import Brain, BrainError, LearnedState, RecallRequest


@dataclass(kw_only=True, slots=True)
class LiveWatch:
    """A Watch by this process's clock."""

    started_at: datetime = field(default_factory=clock.now)
    phases: list[tuple[str, float, float]] = field(default_factory=list)
    _started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """See Watch."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            ended = time.perf_counter()
            self.phases.append((name, _ms(begun - self._started), _ms(ended - begun)))

    @property
    def elapsed_ms(self) -> float:
        """See Watch."""
        return _ms(time.perf_counter() - self._started)


class LiveEffects:
    """See Effects."""

    def __init__(self, *, database: DatabaseThreads, brain: Brain, tools: ToolRunner) -> None:
        self._database = database
        self._brain = brain
        self._tools = tools
        self._measures = RecentMeasures()

    def begin(self, progress: Progress) -> LiveWatch:
        """See Effects."""
        return LiveWatch()

    async def recall(self, progress: Progress) -> None:
        """See Effects."""
        turn = progress.turn
        request = RecallRequest(
            tenant_id=turn.principal.tenant_id,
            agent_id=str(turn.agent_id),
            namespace=str(turn.principal.user_id),
            query=progress.message.content,
            top_k=progress.modulation.top_k(progress.capsule.loop.recall_top_k),
            exclude_input_hash=turn.input_hash,
            weights=progress.modulation.weights(progress.learned.weights),
            conversation_id=turn.conversation_id,
        )
        try:
            found = await self._database.run(self._brain.recall, request)
        except BrainError as error:
            progress.degrade(f"recall: {error.detail}")
            return
        progress.novelty = found.novelty
        progress.evidence = blocks(found.evidence, progress.history)

    async def measures(self, progress: Progress, model: ModelPort) -> Measures:
        """See Effects."""
        turn = progress.turn
        key = (progress.tenant_id, turn.principal.user_id, turn.agent_id, model.name)
        known = self._measures.fresh(*key)
        return await self._database.run(self._measures.read, *key) if known is None else known

    async def execute(self, progress: Progress, calls: Sequence[ToolCall]) -> tuple[ToolExecution, ...]:
        """See Effects."""
        if progress.permissions is None:
            progress.permissions = await self._tools.permissions(progress.turn, progress.capsule)
        return await self._tools.run(
            progress.turn,
            progress.capsule,
            progress.number,
            calls,
            progress.stream,
            progress.permissions,
            haste=progress.modulation.haste,
        )

    async def commit(
        self, progress: Progress, draft: Iteration, inputs: IterationInputs, *, cancelled: bool
    ) -> tuple[Iteration, LearnedState]:
        """See Effects."""
        return await self._database.run(
            commit_iteration, progress, draft, inputs, self._brain, cancelled=cancelled
        )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
