"""The loop around iterations, from load to the final transaction."""

import asyncio
import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError

from soma.agent.domain.convergence import ExitReason
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.prompt import PromptMode
from soma.agent.domain.turn import Outcome, Turn
from soma.agent.errors import LeaseLost, TurnAbandoned
from soma.agent.services.capsules import Capsules
from soma.agent.services.finish_turn import fail_turn, finish_turn
from soma.agent.services.iterate import IterationRunner
from soma.agent.services.load_turn import Beginning, begin, load_turn
from soma.agent.services.progress import Progress
from soma.agent.services.repeat import first_run
from soma.agent.services.streams import TurnStream
from soma.base.database import DatabaseThreads
from soma.base.errors import SomaError
from soma.base.phases import PhaseObserver
from soma.brain.api import Brain

logger = logging.getLogger(__name__)

MAXIMUM_ATTEMPTS = 10
"""A turn that takes its process down again and again is given up; one that gets on is not."""


class TurnRunner:
    """Runs turns to their end, or to the loss of their lease."""

    def __init__(
        self,
        *,
        database: DatabaseThreads,
        brain: Brain,
        capsules: Capsules,
        iterations: IterationRunner,
        observer: PhaseObserver,
        degradations: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """`degradations` tells, without blocking, what the process does without at the moment: each turn that
        ends says it."""
        self._database = database
        self._brain = brain
        self._capsules = capsules
        self._iterations = iterations
        self._observer = observer
        self._degradations = degradations

    async def run(
        self, turn: Turn, stream: TurnStream, stop: asyncio.Event, beginning: Beginning | None
    ) -> None:
        """Run `turn`, from `beginning` where it is known, else from what is committed.

        Anticipated failures end it as failed; a lost lease leaves it to its new holder.
        """
        self._announce(turn, stream)
        try:
            if turn.stuck_attempts > MAXIMUM_ATTEMPTS:
                raise TurnAbandoned(f"{MAXIMUM_ATTEMPTS} attempts were interrupted at the same iteration")
            progress = (
                await self._database.run(load_turn, turn, stream, stop, self._capsules, self._brain)
                if beginning is None
                else begin(turn, beginning, stream, stop)
            )
            if turn.seeded and not progress.history:
                progress.repeat(await self._database.run(first_run, turn))
            await self._finish(progress, await self._loop(progress))
        except LeaseLost as error:
            logger.warning("turn %s: %s", turn.id, error.detail)
        except (OperationalError, InterfaceError) as error:
            # Not the turn's fault: its lease runs out, and it goes on from its last commit.
            logger.warning("turn %s is interrupted, the database does not answer: %s", turn.id, error)
        except SomaError as error:
            await self._fail(turn, stream, error)
        except Exception:
            logger.exception("turn %s failed", turn.id)
            await self._fail(turn, stream, SomaError("the turn met an unexpected error; see the log"))

    async def _loop(self, progress: Progress) -> ExitReason:
        if progress.iterations and progress.iterations[-1].decision != "continue":
            return ExitReason(progress.iterations[-1].decision)
        while True:
            if progress.stop.is_set():
                return ExitReason.CANCELLED
            reason = await self._iterations.iterate(progress)
            if reason is not None:
                return reason

    async def _finish(self, progress: Progress, reason: ExitReason) -> None:
        self._observer.phase("finish", progress.turn.id, -1)
        best = best_iteration(progress.iterations, refine=progress.capsule.loop.refine)
        text = answer_text(progress, best)
        for lacking in self._degradations():
            progress.degrade(lacking)
        outcome = outcome_of(progress, reason, best)
        answer = await self._database.run(finish_turn, progress, text, outcome, self._brain)
        stream = progress.stream
        stream.end_loop()
        message_id = None if answer.message_id is None else str(answer.message_id)
        stream.emit("answer", answer_data(text, message_id, outcome.to_dict()))
        status = "cancelled" if reason is ExitReason.CANCELLED else "completed"
        stream.emit("turn.completed", completed_data(status, outcome.to_dict()))
        self._observer.phase("finished", progress.turn.id, -1)

    async def _fail(self, turn: Turn, stream: TurnStream, error: SomaError) -> None:
        try:
            await self._database.run(fail_turn, turn, error, self._brain)
        except LeaseLost as lost:
            logger.warning("turn %s: %s", turn.id, lost.detail)
            return
        stream.end_loop()
        stream.emit("turn.failed", {"code": error.code, "detail": error.detail})

    def _announce(self, turn: Turn, stream: TurnStream) -> None:
        self._observer.phase("started", turn.id, -1)
        stream.end_loop()
        stream.emit("turn.started", started_data(turn, turn.attempt))


def started_data(turn: Turn, attempt: int) -> dict[str, object]:
    """The data of the turn.started frame of an attempt, counted from 1."""
    return {
        "conversation_id": str(turn.conversation_id),
        "agent": str(turn.agent_id),
        "seed": turn.seed,
        "model": turn.model,
        "attempt": attempt,
        "resumed_iteration": turn.attempts[attempt - 1]["resumed_iteration"],
    }


def answer_data(text: str, message_id: str | None, outcome: dict[str, object]) -> dict[str, object]:
    """The data of the answer frame."""
    told = ("iterations", "tools_used", "confidence", "convergence_score", "exit_reason", "degraded_reasons")
    return {"text": text, "message_id": message_id, **{name: outcome[name] for name in told}}


def completed_data(status: str, outcome: dict[str, object]) -> dict[str, object]:
    """The data of the turn.completed frame."""
    told = ("exit_reason", "latency_ms", "first_token_ms")
    return {"status": status, **{name: outcome[name] for name in told}}


def best_iteration(iterations: list[Iteration], *, refine: bool) -> Iteration | None:
    """The iteration that answers: the best-scoring one of a refining turn, the last one otherwise."""
    answers = [each for each in iterations if each.mode != PromptMode.CALL and each.is_answer]
    # A small model was asked to report what the tools gave. If it did not, their words are the answer.
    answers = [each for each in answers if each.mode != PromptMode.ANSWER or each.tool_utility > 0]
    if not answers:
        return None
    return max(answers, key=lambda each: each.convergence_score) if refine else answers[-1]


def answer_text(progress: Progress, best: Iteration | None) -> str:
    """What the turn says: its best iteration, or what the tools gave."""
    if best is not None:
        return best.content.strip()
    return "\n".join(execution.sentence() for execution in progress.executions)


def outcome_of(progress: Progress, reason: ExitReason, best: Iteration | None) -> Outcome:
    """How the turn ended, as of now."""
    told = best or (progress.iterations[-1] if progress.iterations else None)
    return Outcome(
        exit_reason=reason.value,
        iterations=len(progress.iterations),
        confidence=told.confidence if told else 0.0,
        convergence_score=told.convergence_score if told else 0.0,
        tools_used=tuple(dict.fromkeys(one.call.tool for one in progress.executions if one.executed)),
        degraded_reasons=tuple(progress.degraded),
        prompt_tokens=sum(each.prompt_tokens for each in progress.iterations),
        completion_tokens=sum(each.completion_tokens for each in progress.iterations),
        first_token_ms=progress.first_token_ms,
        latency_ms=round(progress.elapsed_ms, 3),
    )
