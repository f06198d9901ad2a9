"""The public functions of this tier, on one object that the bootstrap builds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar
from uuid import UUID

from soma.agent.domain.builtin_tools import BUILTIN_TOOLS, SYSTEM_PROMPT
from soma.agent.domain.capsule import Capsule, LoopSettings
from soma.agent.domain.frames import Frame
from soma.agent.domain.message import MAXIMUM_MESSAGE_BYTES
from soma.agent.domain.model import ModelDelta, ModelMessage, ModelOutput, ModelRequest
from soma.agent.domain.replay_report import ReplayMode, ReplayReport, Verdict
from soma.agent.domain.tool import ToolCall, ToolExample, ToolSpec
from soma.agent.domain.turn import Turn, TurnStatus
from soma.agent.domain.turn_feedback import MAX_MARKS, Thumb, TurnFeedback
from soma.agent.errors import AgentError, ModelUnavailable, NotReexecutable, ToolFailed
from soma.agent.ports import ModelPort, ToolContext, ToolPort
from soma.agent.services import conversations as conversation_services
from soma.agent.services.agent_learning import RollbackTarget, agent_learning, roll_back
from soma.agent.services.capsules import Capsules
from soma.agent.services.context_bundle import ContextBundle, context_bundle
from soma.agent.services.conversations import ConversationSummary, ConversationView, MessageView
from soma.agent.services.evaluate import EvaluateRequest, grounds_of, recall_request
from soma.agent.services.execute_tools import ToolRunner
from soma.agent.services.gate import Gate
from soma.agent.services.generate import Models
from soma.agent.services.give_feedback import give_feedback
from soma.agent.services.iterate import IterationRunner
from soma.agent.services.live_effects import LiveEffects
from soma.agent.services.record_denial import record_denial
from soma.agent.services.replay.replay_turn import Replayer
from soma.agent.services.run_turn import TurnRunner
from soma.agent.services.start_turn import MessageCommand, start_turn
from soma.agent.services.streams import TurnStreams
from soma.agent.services.supervise import Supervisor
from soma.agent.services.trace import conversation_trace, turn_trace
from soma.agent.services.turns import (
    TurnView,
    committed_frames,
    request_cancel,
    require_live,
    turn_view,
)
from soma.base.database import DatabaseThreads
from soma.base.tenancy import Principal
from soma.brain.api import Brain
from soma.events.api import EventLog
from soma.policy.api import PermissionDenied, Policy, Relations

__all__ = [
    "BUILTIN_TOOLS",
    "MAXIMUM_MESSAGE_BYTES",
    "MAX_MARKS",
    "SYSTEM_PROMPT",
    "Agent",
    "AgentError",
    "Capsule",
    "Capsules",
    "ContextBundle",
    "ConversationSummary",
    "ConversationView",
    "EvaluateRequest",
    "Frame",
    "IterationRunner",
    "LiveEffects",
    "LoopSettings",
    "MessageView",
    "ModelDelta",
    "ModelMessage",
    "ModelOutput",
    "ModelPort",
    "ModelRequest",
    "ModelUnavailable",
    "Models",
    "NotReexecutable",
    "ReplayMode",
    "ReplayReport",
    "RollbackTarget",
    "Thumb",
    "ToolCall",
    "ToolContext",
    "ToolExample",
    "ToolFailed",
    "ToolPort",
    "ToolRunner",
    "ToolSpec",
    "TurnAccepted",
    "TurnFeedback",
    "TurnRunner",
    "TurnView",
    "Verdict",
]


P = ParamSpec("P")
T = TypeVar("T")

POLL_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnAccepted:
    """A message was stored and its turn is on its way."""

    turn_id: UUID
    conversation_id: UUID
    status: str


class Agent:
    """Conversations and turns. Every method acts for a principal, inside that principal's tenant."""

    def __init__(
        self,
        *,
        database: DatabaseThreads,
        policy: Policy,
        relations: Relations,
        capsules: Capsules,
        brain: Brain,
        models: Models,
        runner: TurnRunner,
        owner: str,
        log: EventLog,
        rlm: bool = True,
    ) -> None:
        """`owner` names this process in leases; `rlm` off answers in a single shot; turns are replayed from
        `log`."""
        self._database = database
        self._gate = Gate(relations, policy)
        self._capsules = capsules
        self._brain = brain
        self._models = models
        self._replayer = Replayer(database=database, log=log, brain=brain, models=models, gate=self._gate)
        self._streams = TurnStreams()
        self._owner = owner
        self._rlm = rlm
        self._supervisor = Supervisor(database=database, runner=runner, streams=self._streams, owner=owner)

    async def start(self, *, take_over: bool = True) -> None:
        """Renew leases until stop, and with `take_over` resume turns whose process is gone."""
        self._supervisor.start(take_over=take_over)

    async def stop(self) -> None:
        """Let go of the running turns: whoever serves next resumes them from their last commit."""
        await self._supervisor.stop()

    async def create_conversation(
        self, principal: Principal, *, title: str | None = None, agent: str | None = None
    ) -> ConversationView:
        """A new conversation. Raises Denied, NotFound, InvalidInput, Unavailable."""
        return await self._run(
            principal,
            conversation_services.create_conversation,
            principal,
            title=title,
            agent=agent,
            capsules=self._capsules,
            gate=self._gate,
        )

    async def conversations(self, principal: Principal, *, limit: int = 50) -> list[ConversationSummary]:
        """The caller's conversations, newest first. Raises Denied."""
        return await self._run(
            principal, conversation_services.conversations, principal, limit=limit, gate=self._gate
        )

    async def conversation(self, principal: Principal, conversation_id: UUID) -> ConversationView:
        """One conversation with its messages. Raises NotFound, Denied."""
        return await self._run(
            principal, conversation_services.conversation, principal, conversation_id, gate=self._gate
        )

    async def require_readable(self, principal: Principal, conversation_id: UUID) -> None:
        """Pass if `principal` may read the conversation. Raises NotFound, Denied."""
        await self._run(
            principal,
            conversation_services.require_readable,
            principal,
            conversation_id,
            gate=self._gate,
        )

    async def send_message(
        self,
        principal: Principal,
        conversation_id: UUID,
        text: str,
        *,
        seed: int | None = None,
        idempotency_key: str | None = None,
    ) -> TurnAccepted:
        """Store a message and start its turn. Raises InvalidInput, LimitExceeded, NotFound, Denied,
        Conflict."""
        command = MessageCommand(
            principal=principal,
            conversation_id=conversation_id,
            text=text,
            seed=seed,
            idempotency_key=idempotency_key,
            model=self._models.primary.name,
            rlm=self._rlm,
            lease_owner=self._owner,
        )
        started = await self._run(principal, start_turn, command, self._capsules, self._gate, self._brain)
        if started.beginning is not None:
            self._supervisor.launch(started.turn, started.beginning)
        return _accepted(started.turn, started.status)

    async def stream(self, principal: Principal, turn_id: UUID, *, after: int = 0) -> AsyncIterator[Frame]:
        """The frames of a turn with ids above `after`, to its end, wherever it runs.
        Raises NotFound, Denied."""
        while True:
            live = self._streams.get(turn_id)
            over = False
            if live is not None and live.whole:
                await self._run(principal, require_live, principal, live.turn, self._gate)
            else:
                frames, over = await self._run(principal, committed_frames, principal, turn_id, self._gate)
                for frame in frames:
                    if frame.id > after and (live is None or frame.id < live.first_id):
                        after = frame.id
                        yield frame
            if live is not None:
                async for frame in live.follow(after):
                    after = frame.id
                    yield frame
                    if frame.event in {"turn.completed", "turn.failed"}:
                        return
            elif over:
                return
            else:
                await asyncio.sleep(POLL_SECONDS)

    async def turn(self, principal: Principal, turn_id: UUID) -> TurnView:
        """One turn. Raises NotFound, Denied."""
        return await self._run(principal, turn_view, principal, turn_id, self._gate)

    async def cancel(self, principal: Principal, turn_id: UUID) -> TurnView:
        """Ask a turn to stop. Raises NotFound, Denied."""
        view = await self._run(principal, request_cancel, principal, turn_id, self._gate)
        self._supervisor.cancel(turn_id)
        return view

    async def trace(self, principal: Principal, turn_id: UUID) -> dict[str, object]:
        """The decision trace of a turn. Raises NotFound, Denied."""
        return await self._run(
            principal,
            turn_trace,
            principal,
            turn_id,
            capsules=self._capsules,
            gate=self._gate,
            brain=self._brain,
        )

    async def conversation_trace(self, principal: Principal, conversation_id: UUID) -> dict[str, object]:
        """The decision traces of a conversation. Raises NotFound, Denied."""
        return await self._run(
            principal,
            conversation_trace,
            principal,
            conversation_id,
            capsules=self._capsules,
            gate=self._gate,
            brain=self._brain,
        )

    async def replay(
        self, principal: Principal, turn_id: UUID, mode: ReplayMode = ReplayMode.VERIFY
    ) -> ReplayReport:
        """A turn rebuilt from the log, or run again, and whether it is the same; that it was asked for is
        recorded. Raises NotFound, Denied, Conflict while it runs, NotReexecutable, Unavailable."""
        try:
            return await self._replayer.replay(principal, turn_id, mode)
        except PermissionDenied as denied:
            await self._database.run(record_denial, principal, denied.decision)
            raise

    async def learning(self, principal: Principal, agent: str, *, checkpoints: int = 20) -> dict[str, object]:
        """What the agent with this name or id has learned, with its latest checkpoints. Raises NotFound,
        Denied, InvalidInput."""
        return await self._run(
            principal,
            agent_learning,
            principal,
            agent,
            checkpoints=checkpoints,
            gate=self._gate,
            brain=self._brain,
        )

    async def roll_back(self, principal: Principal, target: RollbackTarget) -> dict[str, object]:
        """Return an agent to where `target` left it; the new checkpoint. Raises NotFound, Denied."""
        return await self._run(principal, roll_back, principal, target, gate=self._gate, brain=self._brain)

    async def feedback(
        self, principal: Principal, turn_id: UUID, said: TurnFeedback, *, idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Learn from what the caller says of a turn after it; see services.give_feedback. Raises NotFound,
        Denied, InvalidInput, Conflict."""
        return await self._run(
            principal,
            give_feedback,
            principal,
            turn_id,
            said,
            idempotency_key=idempotency_key,
            gate=self._gate,
            brain=self._brain,
        )

    async def evaluate(self, principal: Principal, request: EvaluateRequest) -> ContextBundle:
        """What a message would meet if it were sent now, and what could be done about it. Nothing is stored.

        Raises InvalidInput, LimitExceeded, NotFound, Denied, and Unavailable if memory could not be asked.
        """
        conversation = request.conversation_id
        grounds = await self._run(
            principal,
            grounds_of,
            principal,
            request,
            capsules=self._capsules,
            gate=self._gate,
            brain=self._brain,
            models=self._models,
        )
        wanted = recall_request(principal, request, grounds)
        found = await self._database.run(self._brain.recall, wanted)
        segment = None
        if conversation is not None:
            segment = await self._database.run(self._brain.segment, principal.tenant_id, conversation)
        return await context_bundle(request.query, grounds, found, segment)

    async def _run(
        self, principal: Principal, function: Callable[P, T], /, *args: P.args, **options: P.kwargs
    ) -> T:
        """Call `function` on a database thread; where relations deny it, record that."""
        try:
            return await self._database.run(function, *args, **options)
        except PermissionDenied as denied:
            await self._database.run(record_denial, principal, denied.decision)
            raise


def _accepted(turn: Turn, status: TurnStatus) -> TurnAccepted:
    return TurnAccepted(
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        status="initialized" if status is TurnStatus.RUNNING else status.value,
    )
