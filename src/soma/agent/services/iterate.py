"""One pass of the loop: recall → plan → model → tools → learn and commit."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from soma.agent.domain.convergence import ExitReason
from soma.agent.domain.frames import plan_of, verify_data
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.model import ModelOutput, confidence_of
from soma.agent.domain.tool import ToolCall, ToolExecution
from soma.agent.errors import ModelUnavailable
from soma.agent.ports import ModelPort
from soma.agent.services.assess import assessed, feedback_of
from soma.agent.services.commit_iteration import commit_iteration
from soma.agent.services.evidence_blocks import blocks
from soma.agent.services.execute_tools import ToolRunner
from soma.agent.services.generate import Models, generate
from soma.agent.services.measure import RecentMeasures
from soma.agent.services.parse_calls import parse_calls
from soma.agent.services.plan import Plan, plan
from soma.agent.services.progress import Progress
from soma.agent.services.self_check import self_check
from soma.base import clock
from soma.base.database import DatabaseThreads
from soma.base.phases import PhaseObserver
from soma.brain.api import Brain, BrainError, RecallRequest


@dataclass(kw_only=True, slots=True)
class _Pass:
    """One iteration while it runs: its phases as [name, offset from its start, duration], in ms."""

    started: float = field(default_factory=time.perf_counter)
    phases: list[tuple[str, float, float]] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            ended = time.perf_counter()
            self.phases.append((name, _ms(begun - self.started), _ms(ended - begun)))

    @property
    def elapsed_ms(self) -> float:
        return _ms(time.perf_counter() - self.started)


class IterationRunner:
    """Runs iterations with the parts that the process was wired with."""

    def __init__(
        self,
        *,
        database: DatabaseThreads,
        brain: Brain,
        models: Models,
        tools: ToolRunner,
        observer: PhaseObserver,
    ) -> None:
        self._database = database
        self._brain = brain
        self._models = models
        self._tools = tools
        self._observer = observer
        self._measures = RecentMeasures()

    async def iterate(self, progress: Progress) -> ExitReason | None:
        """Run and commit the next iteration; why to stop, or None to go on."""
        this = _Pass()
        started_at = clock.now()
        progress.stream.begin_iteration(progress.number)
        with this.phase("recall"):
            await self._recall(progress)
        if progress.stop.is_set():
            return ExitReason.CANCELLED
        with this.phase("plan"):
            decided, model = await self._plan(progress)
        with this.phase("model"):
            decided, model, output = await self._generate(progress, decided, model)
        calls = (
            ()
            if output.stop_reason == "cancelled"
            else parse_calls(output, decided.mode, progress.turn.id, progress.number)
        )
        with this.phase("tools"):
            self._note("tools", progress)
            executions = await self._execute(progress, calls)
        confidence, source = await self._confidence(progress, decided, model, output)
        draft, reason = assessed(progress, decided, model, output, executions, confidence, source)
        first_frame_id, script = progress.stream.script()
        draft = replace(
            draft,
            started_at=started_at,
            first_frame_id=first_frame_id,
            script=script,
            phases=tuple(this.phases),
            latency_ms=this.elapsed_ms,
        )
        await self._commit(progress, draft, cancelled=reason is ExitReason.CANCELLED)
        return reason

    async def _execute(self, progress: Progress, calls: Sequence[ToolCall]) -> tuple[ToolExecution, ...]:
        if not calls:
            return ()
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

    async def _recall(self, progress: Progress) -> None:
        self._note("recall", progress)
        if progress.recalled:
            return
        progress.recalled = True
        if progress.recorded:
            first = progress.recorded[0]
            progress.evidence, progress.novelty = first.evidence, first.novelty
            return
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

    async def _plan(self, progress: Progress) -> tuple[Plan, ModelPort]:
        self._note("plan", progress)
        model, turn = self._models.preferred(fast=progress.modulation.fast_model), progress.turn
        if progress.measures is None and not progress.recorded:
            key = (progress.tenant_id, turn.principal.user_id, turn.agent_id, model.name)
            known = self._measures.fresh(*key)
            progress.measures = known or await self._database.run(self._measures.read, *key)
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

    async def _commit(self, progress: Progress, draft: Iteration, *, cancelled: bool) -> None:
        self._note("learn", progress)
        iteration, progress.learned = await self._database.run(
            commit_iteration,
            progress.turn,
            draft,
            None if cancelled else feedback_of(progress, draft),
            progress.learned,
            self._brain,
            noted=self._noted(progress, draft),
        )
        progress.iterations.append(iteration)
        progress.stream.emit("verify", verify_data(iteration))
        progress.stream.emit("learn", iteration.learning)
        self._observer.phase("committed", progress.turn.id, iteration.number)

    def _noted(self, progress: Progress, draft: Iteration) -> bool:
        specs = (progress.capsule.tool(one.call.tool) for one in draft.executions)
        return any(spec is not None and not spec.idempotent for spec in specs)

    def _note(self, phase: str, progress: Progress) -> None:
        self._observer.phase(phase, progress.turn.id, progress.number)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
