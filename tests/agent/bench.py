"""An agent with its engines, driven from a test."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from anyio.from_thread import BlockingPortal

from soma.agent.adapters.tool_calculator import CalculatorTool
from soma.agent.adapters.tool_clock import ClockTool
from soma.agent.adapters.tool_memory_recall import MemoryRecallTool
from soma.agent.api import (
    BUILTIN_TOOLS,
    SYSTEM_PROMPT,
    Agent,
    Capsules,
    Frame,
    IterationRunner,
    LiveEffects,
    LoopSettings,
    ModelPort,
    Models,
    ReplayMode,
    ReplayReport,
    ToolPort,
    ToolRunner,
    ToolSpec,
    TurnRunner,
    TurnView,
)
from soma.agent.domain.turn import Turn
from soma.agent.models import TurnRow
from soma.agent.services.gate import Gate
from soma.agent.services.leases import claim
from soma.agent.services.replay.replay_turn import Replayer
from soma.agent.services.rows import turn_of
from soma.base.canonical import json_value
from soma.base.crypto import SigningKey
from soma.base.database import WORKER, DatabaseThreads, tenant_transaction, worker_transaction
from soma.base.ids import new_id
from soma.base.phases import PhaseObserver, Unobserved
from soma.base.tenancy import Principal
from soma.brain.api import Brain
from soma.events.api import EventLog, PostgresEventLog, Relay
from soma.events.models import EventLogEntry, OutboxMessage
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.adapters.relation_store_postgres import PostgresRelationStore
from soma.policy.api import Policy, Relations
from soma.project.bootstrap import build_brain
from soma.project.configuration import CONFIGURATION

T = TypeVar("T")
THREADS = 4


class Desk:
    """The engines that the agents of a run share."""

    def __init__(self, portal: BlockingPortal) -> None:
        self.portal = portal
        self.database = DatabaseThreads(THREADS)
        self.brain = build_brain(CONFIGURATION)
        self.policy = Policy(RegoPolicyEngine())
        self.relations = Relations(PostgresRelationStore())
        self.key = SigningKey.from_seed(b"k" * 32)

    def close(self) -> None:
        """End the database threads."""
        self.database.close()


class Bench:
    """One agent and one person who talks to it."""

    def __init__(
        self,
        desk: Desk,
        tenant: UUID,
        model: ModelPort,
        *,
        fallback: ModelPort | None = None,
        fast: ModelPort | None = None,
        loop: LoopSettings | None = None,
        specs: Sequence[ToolSpec] = BUILTIN_TOOLS,
        tools: Sequence[ToolPort] = (),
        rlm: bool = True,
        roles: tuple[str, ...] = ("owner",),
        observer: PhaseObserver | None = None,
        brain: Brain | None = None,
        policy: Policy | None = None,
        start: bool = True,
        log: EventLog | None = None,
    ) -> None:
        self.desk = desk
        self.tenant = tenant
        self.owner = str(new_id())
        self.principal = Principal(
            tenant_id=tenant, user_id=new_id(), session_id=new_id(), roles=roles, trace_id="0" * 31 + "1"
        )
        self._give_roles()
        self.capsules = Capsules(desk.key, specs, SYSTEM_PROMPT, desk.relations)
        self.log: EventLog = PostgresEventLog() if log is None else log
        self.agent = self._agent(
            Models(primary=model, fallback=fallback, fast=fast), tools, rlm, observer, brain, policy
        )
        self.capsules.ensure_default(tenant)
        name = None
        if loop is not None:
            name = "special"
            self.capsules.create(tenant, name, loop)
        if start:
            self.call(self.agent.start, take_over=False)
        self._started = start
        self.conversation = self.call(self.agent.create_conversation, self.principal, agent=name).id

    def _agent(
        self,
        models: Models,
        tools: Sequence[ToolPort],
        rlm: bool,
        observer: PhaseObserver | None,
        brain: Brain | None,
        policy: Policy | None,
    ) -> Agent:
        desk, watch = self.desk, observer or Unobserved()
        brain, policy = brain or desk.brain, policy or desk.policy
        adapters: list[ToolPort] = [
            CalculatorTool(),
            ClockTool(),
            MemoryRecallTool(brain, desk.database),
            *tools,
        ]
        runner = TurnRunner(
            database=desk.database,
            brain=brain,
            capsules=self.capsules,
            observer=watch,
            iterations=IterationRunner(
                effects=LiveEffects(
                    database=desk.database,
                    brain=brain,
                    tools=ToolRunner(adapters, policy, desk.relations, desk.database),
                ),
                models=models,
                observer=watch,
            ),
        )
        return Agent(
            database=desk.database,
            policy=policy,
            relations=desk.relations,
            capsules=self.capsules,
            brain=brain,
            models=models,
            runner=runner,
            owner=self.owner,
            log=self.log,
            rlm=rlm,
        )

    def _give_roles(self) -> None:
        """As identity does for the users that it makes."""
        with tenant_transaction(self.tenant):
            for role in self.principal.roles:
                self.desk.relations.give_role(self.tenant, self.principal.user_id, role)

    def call(self, function: Callable[..., Awaitable[T]], *args: Any, **options: Any) -> T:
        """Await `function` on the loop's thread."""

        async def run() -> T:
            return await function(*args, **options)

        return self.desk.portal.call(run)

    def send(self, text: str, **options: Any) -> UUID:
        """Send a message; the turn's id."""
        return self.call(self.agent.send_message, self.principal, self.conversation, text, **options).turn_id

    def frames(self, turn_id: UUID, *, after: int = 0) -> list[Frame]:
        """All frames of a turn with ids above `after`, once it has ended."""

        async def gather() -> list[Frame]:
            return [frame async for frame in self.agent.stream(self.principal, turn_id, after=after)]

        return self.call(gather)

    def ask(self, text: str, **options: Any) -> TurnView:
        """Send a message and wait for the end of its turn."""
        turn_id = self.send(text, **options)
        self.frames(turn_id)
        return self.turn(turn_id)

    def turn(self, turn_id: UUID) -> TurnView:
        """The turn as it stands."""
        return self.call(self.agent.turn, self.principal, turn_id)

    def trace(self, turn_id: UUID) -> dict[str, Any]:
        """The decision trace."""
        return self.call(self.agent.trace, self.principal, turn_id)

    def replay(
        self, turn_id: UUID, mode: ReplayMode = ReplayMode.VERIFY, *, by: Replayer | None = None
    ) -> ReplayReport:
        """The turn replayed by the agent or `by` another, once whatever has to be relayed is in the log."""
        relay = Relay(self.log)
        relay.start()
        try:
            assert relay.drain(30)
            replay = self.agent.replay if by is None else by.replay
            return self.call(replay, self.principal, turn_id, mode)
        finally:
            relay.stop()

    def replayer(self, model: ModelPort, *, settle_seconds: float = 0.0) -> Replayer:
        """One that runs turns again on `model`, and does not wait for a log that lacks something."""
        return Replayer(
            database=self.desk.database,
            log=self.log,
            brain=self.desk.brain,
            models=Models(primary=model),
            gate=Gate(self.desk.relations, self.desk.policy),
            settle_seconds=settle_seconds,
        )

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and payload of every event of the tenant, relayed or not: a relay of another test may be
        at work."""
        with tenant_transaction(self.tenant):
            waiting = OutboxMessage.objects.values_list("event_id", "type", "payload")
            found = {each: (name, _json(payload)) for each, name, payload in waiting}
            logged = EventLogEntry.objects.values_list("event_id", "type", "payload")
            found |= {each: (name, _json(payload)) for each, name, payload in logged}
        return [found[event_id] for event_id in sorted(found)]

    def on_every_thread(self, function: Callable[[], None]) -> None:
        """Call `function` once on each database thread."""
        meeting = threading.Barrier(THREADS)

        def meet() -> None:
            meeting.wait(10)
            function()

        async def all_at_once() -> None:
            await asyncio.gather(*(self.desk.database.run(meet) for _ in range(THREADS)))

        self.call(all_at_once)

    def take_over(self, turn_id: UUID) -> None:
        """Resume a turn of a dead process; its lease is claimed in one step, so nobody else gets it."""

        def claimed() -> Turn:
            with worker_transaction():
                row = TurnRow.objects.using(WORKER).select_for_update().get(id=turn_id)
                claim(row, self.owner)
                return turn_of(row)

        async def launch() -> None:
            self.agent._supervisor.launch(await self.desk.database.run(claimed))

        self.call(launch)

    def close(self) -> None:
        """Stop the agent."""
        if self._started:
            self.call(self.agent.stop)


def _json(payload: Any) -> dict[str, Any]:
    value: dict[str, Any] = json_value(payload) if isinstance(payload, str) else payload
    return value
