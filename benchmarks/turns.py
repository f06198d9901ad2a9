"""Our turn: everything real but the model."""

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from uuid import UUID

from benchmarks.contender import ITERATIONS, TurnTimes
from benchmarks.zero_cost_model import ZeroCostModel
from soma.agent.api import Agent, Models
from soma.base.configuration import Configuration
from soma.base.crypto import load_or_create_secret
from soma.base.database import DatabaseThreads
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.events.api import ConsumerRunner, PostgresEventLog, Relay
from soma.identity.api import Identity
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.api import Policy
from soma.project.bootstrap import build_agent, build_brain, build_relations
from soma.project.postgres_location import DATABASE

DRAIN_SECONDS = 60.0


class SomaTurns:
    """A Contender. Each set of conversations has a tenant of its own, so that no round recalls another's."""

    name = "somastack"
    database = DATABASE
    background: tuple[str, ...] = ()

    def __init__(
        self,
        agent: Agent,
        identity: Identity,
        database: DatabaseThreads,
        relay: Relay,
        consumers: ConsumerRunner,
    ) -> None:
        self._agent = agent
        self._identity = identity
        self._threads = database
        self._relay = relay
        self._consumers = consumers
        self._numbers = itertools.count(1)
        self._principals: dict[str, Principal] = {}

    async def open(self, count: int) -> list[str]:
        """See Contender. One turn is spent to certify the tenant's agent."""
        slug = f"bench-{new_id().hex}"
        await self._threads.run(self._identity.create_tenant, slug, slug)
        principal = await self._threads.run(self._identity.local_owner, slug)
        first, *opened = [
            str((await self._agent.create_conversation(principal)).id) for _ in range(count + 1)
        ]
        self._principals |= dict.fromkeys([first, *opened], principal)
        await self.turn(first, "What is 12 * 7?")
        await self.settle()
        return opened

    async def turn(self, conversation: str, text: str) -> TurnTimes:
        """See Contender."""
        principal, started, marks = self._principals[conversation], time.perf_counter(), []
        accepted = await self._agent.send_message(
            principal, UUID(conversation), text, seed=next(self._numbers)
        )
        tools, last = 0, ""
        async for frame in self._agent.stream(principal, accepted.turn_id):
            last = frame.event
            tools += last == "tool.done" and frame.data["status"] == "ok"
            if last == "learn":
                marks.append(time.perf_counter())
        ended = time.perf_counter()
        if (last, len(marks), tools) != ("turn.completed", ITERATIONS, ITERATIONS - 1):
            raise RuntimeError(
                f"the turn ended with {last} after {len(marks)} iterations and {tools} tool calls"
            )
        return TurnTimes(
            turn=(ended - started) * 1000,
            iterations=tuple((b - a) * 1000 for a, b in itertools.pairwise([started, *marks])),
        )

    async def settle(self) -> None:
        """See Contender: events are in the log, messages are remembered."""
        for drain in (self._relay.drain, self._consumers.drain):
            if not await self._threads.run(drain, DRAIN_SECONDS):
                raise RuntimeError(f"something is still owed after {DRAIN_SECONDS:g} s")


@asynccontextmanager
async def soma_turns(configuration: Configuration) -> AsyncIterator[SomaTurns]:
    """The contender on this home's server, which is provisioned and runs."""
    with ExitStack() as stack:
        database = DatabaseThreads()
        stack.callback(database.close)
        brain = build_brain(configuration)
        log = PostgresEventLog()
        relay, consumers = Relay(log), ConsumerRunner(log, [brain.consolidation()])
        for part in (relay, consumers):
            part.start()
            stack.callback(part.stop)
        relations = build_relations(configuration)
        stack.callback(relations.close)
        agent = build_agent(
            configuration,
            database,
            brain,
            Policy(RegoPolicyEngine()),
            relations,
            Models(primary=ZeroCostModel()),
        )
        secret = load_or_create_secret(configuration.home / "secrets" / "sessions", size=32)
        identity = Identity(secret, roles=relations)
        await agent.start()
        try:
            yield SomaTurns(agent, identity, database, relay, consumers)
        finally:
            await agent.stop()
