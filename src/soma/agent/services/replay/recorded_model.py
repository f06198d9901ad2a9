"""A model that says what was said, and one that says it anew."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

from soma.agent.domain.iteration import Iteration
from soma.agent.domain.iteration_inputs import IterationInputs
from soma.agent.domain.model import OUT_OF_TIME, ModelDelta, ModelOutput, ModelRequest
from soma.agent.domain.prompt import PromptMode
from soma.agent.ports import ModelPort
from soma.agent.services.progress import Progress
from soma.agent.services.replay.recorded_turn import RecordedTurn
from soma.agent.services.self_check import GRADES
from soma.base.canonical import json_bytes

CANCELLED = "cancelled"

PATIENCE_SECONDS = 600.0
"""A machine that is busy is no divergence."""


class RecordedModel:
    """A ModelPort on a record: in each iteration the model that answered it, with the tokens that it counted
    then. Asked once more in the same iteration, it grades its answer as it did."""

    reproducible = True

    def __init__(self, recorded: RecordedTurn, progress: Progress) -> None:
        self._recorded = recorded
        self._progress = progress
        self._answered = -1

    @property
    def name(self) -> str:
        """See ModelPort."""
        return self._was.model

    @property
    def native_tools(self) -> bool:
        """See ModelPort."""
        return self._inputs.native_tools

    @property
    def context_limit(self) -> int:
        """See ModelPort."""
        return self._inputs.context_limit

    async def stream(
        self, request: ModelRequest, stop: asyncio.Event
    ) -> AsyncIterator[ModelDelta | ModelOutput]:
        """See ModelPort."""
        was = self._was
        if self._answered == was.number:
            if was.state == CANCELLED:
                stop.set()
            yield _grade(was)
            return
        self._answered = was.number
        if was.mode != PromptMode.CALL:
            for piece in _pieces(was):
                yield ModelDelta(text=piece)
        if was.state == CANCELLED and was.confidence_source != "self_check":
            stop.set()
        mean = self._inputs.mean_logprob
        yield ModelOutput(
            text=was.content,
            stop_reason=was.stop_reason,
            prompt_tokens=was.prompt_tokens,
            completion_tokens=was.completion_tokens,
            logprobs=() if mean is None else (mean,),
            tool_calls=tuple(one.call for one in was.executions) if self.native_tools else (),
        )

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See ModelPort. Other texts than then have no count: that shows as another plan."""
        counts = self._inputs.counts
        return [*counts, *[0] * len(texts)][: len(texts)]

    @property
    def _was(self) -> Iteration:
        return self._recorded.iterations[self._progress.number]

    @property
    def _inputs(self) -> IterationInputs:
        return self._recorded.inputs[self._progress.number]


class ReexecutedModel:
    """A ModelPort that asks `model` again; an answer that was cut off is taken from the record."""

    reproducible = True

    def __init__(self, model: ModelPort, recorded: RecordedTurn, progress: Progress) -> None:
        self.name = model.name
        self.native_tools = model.native_tools
        self.context_limit = model.context_limit
        self._model = model
        self._recorded = recorded
        self._progress = progress

    async def stream(
        self, request: ModelRequest, stop: asyncio.Event
    ) -> AsyncIterator[ModelDelta | ModelOutput]:
        """See ModelPort."""
        model: ModelPort = self._model
        if cut_off(self._recorded.iterations[self._progress.number]):
            model = RecordedModel(self._recorded, self._progress)
        patient = replace(request, timeout_seconds=PATIENCE_SECONDS, keep_partial=False)
        async for piece in model.stream(patient, stop):
            yield piece

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See ModelPort."""
        return await self._model.count_tokens(texts)


def cut_off(was: Iteration) -> bool:
    """Whether its output ended by chance: by time, or because somebody stopped the turn."""
    return was.state == CANCELLED or was.stop_reason in {CANCELLED, OUT_OF_TIME}


def _pieces(was: Iteration) -> Iterator[str]:
    offset = 0
    for name, *lengths in was.script:
        for length in lengths if name == "delta" else ():
            yield was.content[offset : offset + length]
            offset += length


def _grade(was: Iteration) -> ModelOutput:
    text = json_bytes({"grade": round(was.confidence * GRADES)}).decode()
    return ModelOutput(text=text, stop_reason="end_turn", prompt_tokens=0, completion_tokens=0)
