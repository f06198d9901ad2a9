"""The wiring: which adapter stands behind which port, and in what order things start and stop."""

import asyncio
import importlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from soma.agent.adapters.tool_calculator import CalculatorTool
from soma.agent.adapters.tool_clock import ClockTool
from soma.agent.adapters.tool_memory_recall import MemoryRecallTool
from soma.agent.api import (
    BUILTIN_TOOLS,
    SYSTEM_PROMPT,
    Agent,
    Capsules,
    IterationRunner,
    LiveEffects,
    Models,
    ToolRunner,
    TurnRunner,
)
from soma.base.configuration import Configuration, DeploymentMode
from soma.base.crypto import SigningKey, load_or_create_secret
from soma.base.database import DatabaseThreads
from soma.base.errors import InvalidInput, Unavailable
from soma.base.ids import new_id
from soma.base.phases import PhaseObserver
from soma.brain.adapters.document_reader_process import ProcessDocumentReader
from soma.brain.adapters.embedder_recent import RecentEmbedder
from soma.brain.api import Brain, CapsuleLimits, Embedder, MemoryCapsules, WorkingSettings
from soma.events.api import (
    AuditTrail,
    ConsumerRunner,
    EventLog,
    PostgresEventLog,
    Relay,
    Retention,
)
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, VectorStore
from soma.identity.adapters.key_value_store_postgres import PostgresKeyValueStore
from soma.identity.adapters.rate_windows_fallback import FallbackRateWindows
from soma.identity.api import Idempotency, Identity, RateLimits, RateRules, SessionCache
from soma.interfaces import runtime as installed
from soma.interfaces.metrics import MetricsObserver, RelationMetrics
from soma.interfaces.runtime import Runtime
from soma.policy.adapters.policy_engine_opa import OpaPolicyEngine
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.adapters.relation_store_postgres import PostgresRelationStore
from soma.policy.api import Policy, PolicyEngine, Relations
from soma.project.database import start_database
from soma.project.event_log import open_event_log
from soma.project.learning_settings import learning_settings
from soma.project.memory_settings import memory_guard, memory_quotas
from soma.project.models import close_models, embedding_model, language_models, load_all
from soma.project.readiness import (
    memory_check,
    milvus_check,
    policy_check,
    postgres_check,
    readiness,
    redis_check,
    relations_check,
    relay_check,
)

if TYPE_CHECKING:
    from soma.identity.adapters.key_value_store_redis import RedisKeyValueStore

DRAIN_SECONDS = 20.0

logger = logging.getLogger("soma.project")


