"""One pass of the loop: recall → plan → model → tools → learn and commit."""

from dataclasses import replace

from soma.agent.domain.convergence import ExitReason
from soma.agent.domain.frames import plan_of, verify_data
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.iteration_inputs import IterationInputs
from soma.agent.domain.model import ModelOutput, confidence_of, mean_logprob
from soma.agent.errors import ModelUnavailable
from soma.agent.ports import ModelPort
from soma.agent.services.assess import assessed
from soma.agent.services.effects import Effects
from soma.agent.services.generate import Models, generate
from soma.agent.services.parse_calls import parse_calls
from soma.agent.services.plan import Plan, plan
from soma.agent.services.progress import Progress
from soma.agent.services.self_check import self_check
from soma.base.phases import PhaseObserver


class IterationRunner:
    """Runs iterations with the parts that the process was wired with."""

    def __init__(self, *, effects: Effects, models: Models, observer: PhaseObserver) -> None:
        self._effects = effects
        self._models = models
        self._observer = observer

    async def iterate(self, progress: Progress) -> ExitReason | None:
        """Run and commit the next iteration; why to stop, or None to go on."""
        watch = self._effects.begin(progress)
        progress.stream.begin_iteration(progress.number)
        with watch.phase("recall"):
            await self._recall(progress)
        if progress.stop.is_set():
            return ExitReason.CANCELLED
        with watch.phase("plan"):
            decided, model = await self._plan(progress)
        with watch.phase("model"):
            decided, model, output = await self._generate(progress, decided, model)
        calls = (
            ()
            if output.stop_reason == "cancelled"
            else parse_calls(output, decided.mode, progress.turn.id, progress.number)
        )
        with watch.phase("tools"):
            self._note("tools", progress)
            executions = await self._effects.execute(progress, calls) if calls else ()
        confidence, source = await self._confidence(progress, decided, model, output)
        draft, reason = assessed(progress, decided, model, output, executions, confidence, source)
        first_frame_id, script = progress.stream.script()
        draft = replace(
            draft,
            started_at=watch.started_at,
            first_frame_id=first_frame_id,
            script=script,
            phases=tuple(watch.phases),
            latency_ms=watch.elapsed_ms,
        )
        await self._commit(progress, draft, inputs_of(progress, decided, model, output), reason)
        return reason

    async def _recall(self, progress: Progress) -> None:
        self._note("recall", progress)
        if progress.recalled:
            return
        progress.recalled = True
        if progress.recorded:
            first = progress.recorded[0]
            progress.evidence, progress.novelty = first.evidence, first.novelty
            return
        await self._effects.recall(progress)

    async def _plan(self, progress: Progress) -> tuple[Plan, ModelPort]:
        self._note("plan", progress)
        model = self._models.preferred(fast=progress.modulation.fast_model)
        if progress.measures is None and not progress.recorded:
            progress.measures = await self._effects.measures(progress, model)
        decided = await plan(progress, model)
        self._show(progress, decided, model)
        return decided, model

    def _show(self, progress: Progress, decided: Plan, model: ModelPort) -> None:
        progress.stream.emit(
            "plan",
            plan_of(
                lanes=decided.lanes(),
                evidence=[
                    {
                        "id": block.id,
                        "content": block.content,
                        "score": block.score,
                        "source": block.provenance.get("conversation_id"),
                    }
                    for block in progress.evidence
                ],
                suggestions=decided.suggestions,
                tools=[tool.name for tool in decided.offered],
                model=model.name,
                capabilities=decided.capabilities,
            ),
        )

    async def _generate(
        self, progress: Progress, decided: Plan, model: ModelPort
    ) -> tuple[Plan, ModelPort, ModelOutput]:
        self._note("model", progress)
        said = len(progress.stream.frames)
        while True:
            try:
                return decided, model, await generate(progress, decided.request, decided.mode, model)
            except ModelUnavailable as error:
                other = self._models.after(model)
                if other is None or len(progress.stream.frames) > said:
                    raise
                progress.degrade(f"model: {error.detail}")
                model, decided = other, await plan(progress, other)

    async def _confidence(
        self, progress: Progress, decided: Plan, model: ModelPort, output: ModelOutput
    ) -> tuple[float, str]:
        """How sure the model was, and how that is known: nothing known counts as no confidence at all."""
        measured = confidence_of(output.logprobs)
        if measured is not None:
            return measured, "logprobs"
        if output.tool_calls or not output.text or progress.stop.is_set():
            return 0.0, "none"
        graded = await self_check(progress, decided.request, output.text, model)
        return (0.0, "none") if graded is None else (graded, "self_check")

    async def _commit(
        self, progress: Progress, draft: Iteration, inputs: IterationInputs, reason: ExitReason | None
    ) -> None:
        self._note("learn", progress)
        cancelled = reason is ExitReason.CANCELLED
        iteration, progress.learned = await self._effects.commit(progress, draft, inputs, cancelled=cancelled)
        progress.iterations.append(iteration)
        progress.stream.emit("verify", verify_data(iteration))
        progress.stream.emit("learn", iteration.learning)
        self._observer.phase("committed", progress.turn.id, iteration.number)

    def _note(self, phase: str, progress: Progress) -> None:
        self._observer.phase(phase, progress.turn.id, progress.number)


def inputs_of(progress: Progress, decided: Plan, model: ModelPort, output: ModelOutput) -> IterationInputs:
    """What the iteration that is about to be committed was given."""
    measures = None if progress.measures is None else progress.measures.to_dict()
    return IterationInputs(
        attempt=progress.turn.attempt,
        state=progress.learned.to_bytes().hex(),
        native_tools=model.native_tools,
        context_limit=model.context_limit,
        counts=decided.counts,
        mean_logprob=mean_logprob(output.logprobs),
        measures=measures,
        repeats=bool(progress.recorded),
        sampling=decided.request.sampling(),
    )
