"""Running the tools that a model asked for.

relations → policy → schema → breaker → execute, at most four at once. Anything but a clear yes from
relations and policy is a no. A refused call is recorded and told to the model, and the turn goes on.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema_rs

from soma.agent.domain.breaker import CircuitBreaker
from soma.agent.domain.capsule import Capsule
from soma.agent.domain.frames import done_data, intent_data
from soma.agent.domain.tool import (
    MAXIMUM_OUTPUT_BYTES,
    ToolCall,
    ToolExecution,
    ToolSpec,
    ToolStatus,
)
from soma.agent.domain.turn import Turn
from soma.agent.errors import ToolFailed
from soma.agent.ports import ToolContext, ToolPort
from soma.agent.services.record_intent import record_intent, started_before
from soma.agent.services.relate import may_execute
from soma.agent.services.streams import TurnStream
from soma.agent.services.tool_input import tool_input
from soma.base import clock
from soma.base.canonical import json_bytes
from soma.base.database import DatabaseThreads, tenant_transaction
from soma.policy.api import PermissionDecision, Policy, Relations

Permissions = Mapping[str, PermissionDecision]
"""By the names of tools: may they be executed for whoever began the turn?"""

CONCURRENT = 4
MAXIMUM_TIMEOUT_SECONDS = 60.0


class ToolRunner:
    """The tools of this process, with a breaker for each."""

    def __init__(
        self,
        tools: Sequence[ToolPort],
        policy: Policy,
        relations: Relations,
        database: DatabaseThreads,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._policy = policy
        self._relations = relations
        self._database = database
        self._breakers = {tool.name: CircuitBreaker() for tool in tools}
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    async def permissions(self, turn: Turn, capsule: Capsule) -> Permissions:
        """What relations say of every tool of the capsule, asked together. See `run`."""

        def decided() -> Permissions:
            checks = [may_execute(turn.principal, tool.name) for tool in capsule.tools]
            with tenant_transaction(turn.principal.tenant_id):
                decisions = self._relations.check_bulk(turn.principal.tenant_id, checks)
            return {tool.name: each for tool, each in zip(capsule.tools, decisions, strict=True)}

        return await self._database.run(decided)

    async def run(
        self,
        turn: Turn,
        capsule: Capsule,
        iteration: int,
        calls: Sequence[ToolCall],
        stream: TurnStream,
        permissions: Permissions,
        *,
        haste: float = 1.0,
    ) -> tuple[ToolExecution, ...]:
        """Execute `calls` and return what came of each, in order. A tool that is not in `permissions` is
        denied. `haste` is the share of its time that each has."""
        slots = asyncio.Semaphore(CONCURRENT)
        attempts = [
            _Attempt(turn, capsule, iteration, position, call, haste) for position, call in enumerate(calls)
        ]
        if attempts:
            # The policy may be a server: nobody else waits for its answer.
            await self._database.run(self._decide_all, attempts, permissions)
        for attempt in attempts:
            stream.emit(
                "tool.intent",
                intent_data(attempt.call, allowed=attempt.refusal is None, reasons=attempt.reasons),
                attempt.position,
            )

        async def one(attempt: _Attempt) -> ToolExecution:
            async with slots:
                execution = await self._execute(attempt)
            stream.emit("tool.done", done_data(execution), attempt.position)
            return execution

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(attempt)) for attempt in attempts]
        return tuple(task.result() for task in tasks)

    def _decide_all(self, attempts: Sequence["_Attempt"], permissions: Permissions) -> None:
        for attempt in attempts:
            self._decide(attempt, permissions.get(attempt.call.tool))

    def _decide(self, attempt: "_Attempt", permission: PermissionDecision | None) -> None:
        if attempt.spec is None:
            attempt.refuse(ToolStatus.DENIED, f"{attempt.call.tool} is not a tool of this agent")
            return
        if permission is None or not permission.allow:
            attempt.refuse(ToolStatus.DENIED, permission.reason if permission else "relations were not asked")
            return
        attempt.reasons = (permission.reason,)
        decision = self._policy.decide(
            tool_input(attempt.turn.principal, attempt.capsule, attempt.spec, attempt.iteration)
        )
        attempt.policy_hash = decision.policy_hash or ""
        if not decision.allow:
            attempt.refuse(ToolStatus.DENIED, *(decision.reasons or ("policy denied the call",)))
            return
        problem = self._problem(f"{attempt.spec.name}/in", attempt.spec.input_schema, attempt.call.arguments)
        if problem:
            attempt.refuse(ToolStatus.ERROR, f"the arguments do not fit: {problem}")

    async def _execute(self, attempt: "_Attempt") -> ToolExecution:
        tool = self._tools.get(attempt.call.tool)
        breaker = self._breakers.get(attempt.call.tool)
        if attempt.refusal is None and (tool is None or breaker is None or attempt.spec is None):
            attempt.refuse(ToolStatus.ERROR, f"no adapter for {attempt.call.tool} runs here")
        elif attempt.refusal is None and breaker is not None and not breaker.allows(time.monotonic()):
            attempt.refuse(ToolStatus.BREAKER_OPEN, f"{attempt.call.tool} failed too often and rests")
        elif attempt.refusal is None and not await self._may_start(attempt):
            attempt.refuse(
                ToolStatus.UNCERTAIN,
                f"{attempt.call.tool} may have run before an interruption; it is not run twice",
            )
        if attempt.refusal is not None or tool is None or breaker is None or attempt.spec is None:
            return attempt.refused()
        status, output = await self._call(tool, attempt.spec, attempt)
        if status is ToolStatus.OK:
            breaker.succeeded()
        else:
            breaker.failed(time.monotonic())
        return attempt.done(status, output)

    async def _may_start(self, attempt: "_Attempt") -> bool:
        """Record the intent of a call that must not run twice, unless an earlier attempt did."""
        if attempt.spec is None or attempt.spec.idempotent:
            return True
        if await self._database.run(started_before, attempt.turn, attempt.call.tool):
            return False
        await self._database.run(
            record_intent, attempt.turn, attempt.iteration, attempt.position, attempt.call, attempt.key
        )
        return True

    async def _call(self, tool: ToolPort, spec: ToolSpec, attempt: "_Attempt") -> tuple[ToolStatus, Any]:
        timeout = attempt.haste * min(spec.timeout_seconds, MAXIMUM_TIMEOUT_SECONDS)
        try:
            async with asyncio.timeout(timeout):
                output = await tool.execute(attempt.call.arguments, attempt.context())
        except TimeoutError:
            return ToolStatus.TIMEOUT, f"no answer within {timeout:g} s"
        except ToolFailed as error:
            return ToolStatus.ERROR, error.detail
        except Exception as error:  # noqa: BLE001 - a tool is foreign code: its failure is a recorded result
            return ToolStatus.ERROR, f"{type(error).__name__}: {error}"
        problem = self._problem(f"{spec.name}/out", spec.output_schema, output)
        if problem:
            return ToolStatus.ERROR, f"the tool's answer does not fit its schema: {problem}"
        size = len(json_bytes(output))
        if size > MAXIMUM_OUTPUT_BYTES:
            return ToolStatus.ERROR, f"the answer is {size} bytes; the limit is {MAXIMUM_OUTPUT_BYTES} bytes"
        return ToolStatus.OK, output

    def _problem(self, key: str, schema: dict[str, Any], value: Any) -> str | None:
        validator = self._validators.get(key)
        if validator is None:
            validator = self._validators[key] = jsonschema_rs.validator_for(schema)
        error = next(iter(validator.iter_errors(value)), None)
        return None if error is None else error.message


class _Attempt:
    """One call on its way to an execution."""

    def __init__(
        self, turn: Turn, capsule: Capsule, iteration: int, position: int, call: ToolCall, haste: float
    ) -> None:
        self.haste = haste
        self.turn = turn
        self.capsule = capsule
        self.iteration = iteration
        self.position = position
        self.call = call
        self.spec = capsule.tool(call.tool)
        self.policy_hash = ""
        self.refusal: ToolStatus | None = None
        self.reasons: tuple[str, ...] = ()
        self.key = f"{turn.id}:{iteration}:{position}"
        self._started_at = clock.now()
        self._clock = time.perf_counter()

    def refuse(self, status: ToolStatus, *reasons: str) -> None:
        self.refusal, self.reasons = status, reasons

    def refused(self) -> ToolExecution:
        assert self.refusal is not None  # noqa: S101 - narrows the type; the caller has just checked
        return self.done(self.refusal, "; ".join(self.reasons))

    def done(self, status: ToolStatus, output: Any) -> ToolExecution:
        return ToolExecution(
            call=self.call,
            status=status,
            output=output,
            reasons=self.reasons,
            policy_hash=self.policy_hash,
            latency_ms=round((time.perf_counter() - self._clock) * 1000, 3),
            idempotency_key=self.key,
            started_at=self._started_at,
            completed_at=clock.now(),
        )

    def context(self) -> ToolContext:
        return ToolContext(
            tenant_id=self.turn.principal.tenant_id,
            user_id=self.turn.principal.user_id,
            agent_id=self.turn.agent_id,
            conversation_id=self.turn.conversation_id,
            turn_id=self.turn.id,
            input_hash=self.turn.input_hash,
            idempotency_key=self.key,
        )