@asynccontextmanager
async def open_runtime(
    configuration: Configuration, progress: Callable[[str], None], *, serve: bool, talks: bool = False
) -> AsyncIterator[Runtime]:
    """Start everything, tell each step to `progress`, and stop everything afterwards.

    Models are loaded when they are first needed, and at once in a process that serves or `talks`.
    A process that does not serve settles what its turns owe before it ends: relayed events, remembered
    messages. One that serves leaves the rest of its queues to its next start.
    """
    async with AsyncExitStack() as stack:
        database = await start_database(configuration, progress, stack)
        models, embedder = language_models(configuration), embedding_model(configuration)
        stack.push_async_callback(close_models, models)
        # They load while the rest starts: both take most of a second.
        loading = asyncio.create_task(load_all(models, embedder)) if serve or talks else None
        if loading is not None:
            stack.push_async_callback(asyncio.wait, [loading])
        policy = Policy(_policy_engine(configuration, stack))
        brain = build_brain(configuration, policy, embedder)
        brain.start()
        stack.callback(brain.stop)
        documents = brain.documents(ProcessDocumentReader())
        documents.start(take_over=serve)
        stack.callback(documents.stop)
        progress("Reading the relations")
        relations = await asyncio.to_thread(build_relations, configuration)
        stack.callback(relations.close)
        redis = _redis(configuration, stack)
        log = open_event_log(configuration, stack)
        audit = AuditTrail(log, SigningKey.load_or_create(configuration.home / "secrets" / "audit_key"))
        relay, consumers = _start_events(log, brain, audit)
        stack.callback(relay.stop)
        stack.callback(consumers.stop)
        if serve:
            retention = Retention(
                log, consumers, signer=audit.signer, days=configuration.event_retention_days
            )
            retention.start()
            stack.callback(retention.stop)
        if loading is not None:
            progress("Loading the models")
            await loading
        agent = build_agent(
            configuration,
            database,
            brain,
            policy,
            relations,
            models,
            degradations=_degradations(relay),
            log=log,
        )
        await agent.start(take_over=serve)
        if not serve:
            stack.push_async_callback(_settle, relay, consumers)
        stack.push_async_callback(agent.stop)
        runtime = Runtime(
            configuration=configuration,
            agent=agent,
            brain=brain,
            documents=documents,
            memory_capsules=_memory_capsules(configuration, brain),
            identity=_identity(configuration, redis, relations),
            # In the database wherever there is Redis too: an answer must not be forgotten.
            idempotency=Idempotency(PostgresKeyValueStore()),
            rates=_rates(configuration, redis),
            policy=policy,
            relations=relations,
            log=log,
            audit=audit,
            relay=relay,
            consumers=consumers,
            readiness=readiness(
                {
                    "postgres": postgres_check,
                    "relay": relay_check(relay),
                    "memory": memory_check(consumers, brain.consolidation().name),
                    "policy": policy_check(policy),
                    "relations": relations_check(relations),
                    **({"redis": redis_check(redis)} if redis else {}),
                    **(
                        {"milvus": milvus_check(configuration.milvus_url)} if configuration.milvus_url else {}
                    ),
                }
            ),
            database=database,
        )
        installed.install(runtime)
        stack.callback(installed.install, None)
        yield runtime


def build_brain(
    configuration: Configuration, policy: Policy | None = None, embedder: Embedder | None = None
) -> Brain:
    """The brain on the `embedder`, without one on MiniLM, and on pgvector or the Milvus that the
    configuration names. Without a `policy` nobody is asked who may remember: for measurements."""
    memory = FractalMemory(_vector_store(configuration), memory_quotas(configuration))
    return Brain(
        memory,
        RecentEmbedder(embedder or embedding_model(configuration)),
        guard=memory_guard(configuration, policy),
        retention_days=configuration.memory_retention_days,
        working=WorkingSettings(capacity=configuration.working_memory),
        learning=learning_settings(configuration),
        key=_signing_key(configuration),
        observer=_observer(configuration),
    )


def build_agent(
    configuration: Configuration,
    database: DatabaseThreads,
    brain: Brain,
    policy: Policy,
    relations: Relations,
    models: Models,
    *,
    degradations: Callable[[], tuple[str, ...]] = tuple,
    log: EventLog | None = None,
) -> Agent:
    """The agent with its tools, on `models`. `degradations`: see TurnRunner. Turns are replayed from `log`,
    by default the one in PostgreSQL."""
    observer = _observer(configuration)
    capsules = Capsules(
        _signing_key(configuration),
        BUILTIN_TOOLS,
        SYSTEM_PROMPT,
        relations,
    )
    tools = ToolRunner(
        [CalculatorTool(), ClockTool(), MemoryRecallTool(brain, database)], policy, relations, database
    )
    effects = LiveEffects(database=database, brain=brain, tools=tools)
    iterations = IterationRunner(effects=effects, models=models, observer=observer)
    return Agent(
        database=database,
        policy=policy,
        relations=relations,
        capsules=capsules,
        brain=brain,
        models=models,
        runner=TurnRunner(
            database=database,
            brain=brain,
            capsules=capsules,
            iterations=iterations,
            observer=observer,
            degradations=degradations,
        ),
        owner=f"{socket.gethostname()}:{os.getpid()}:{new_id()}",
        log=log or PostgresEventLog(),
        rlm=configuration.enable_rlm,
    )


def _signing_key(configuration: Configuration) -> SigningKey:
    return SigningKey.load_or_create(configuration.home / "secrets" / "signing_key")


