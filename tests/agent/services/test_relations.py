"""What relations permit in a conversation: asked first, at every way in, and at every tool."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from soma.agent.api import BUILTIN_TOOLS
from soma.base.database import tenant_transaction
from soma.base.errors import Denied, NotFound
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.api import PermissionDenied, Policy, Relationship
from tests.agent.bench import Bench
from tests.fakes.model import ScriptedModel, called, said

pytestmark = pytest.mark.req("AUTH-001")

MakeBench = Callable[..., Bench]
ADD = ("calculator", {"expression": "2 + 40"})
TIME = ("clock", {"timezone": "UTC"})


def relate(bench: Bench, *texts: str, take: bool = False) -> None:
    """Write relations, or delete them. `{c}` stands for the bench's conversation, `{u}` for its person."""
    spelled = [
        Relationship.parse(
            text.replace("{c}", f"conversation:{bench.conversation}").replace(
                "{u}", f"user:{bench.principal.user_id}"
            )
        )
        for text in texts
    ]
    with tenant_transaction(bench.tenant):
        if take:
            bench.desk.relations.write(bench.tenant, delete=spelled)
        else:
            bench.desk.relations.write(bench.tenant, touch=spelled)


def somebody(bench: Bench, role: str) -> Principal:
    """Another user of the tenant."""
    principal = replace(bench.principal, user_id=new_id(), session_id=new_id(), roles=(role,))
    with tenant_transaction(bench.tenant):
        bench.desk.relations.give_role(bench.tenant, principal.user_id, role)
    return principal


def ways_in(bench: Bench, principal: Principal, turn_id: UUID) -> dict[str, Callable[[], Any]]:
    """Everything that can be done with a conversation and its turn."""
    agent, conversation = bench.agent, bench.conversation

    async def stream() -> list[Any]:
        return [frame async for frame in agent.stream(principal, turn_id)]

    return {
        "send": lambda: bench.call(agent.send_message, principal, conversation, "Hello"),
        "read": lambda: bench.call(agent.conversation, principal, conversation),
        "turn": lambda: bench.call(agent.turn, principal, turn_id),
        "stream": lambda: bench.call(stream),
        "cancel": lambda: bench.call(agent.cancel, principal, turn_id),
        "trace": lambda: bench.call(agent.trace, principal, turn_id),
        "traces": lambda: bench.call(agent.conversation_trace, principal, conversation),
    }


def open_to(bench: Bench, principal: Principal, turn_id: UUID) -> set[str]:
    """The ways in that are open to somebody."""
    found = set()
    for name, way in ways_in(bench, principal, turn_id).items():
        try:
            way()
        except Denied:
            continue
        found.add(name)
    return found


READING = {"read", "turn", "stream", "trace", "traces"}


