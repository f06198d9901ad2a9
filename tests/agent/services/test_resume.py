"""A turn whose process is gone goes on elsewhere from its last commit."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from soma.agent.api import BUILTIN_TOOLS, ToolContext
from soma.agent.models import TurnRow
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from tests.agent.bench import Bench
from tests.agent.services.test_tools import Doing, spec
from tests.fakes.model import ScriptedModel, called, said

MakeBench = Callable[..., Bench]
ADD = ("calculator", {"expression": "2 + 40"})


class Dies:
    """Ends the turn's task at a phase of an iteration, as far as the database can tell like a killed
    process: nothing is committed afterwards. The acceptance tests kill real ones."""

    def __init__(self, phase: str, iteration: int) -> None:
        self._at = (phase, iteration)

    def phase(self, name: str, turn_id: UUID, iteration: int) -> None:
        """See PhaseObserver."""
        if (name, iteration) == self._at:
            raise SystemDied


class SystemDied(BaseException):
    """Not an Exception, so that nothing handles it."""


def resumed(dead: Bench, alive: Bench, turn_id: UUID) -> None:
    """Let `alive` take over the turn of `dead` and wait until it has finished."""
    alive.principal = dead.principal
    alive.take_over(turn_id)
    alive.frames(turn_id)


@pytest.mark.req("CHAT-004")
@pytest.mark.parametrize(
    ("phase", "iteration"),
    [
        ("started", -1),
        ("recall", 0),
        ("model", 1),
        ("tools", 1),
        ("learn", 1),
        ("committed", 2),
        ("finish", -1),
    ],
)
def test_no_iteration_is_lost_or_doubled(make_bench: MakeBench, phase: str, iteration: int) -> None:
    script = [called(ADD), called(ADD), said("It is 42.")]
    dead = make_bench(ScriptedModel(*script), observer=Dies(phase, iteration), start=False)
    turn_id = _send_and_die(dead)
    done = dead.turn(turn_id).iterations
    alive = make_bench(ScriptedModel(*script[done:] or script[-1:]))

    resumed(dead, alive, turn_id)

    turn, trace = alive.turn(turn_id), alive.trace(turn_id)
    assert (turn.status, turn.answer) == ("completed", "It is 42.")
    assert [each["iteration"] for each in trace["iterations"]] == [0, 1, 2]
    assert len(trace["attempts"]) == 2
    frames = alive.frames(turn_id)
    assert [frame.id for frame in frames] == sorted({frame.id for frame in frames})
    assert [frame.event for frame in frames].count("learn") == 3


@pytest.mark.req("CHAT-004")
def test_a_tool_that_may_have_run_is_not_run_twice(make_bench: MakeBench) -> None:
    def dies_after_paying(context: ToolContext) -> Any:
        raise SystemDied

    pay = spec("pay", idempotent=False)
    paid, not_paid = Doing("pay", dies_after_paying), Doing("pay", lambda context: {})
    dead = make_bench(ScriptedModel(called(("pay", {}))), specs=[pay], tools=[paid], start=False)
    turn_id = _send_and_die(dead)
    alive = make_bench(
        ScriptedModel(called(("pay", {})), said("Please check.")), specs=[pay], tools=[not_paid]
    )

    resumed(dead, alive, turn_id)

    record = alive.trace(turn_id)["iterations"][0]["tools"][0]
    assert len(paid.calls) == 1
    assert not_paid.calls == []
    assert record["status"] == "uncertain"
    assert "not run twice" in record["output"]


@pytest.mark.req("CHAT-004")
def test_a_tool_that_may_have_run_is_shown_when_the_turn_goes_another_way(make_bench: MakeBench) -> None:
    def dies_after_paying(context: ToolContext) -> Any:
        raise SystemDied

    specs = [spec("pay", idempotent=False), BUILTIN_TOOLS[0]]
    paid = Doing("pay", dies_after_paying)
    model = ScriptedModel(called(("pay", {"sum": 5})))
    dead = make_bench(model, specs=specs, tools=[paid], start=False)
    turn_id = _send_and_die(dead)
    alive = make_bench(ScriptedModel(called(ADD), said("It is 42.")), specs=specs)

    resumed(dead, alive, turn_id)

    trace = alive.trace(turn_id)
    assert alive.turn(turn_id).answer == "It is 42."
    assert [tool["tool"] for tool in trace["iterations"][0]["tools"]] == ["calculator"]
    assert [(each["tool"], each["arguments"]) for each in trace["unfinished_tools"]] == [("pay", {"sum": 5})]


@pytest.mark.req("CHAT-004")
def test_whoever_lost_the_lease_commits_nothing_more(make_bench: MakeBench) -> None:
    model = ScriptedModel(said("Too late."))
    bench = make_bench(model, start=False)
    model.holding = bench.desk.portal.call(_event)

    async def steal_in_time() -> UUID:
        turn_id = (await bench.agent.send_message(bench.principal, bench.conversation, "Hello.")).turn_id
        await bench.desk.database.run(_give_away, bench.tenant, turn_id)
        stream = bench.agent._streams.get(turn_id)
        assert stream is not None and model.holding is not None
        model.holding.set()
        async for _ in stream.follow(0):
            pass
        return turn_id

    turn = bench.turn(bench.desk.portal.call(steal_in_time))
    assert (turn.status, turn.iterations) == ("running", 0)


def _give_away(tenant: UUID, turn_id: UUID) -> None:
    with tenant_transaction(tenant):
        TurnRow.objects.filter(id=turn_id).update(lease_owner=str(new_id()))


def _send_and_die(dead: Bench) -> UUID:
    async def run() -> UUID:
        turn_id = (
            await dead.agent.send_message(dead.principal, dead.conversation, "What is 2 + 40?")
        ).turn_id
        async for _ in dead.agent._streams.get(turn_id).follow(0):  # type: ignore[union-attr]
            pass
        return turn_id

    return dead.desk.portal.call(run)


async def _event() -> asyncio.Event:
    return asyncio.Event()