def _memory_capsules(configuration: Configuration, brain: Brain) -> MemoryCapsules:
    limits = CapsuleLimits(
        bytes=configuration.capsule_bytes,
        blocks=configuration.capsule_blocks,
        tenant_capsules=configuration.tenant_capsules,
        tenant_bytes=configuration.tenant_capsule_bytes,
        tenant_blocks=configuration.tenant_capsule_blocks,
    )
    return brain.memory_capsules(_signing_key(configuration), limits)


def build_relations(configuration: Configuration) -> Relations:
    """Relations resolved in Postgres, or answered by the SpiceDB that the configuration names."""
    if not configuration.spicedb_address:
        return Relations(PostgresRelationStore(), RelationMetrics())
    # gRPC is heavy, and not there at all in an installation without the servers' clients.
    from soma.policy.adapters.relation_store_spicedb import SpiceDbRelationStore

    store = SpiceDbRelationStore(configuration.spicedb_address, configuration.spicedb_token)
    store.start()
    return Relations(store, RelationMetrics())


def _vector_store(configuration: Configuration) -> VectorStore:
    if not configuration.milvus_url:
        return PgvectorStore()
    from soma.fractalmemory.adapters.vector_store_milvus import MilvusStore

    return MilvusStore(configuration.milvus_url)


def _start_events(log: EventLog, brain: Brain, audit: AuditTrail) -> tuple[Relay, ConsumerRunner]:
    relay = Relay(log, signer=audit.signer)
    consumers = ConsumerRunner(log, [brain.consolidation(), brain.links.usage()])
    relay.start()
    consumers.start()
    return relay, consumers


def _degradations(relay: Relay) -> Callable[[], tuple[str, ...]]:
    """What turns go on without, known without asking anybody."""

    def told() -> tuple[str, ...]:
        error = relay.status().last_error
        return (f"events: they wait in the outbox ({error})",) if error else ()

    return told


async def _settle(relay: Relay, consumers: ConsumerRunner) -> None:
    """Wait for both where that is of use: what a log that is down is owed waits in the outbox."""
    if await asyncio.to_thread(relay.drain, DRAIN_SECONDS, patient=False):
        with suppress(Unavailable):
            await asyncio.to_thread(consumers.drain, DRAIN_SECONDS, patient=False)


def _identity(
    configuration: Configuration, redis: "RedisKeyValueStore | None", relations: Relations
) -> Identity:
    secret = load_or_create_secret(configuration.home / "secrets" / "sessions", size=32)
    return Identity(secret, roles=relations, cache=SessionCache(redis) if redis else None)


def _rates(configuration: Configuration, redis: "RedisKeyValueStore | None") -> RateLimits:
    windows = PostgresKeyValueStore()
    rules = RateRules(
        requests=configuration.rate_requests,
        tenant_requests=configuration.rate_tenant_requests,
        turns=configuration.rate_turns,
        sessions=configuration.rate_sessions,
    )
    return RateLimits(FallbackRateWindows(redis, windows) if redis else windows, rules)


def _redis(configuration: Configuration, stack: AsyncExitStack) -> "RedisKeyValueStore | None":
    if not configuration.redis_url:
        return None
    from soma.identity.adapters.key_value_store_redis import RedisKeyValueStore

    store = RedisKeyValueStore(configuration.redis_url)
    stack.callback(store.close)
    return store


def _policy_engine(configuration: Configuration, stack: AsyncExitStack) -> PolicyEngine:
    if not configuration.opa_url:
        return RegoPolicyEngine(configuration.policy_directory)
    engine = OpaPolicyEngine(configuration.opa_url)
    stack.callback(engine.close)
    return engine


def _observer(configuration: Configuration) -> PhaseObserver:
    """The metrics, or in test mode whatever `SOMAGENT_PHASE_OBSERVER` names as module:attribute."""
    if not configuration.phase_observer:
        return MetricsObserver()
    if configuration.deployment_mode is not DeploymentMode.TEST:
        raise InvalidInput("SOMAGENT_PHASE_OBSERVER is for SOMAGENT_DEPLOYMENT_MODE=test only")
    module, _, attribute = configuration.phase_observer.partition(":")
    observer: PhaseObserver = getattr(importlib.import_module(module), attribute)()
    return observer