def test_a_conversation_is_open_to_its_owner_and_to_operators_who_only_read(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Hello.")))
    turn = bench.ask("Hello").id
    assert open_to(bench, bench.principal, turn) == {*READING, "send", "cancel"}
    assert open_to(bench, somebody(bench, "owner"), turn) == {*READING, "cancel"}
    assert open_to(bench, somebody(bench, "operator"), turn) == {*READING, "cancel"}
    assert open_to(bench, somebody(bench, "observer"), turn) == set()
    assert open_to(bench, somebody(bench, "guest"), turn) == set()


@pytest.mark.parametrize(
    ("role", "ways"),
    [("guest", {"read", "turn", "stream", "send", "cancel"}), ("observer", READING)],
)
def test_who_takes_part_may_what_their_role_allows(make_bench: MakeBench, role: str, ways: set[str]) -> None:
    bench = make_bench(ScriptedModel(said("Hello.")))
    turn = bench.ask("Hello").id
    other = somebody(bench, role)
    relate(bench, f"{{c}}#participant@user:{other.user_id}")
    assert open_to(bench, other, turn) == ways


def test_what_is_revoked_is_closed_at_once(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Hello.")), roles=("guest",))
    turn = bench.ask("Hello").id
    relate(bench, "{c}#owner@{u}", take=True)
    assert open_to(bench, bench.principal, turn) == set()
    assert bench.call(bench.agent.conversations, bench.principal) == []
    relate(bench, "{c}#owner@{u}")
    assert "send" in open_to(bench, bench.principal, turn)
    assert [each.id for each in bench.call(bench.agent.conversations, bench.principal)] == [
        bench.conversation
    ]


def test_a_running_turn_is_closed_too(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Hello.")), roles=("guest",))
    other = somebody(bench, "guest")
    turn = bench.send("Hello")
    for name, way in ways_in(bench, other, turn).items():
        if name != "send":
            with pytest.raises(Denied):
                way()
    bench.frames(turn)


def test_relations_are_asked_before_the_policy(make_bench: MakeBench, tmp_path: Path) -> None:
    bench = make_bench(ScriptedModel(said("Hello.")))
    (tmp_path / "broken.rego").write_text("package soma\n\ndecision := {{{")
    bench.agent._gate.policy = Policy(RegoPolicyEngine(tmp_path))
    with pytest.raises(Denied) as by_policy:
        bench.send("Hello")
    assert not isinstance(by_policy.value, PermissionDenied)
    relate(bench, "{c}#owner@{u}", take=True)
    with pytest.raises(PermissionDenied) as by_relations:
        bench.send("Hello")
    assert by_relations.value.extra["permission"] == "conversation:write"


def test_a_denial_is_recorded_with_permission_engine_and_latency(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Hello.")))
    other = somebody(bench, "guest")
    with pytest.raises(PermissionDenied) as denied:
        bench.call(bench.agent.send_message, other, bench.conversation, "Hello")
    told = [payload for name, payload in bench.events() if name == "gateway.request_decided"]
    assert [(each["action"], each["allow"]) for each in told] == [("conversation:write", False)]
    assert told[0]["reasons"] == list(denied.value.reasons)
    assert told[0]["user_id"] == str(other.user_id)
    assert told[0]["resource"]["id"] == str(bench.conversation)
    assert told[0]["relation"]["permission"] == "conversation:write"
    assert told[0]["relation"]["engine"] == "postgres"
    assert told[0]["relation"]["latency_ms"] >= 0


def test_the_trace_tells_of_the_decision_first(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Hello.")))
    phases = bench.trace(bench.ask("Hello").id)["phases"]
    assert [phase["phase"] for phase in phases[:3]] == ["relation", "policy", "capsule"]
    assert phases[0]["permission"] == "conversation:write"
    assert phases[0]["engine"] == "postgres"
    assert phases[0]["decision"] == "allow"
    assert phases[0]["reasons"] == ["relations.conversation:write: permitted."]
    assert 0 < phases[0]["ms"] < 1000


def test_another_tenants_conversation_is_not_there(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Hello.")))
    turn = bench.ask("Hello").id
    stranger = Principal(tenant_id=new_id(), user_id=new_id(), session_id=new_id(), roles=("owner",))
    with tenant_transaction(stranger.tenant_id):
        bench.desk.relations.give_role(stranger.tenant_id, stranger.user_id, "owner")
    for way in ways_in(bench, stranger, turn).values():
        with pytest.raises(NotFound):
            way()


def test_who_may_not_use_an_agent_begins_no_conversation_with_it(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Hello.")))
    agent = bench.capsules.ensure_default(bench.tenant)
    relate(bench, f"agent:{agent}#invoker@tenant:{bench.tenant}#converse", take=True)
    with pytest.raises(PermissionDenied) as denied:
        bench.call(bench.agent.create_conversation, bench.principal)
    assert denied.value.extra["permission"] == "agent:use"
    with pytest.raises(PermissionDenied):
        bench.send("Hello")
    relate(bench, f"agent:{agent}#invoker@{{u}}")
    bench.call(bench.agent.create_conversation, bench.principal)
    assert bench.ask("Hello").status == "completed"


def tools_of(bench: Bench, turn_id: UUID) -> list[dict[str, Any]]:
    return [tool for each in bench.trace(turn_id)["iterations"] for tool in each["tools"]]


@pytest.mark.parametrize("barred", ["user:{id}", "user:*", "tenant:{tenant}#operator"])
def test_a_barred_tool_is_denied_and_the_turn_goes_on(make_bench: MakeBench, barred: str) -> None:
    model = ScriptedModel(called(ADD, TIME), said("I know the time only."))
    bench = make_bench(model, roles=("operator",))
    subject = barred.format(id=bench.principal.user_id, tenant=bench.tenant)
    relate(bench, f"capability:calculator#barred@{subject}")

    turn = bench.ask("2 + 40, and what time is it?")

    calculator, clock = tools_of(bench, turn.id)
    assert (calculator["status"], calculator["decision"]) == ("denied", "deny")
    assert calculator["reasons"][0].startswith("relations.capability:execute: no relation")
    assert (clock["status"], clock["decision"]) == ("ok", "allow")
    assert clock["reasons"] == ["relations.capability:execute: permitted."]
    assert turn.status == "completed"
    assert "gave no result" in model.requests[1].messages[-1].content


def test_a_tool_that_nobody_related_is_denied(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(ADD), said("No.")))
    relate(bench, f"capability:calculator#tenant@tenant:{bench.tenant}", take=True)
    assert tools_of(bench, bench.ask("2 + 40?").id)[0]["status"] == "denied"


def test_tools_are_asked_about_once_a_turn(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(*[called(ADD, TIME)] * 3, said("42.")))
    asked: list[str] = []

    class Watch:
        def decided(self, decision: Any) -> None:
            asked.append(decision.check.name)

    bench.desk.relations._observer = Watch()
    try:
        turn = bench.ask("2 + 40?")
    finally:
        bench.desk.relations._observer = None
    assert len(tools_of(bench, turn.id)) == 6
    assert asked.count("capability:execute") == len(BUILTIN_TOOLS)
    assert asked.count("conversation:write") == 1


def test_without_tool_calls_no_tool_is_asked_about(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Hello.")))
    relate(bench, f"capability:calculator#tenant@tenant:{bench.tenant}", take=True)
    assert bench.ask("Hello").status == "completed"


def test_a_new_conversation_and_its_agent_are_related(make_bench: MakeBench) -> None:
    from soma.policy.api import RelationshipFilter

    bench = make_bench(ScriptedModel(said("Hello.")))
    agent = bench.capsules.ensure_default(bench.tenant)
    found = {str(each) for each in bench.desk.relations.read(bench.principal, RelationshipFilter())}
    assert found == {
        f"tenant:{bench.tenant}#owner@user:{bench.principal.user_id}",
        f"agent:{agent}#tenant@tenant:{bench.tenant}",
        f"agent:{agent}#invoker@tenant:{bench.tenant}#converse",
        f"conversation:{bench.conversation}#tenant@tenant:{bench.tenant}",
        f"conversation:{bench.conversation}#agent@agent:{agent}",
        f"conversation:{bench.conversation}#owner@user:{bench.principal.user_id}",
        *(f"capability:{tool.name}#tenant@tenant:{bench.tenant}" for tool in BUILTIN_TOOLS),
    }
