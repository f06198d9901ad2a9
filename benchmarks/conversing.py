"""An agent on this home's server, for benchmarks that look at turns and not at their speed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID

from benchmarks.courses import course_of
from soma.agent.api import Agent, Frame, Models
from soma.base.configuration import Configuration
from soma.base.crypto import load_or_create_secret
from soma.base.database import DatabaseThreads
from soma.base.tenancy import Principal
from soma.events.api import ConsumerRunner, PostgresEventLog, Relay
from soma.identity.api import Identity
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.api import PermissionDenied, Policy
from soma.project.bootstrap import build_agent, build_brain, build_relations

T = TypeVar("T")
DRAIN_SECONDS = 120.0
DENIED_AT_MOST = 30
ENDED = {"turn.completed", "turn.failed"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """An agent, whoever talks to it, and what has to come to rest before anything is looked at."""

    agent: Agent
    identity: Identity
    database: DatabaseThreads
    relay: Relay
    consumers: ConsumerRunner

    async def tenant(self, slug: str) -> Principal:
        """The owner of the tenant `slug`, which is made if there is none."""
        return await self.database.run(self.identity.local_owner, slug)

    async def take(
        self,
        principal: Principal,
        conversation: UUID,
        text: str,
        seed: int | None = None,
        told: Callable[[str], None] = lambda event: None,
    ) -> UUID:
        """A turn to its end; stopped at its first words where its course says so. Frames are `told`."""
        send = partial(self.agent.send_message, principal, conversation, text, seed=seed)
        accepted = await patiently(send)
        stops = seed is not None and course_of(seed) == "somebody stops it"
        async for frame in self.frames(principal, accepted.turn_id):
            told(frame.event)
            if stops and frame.event == "answer.delta":
                await patiently(partial(self.agent.cancel, principal, accepted.turn_id))
        return accepted.turn_id

    async def ended(self, principal: Principal, turn_id: UUID) -> None:
        """Wait for the end of a turn, whoever runs it."""
        async for frame in self.frames(principal, turn_id):
            if frame.event in ENDED:
                return

    async def frames(self, principal: Principal, turn_id: UUID) -> AsyncIterator[Frame]:
        """The frames of a turn, gone on with where relations did not answer in time."""
        after = 0
        for _ in range(DENIED_AT_MOST):
            try:
                async for frame in self.agent.stream(principal, turn_id, after=after):
                    after = frame.id
                    yield frame
            except PermissionDenied:
                await asyncio.sleep(1.0)
            else:
                return

    async def settle(self) -> None:
        """Events are in the log, messages are remembered."""
        for drain in (self.relay.drain, self.consumers.drain):
            if not await asyncio.to_thread(drain, DRAIN_SECONDS):
                raise RuntimeError(f"something is still owed after {DRAIN_SECONDS:g} s")


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """What `ask` gives, asked again while relations do not answer within their 100 ms, which is a denial: a
    benchmark keeps the machine busy."""
    for _ in range(DENIED_AT_MOST):
        try:
            return await ask()
        except PermissionDenied:
            await asyncio.sleep(1.0)
    return await ask()


@asynccontextmanager
async def desk(
    configuration: Configuration, models: Models, *, take_over: bool = True
) -> AsyncIterator[Desk]:
    """A desk that runs; with `take_over` it goes on with turns whose process is gone."""
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
        policy = Policy(RegoPolicyEngine())
        agent = build_agent(configuration, database, brain, policy, relations, models)
        secret = load_or_create_secret(configuration.home / "secrets" / "sessions", size=32)
        await agent.start(take_over=take_over)
        try:
            yield Desk(
                agent=agent,
                identity=Identity(secret, roles=relations),
                database=database,
                relay=relay,
                consumers=consumers,
            )
        finally:
            await agent.stop()
