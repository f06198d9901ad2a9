"""How far a running turn has come."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from soma.agent.domain.capsule import Capsule
from soma.agent.domain.evidence import EvidenceBlock
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.measures import Measures
from soma.agent.domain.message import Message
from soma.agent.domain.prompt import PromptMode
from soma.agent.domain.tool import ToolExecution
from soma.agent.domain.turn import Turn
from soma.agent.services.streams import TurnStream
from soma.brain.api import LearnedState, Modulation
from soma.policy.api import PermissionDecision


@dataclass(kw_only=True, slots=True)
class Progress:
    """A turn in this process: what was loaded, and what each iteration adds. `modulation` is what the levels
    at the turn's start do to all of it. `recorded` are the iterations of the turn that this one repeats.
    `permissions` is what relations say of its tools, by name, once a tool was called;
    `measures` what earlier turns have measured, once something was planned."""

    turn: Turn
    capsule: Capsule
    message: Message
    history: tuple[Message, ...]
    learned: LearnedState
    stream: TurnStream
    stop: asyncio.Event
    modulation: Modulation = field(default_factory=Modulation)
    iterations: list[Iteration] = field(default_factory=list)
    recorded: tuple[Iteration, ...] = ()
    permissions: Mapping[str, PermissionDecision] | None = None
    measures: Measures | None = None
    evidence: tuple[EvidenceBlock, ...] = ()
    novelty: float = 1.0
    recalled: bool = False
    degraded: list[str] = field(default_factory=list)
    first_token_ms: float | None = None
    started: float = field(default_factory=time.perf_counter)

    @property
    def tenant_id(self) -> UUID:
        """The tenant of the turn."""
        return self.turn.principal.tenant_id

    @property
    def number(self) -> int:
        """The number of the iteration to come."""
        return len(self.iterations)

    @property
    def executions(self) -> tuple[ToolExecution, ...]:
        """The tool executions of all committed iterations, in order."""
        return tuple(execution for each in self.iterations for execution in each.executions)

    @property
    def tokens_spent(self) -> int:
        """Prompt and completion tokens of all committed iterations."""
        return sum(each.prompt_tokens + each.completion_tokens for each in self.iterations)

    @property
    def good_answers(self) -> int:
        """How many answers in a row, up to the last one, were good enough to stop at."""
        threshold = self.capsule.loop.convergence_threshold
        answers = [each for each in self.iterations if each.mode != PromptMode.CALL and each.is_answer]
        missed = (back for back, each in enumerate(reversed(answers)) if each.convergence_score < threshold)
        return next(missed, len(answers))

    @property
    def draft(self) -> str:
        """The last answer, which a refining turn improves; empty while there is none."""
        answers = [each for each in self.iterations if each.mode != PromptMode.CALL and each.is_answer]
        return answers[-1].content if answers else ""

    @property
    def elapsed_ms(self) -> float:
        """Since the turn was created, by this process's clock."""
        return (time.perf_counter() - self.started) * 1000

    def repeat(self, recorded: tuple[Iteration, ...]) -> None:
        """Go by the record of the turn that had these iterations; none is nothing to repeat."""
        self.recorded = recorded
        if recorded:
            self.modulation = Modulation.from_dict(recorded[0].modulation)

    def degrade(self, reason: str) -> None:
        """Note once that something is missing."""
        if reason not in self.degraded:
            self.degraded.append(reason)
