"""Tools in a turn: allowed, denied, failing, resting, uncertain."""

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from soma.agent.api import BUILTIN_TOOLS, ToolContext, ToolFailed, ToolSpec
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.api import Policy
from tests.agent.bench import Bench
from tests.fakes.model import ScriptedModel, called, said

MakeBench = Callable[..., Bench]
CALCULATOR = BUILTIN_TOOLS[0]
ANY = {"type": "object"}


def spec(name: str, **changes: Any) -> ToolSpec:
    """A tool that takes and gives any object."""
    plain = ToolSpec(name=name, description=name, input_schema=ANY, output_schema=ANY, idempotent=True)
    return dataclasses.replace(plain, **changes)


class Doing:
    """A tool that does what a test says."""

    def __init__(self, name: str, action: Callable[[ToolContext], Any]) -> None:
        self.name = name
        self.calls: list[ToolContext] = []
        self._action = action

    async def execute(self, arguments: dict[str, Any], context: ToolContext) -> Any:
        """See ToolPort."""
        self.calls.append(context)
        result = self._action(context)
        return await result if asyncio.iscoroutine(result) else result


def failing(context: ToolContext) -> Any:
    """Fails as tools do."""
    raise ToolFailed("out of paper")


def tools_of(bench: Bench, turn_id: Any) -> list[dict[str, Any]]:
    """The tool records of a turn's trace."""
    return [tool for each in bench.trace(turn_id)["iterations"] for tool in each["tools"]]


@pytest.mark.req("TOOL-001")
def test_a_native_model_is_offered_the_enabled_tools_of_its_capsule(make_bench: MakeBench) -> None:
    model = ScriptedModel(said("Hello."))
    off = spec("printer", enabled=False)
    make_bench(model, specs=[CALCULATOR, off]).ask("Hello")

    assert [tool.name for tool in model.requests[0].tools] == ["calculator"]


@pytest.mark.req("TOOL-003")
@pytest.mark.parametrize("tool", ["printer", "unknown"])
def test_a_tool_that_is_off_or_unknown_is_denied_and_the_turn_goes_on(
    make_bench: MakeBench, tool: str
) -> None:
    printer = Doing("printer", lambda context: {})
    model = ScriptedModel(called((tool, {})), said("I could not."))
    bench = make_bench(model, specs=[CALCULATOR, spec("printer", enabled=False)], tools=[printer])

    turn = bench.ask("Print this.")

    record = tools_of(bench, turn.id)[0]
    assert (record["status"], record["decision"]) == ("denied", "deny")
    assert record["reasons"]
    assert turn.answer == "I could not."
    assert printer.calls == []
    assert "gave no result" in model.requests[1].messages[-1].content


@pytest.mark.req("TOOL-003")
def test_a_caller_without_the_right_role_gets_no_tool(make_bench: MakeBench, tmp_path: Path) -> None:
    (tmp_path / "broken.rego").write_text("package soma\n\ndecision := {{{")
    bench = make_bench(
        ScriptedModel(called(("calculator", {"expression": "1"})), said("No.")),
        policy=_OnlyTools(tmp_path),
    )

    turn = bench.ask("One?")

    assert tools_of(bench, turn.id)[0]["status"] == "denied"


class _OnlyTools(Policy):
    """The shipped policy for requests, a broken one for tools."""

    def __init__(self, broken: Path) -> None:
        super().__init__(RegoPolicyEngine())
        self._broken = Policy(RegoPolicyEngine(broken))

    def decide(self, policy_input: Any) -> Any:
        return self._broken.decide(policy_input)


@pytest.mark.req("TOOL-005")
def test_arguments_that_do_not_fit_the_schema_are_not_executed(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(("calculator", {"expression": 7})), said("No.")))

    record = tools_of(bench, bench.ask("Seven?").id)[0]

    assert record["status"] == "error"
    assert "do not fit" in record["output"]


@pytest.mark.req("TOOL-005")
def test_an_answer_that_breaks_its_schema_is_an_error(make_bench: MakeBench) -> None:
    bench = make_bench(
        ScriptedModel(called(("scale", {})), said("No.")),
        specs=[spec("scale", output_schema={"type": "object", "required": ["grams"]})],
        tools=[Doing("scale", lambda context: {"ounces": 1})],
    )

    assert "does not fit its schema" in tools_of(bench, bench.ask("Weigh it.").id)[0]["output"]


@pytest.mark.req("TOOL-004")
def test_a_tool_that_keeps_failing_rests(make_bench: MakeBench) -> None:
    printer = Doing("printer", failing)
    bench = make_bench(
        ScriptedModel(*[called(("printer", {}))] * 7, said("It is broken.")),
        specs=[spec("printer")],
        tools=[printer],
    )

    statuses = [tool["status"] for tool in tools_of(bench, bench.ask("Print.").id)]

    assert statuses == ["error"] * 5 + ["breaker_open"] * 2
    assert len(printer.calls) == 5


@pytest.mark.req("TOOL-004")
def test_at_most_four_tools_run_at_once_and_none_past_its_time(make_bench: MakeBench) -> None:
    running: list[int] = []
    most = [0]

    async def slowly() -> dict[str, Any]:
        running.append(1)
        most[0] = max(most[0], len(running))
        await asyncio.sleep(0.02)
        running.pop()
        return {}

    async def forever() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    bench = make_bench(
        ScriptedModel(called(*[("slow", {})] * 9, ("stuck", {})), said("Done.")),
        specs=[spec("slow"), spec("stuck", timeout_seconds=0.1)],
        tools=[Doing("slow", lambda context: slowly()), Doing("stuck", lambda context: forever())],
    )

    statuses = [tool["status"] for tool in tools_of(bench, bench.ask("Go.").id)]

    assert statuses == ["ok"] * 9 + ["timeout"]
    assert most[0] == 4


@pytest.mark.req("TOOL-004")
def test_a_foreign_exception_is_a_recorded_error(make_bench: MakeBench) -> None:
    bench = make_bench(
        ScriptedModel(called(("odd", {})), said("Hm.")),
        specs=[spec("odd")],
        tools=[Doing("odd", lambda context: 1 / 0)],
    )

    assert tools_of(bench, bench.ask("Go.").id)[0]["output"] == "ZeroDivisionError: division by zero"


@pytest.mark.req("TOOL-005")
def test_an_output_past_the_limit_is_refused_with_the_limit_named(make_bench: MakeBench) -> None:
    bench = make_bench(
        ScriptedModel(called(("big", {})), said("Hm.")),
        specs=[spec("big")],
        tools=[Doing("big", lambda context: {"text": "x" * 300_000})],
    )

    assert "limit is 262144 bytes" in tools_of(bench, bench.ask("Go.").id)[0]["output"]


@pytest.mark.req("TOOL-003")
def test_each_call_is_an_event_with_its_policy_hash(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(("calculator", {"expression": "6*7"})), said("42")))
    bench.ask("6*7?")

    payload = dict(bench.events())["tool.executed"]

    assert payload["decision"] == "allow"
    assert payload["policy_hash"] == bench.desk.policy.policy_hash
