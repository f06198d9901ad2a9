"""The decision trace tells every phase with its time, what was decided and why, and what it cost."""

from collections.abc import Callable

import pytest

from soma.base.canonical import sha256_hex
from soma.base.database import tenant_transaction
from tests.agent.bench import Bench
from tests.fakes.model import ScriptedModel, called, said

pytestmark = [pytest.mark.req("TRACE-001")]

MakeBench = Callable[..., Bench]
ADD = ("calculator", {"expression": "2 + 40"})
LAW = sha256_hex(b"a constitution") * 2
PHASES = ["recall", "plan", "model", "tools", "learn", "assess"]


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    made = make_bench(ScriptedModel(called(ADD, ("printer", {})), said("It is 42.")))
    with tenant_transaction(made.tenant):
        made.desk.brain.adopt_constitution(made.tenant, LAW)
    return made


def test_each_phase_has_its_time_its_decision_and_its_reasons(bench: Bench) -> None:
    trace = bench.trace(bench.ask("What is 2 + 40?").id)

    phases = trace["phases"]
    assert [each["phase"] for each in phases] == ["relation", "policy", "capsule", *PHASES, *PHASES, "finish"]
    assert all(each["at"] and each["decision"] for each in phases)
    told = {(each["phase"], each["iteration"]): each for each in phases if "iteration" in each}
    assert told["plan", 0]["decision"] == "native"
    assert told["model", 1]["model"] == "scripted"
    assert told["tools", 0]["decision"] == "1 ok, 1 denied"
    assert told["tools", 0]["reasons"] == ["printer: printer is not a tool of this agent"]
    assert told["assess", 0]["reasons"] == ["tools were called, or an answer is to be improved"]
    assert told["assess", 1]["reasons"] == ["it answered; the score 0.500 is below 0.9"]
    assert set(told["learn", 1]["scores"]) == {"reward", "prediction_error", "salience", "learning_rate"}


def test_evidence_is_named_by_its_ids(bench: Bench) -> None:
    bench.ask("What is 2 + 40?")
    bench.conversation = bench.call(bench.agent.create_conversation, bench.principal).id
    trace = bench.trace(bench.ask("What is 2 + 40 again?").id)

    recalled = next(each for each in trace["phases"] if each["phase"] == "recall")
    assert recalled["evidence"] == [block["id"] for block in trace["iterations"][0]["evidence"]]


def test_policy_constitution_capsule_and_checkpoint_are_named_by_their_hashes(bench: Bench) -> None:
    trace = bench.trace(bench.ask("What is 2 + 40?").id)

    assert trace["policy_hashes"] == [bench.desk.policy.policy_hash]
    assert trace["constitution_hash"] == LAW
    assert len(trace["capsule_hash"]) == 64
    assert trace["checkpoint"]["sequence"] == 1


def test_costs_are_told_by_phase_by_model_and_in_all(bench: Bench) -> None:
    trace = bench.trace(bench.ask("What is 2 + 40?").id)

    spent = [each["cost"] for each in trace["phases"] if each["phase"] == "model"]
    assert spent == [
        {"prompt_tokens": 10, "completion_tokens": 5},
        {"prompt_tokens": 10, "completion_tokens": 3},
    ]
    assert trace["cost"]["by_model"] == {"scripted": trace["cost"]["tokens"]} == {"scripted": 28}
    assert trace["cost"]["share"] == pytest.approx(28 / trace["cost"]["budget_tokens"])


def test_without_a_constitution_none_is_named(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("x")))
    assert bench.trace(bench.ask("Hello?").id)["constitution_hash"] is None
