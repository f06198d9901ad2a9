"""Effects that come from a record: nothing is looked up, run, or stored."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from soma.agent.domain.frames import done_data, intent_data
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.iteration_inputs import IterationInputs
from soma.agent.domain.measures import Measures
from soma.agent.domain.tool import ToolCall, ToolExecution
from soma.agent.ports import ModelPort
from soma.agent.services.assess import feedback_of
from soma.agent.services.commit_iteration import nothing_learned
from soma.agent.services.progress import Progress
from soma.agent.services.replay.recorded_turn import RecordedTurn
from soma.brain.api import LearnedState, LearningSignal, learn


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedWatch:
    """A Watch that shows what another has shown."""

    started_at: datetime
    phases: Sequence[tuple[str, float, float]]
    elapsed_ms: float

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """See Watch."""
        yield


class RecordedEffects:
    """See Effects. `inputs` are those that the loop has come to, by iteration."""

    def __init__(self, recorded: RecordedTurn) -> None:
        self._recorded = recorded
        self.inputs: list[IterationInputs] = []

    def begin(self, progress: Progress) -> RecordedWatch:
        """See Effects."""
        was = self._recorded.iterations[progress.number]
        return RecordedWatch(started_at=was.started_at, phases=was.phases, elapsed_ms=was.latency_ms)

    async def recall(self, progress: Progress) -> None:
        """See Effects."""
        was = self._recorded.iterations[0]
        progress.evidence, progress.novelty = was.evidence, was.novelty

    async def measures(self, progress: Progress, model: ModelPort) -> Measures:
        """See Effects."""
        known = self._recorded.inputs[progress.number].measures
        return Measures() if known is None else Measures.from_dict(known)

    async def execute(self, progress: Progress, calls: Sequence[ToolCall]) -> tuple[ToolExecution, ...]:
        """See Effects. What the calls came to is given whatever they are: that they are others shows."""
        was = self._recorded.iterations[progress.number]
        found = [replace(one, call=call) for one, call in zip(was.executions, calls, strict=False)]
        for position, one in enumerate(found):
            intent = intent_data(one.call, allowed=one.allowed, reasons=one.reasons)
            progress.stream.emit("tool.intent", intent, position)
        for name, *positions in was.script:
            if name == "tool.done" and positions[0] < len(found):
                progress.stream.emit("tool.done", done_data(found[positions[0]]), positions[0])
        return tuple(found)

    async def commit(
        self, progress: Progress, draft: Iteration, inputs: IterationInputs, *, cancelled: bool
    ) -> tuple[Iteration, LearnedState]:
        """See Effects: what it taught is learned from where the turn stands, and kept nowhere."""
        was = self._recorded.iterations[progress.number]
        self.inputs.append(inputs)
        if cancelled:
            taught, after = nothing_learned(progress.learned), progress.learned
        else:
            signal = LearningSignal(was.learning.get("signal", LearningSignal.PREDICTION_ERROR))
            learning = learn(progress.learned, feedback_of(progress, draft).signals_for(signal))
            taught, after = learning.to_dict(), learning.after
        kept = replace(
            draft, learning=taught, first_frame_id=was.first_frame_id, completed_at=was.completed_at
        )
        return kept, after
