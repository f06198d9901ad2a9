"""A turn tells how its context was shared out, what was left out, and what the planner weighed."""

from collections.abc import Callable
from typing import Any

import pytest

from soma.agent.api import LoopSettings
from tests.agent.bench import Bench
from tests.agent.services.test_repeat import tell
from tests.fakes.model import ScriptedModel, called, said

pytestmark = pytest.mark.req("CTX-001", "CTXB-001", "TRACE-001")
MakeBench = Callable[..., Bench]
FACTS = [
    "My boat is called Tern and it lies in the harbour of Horta.",
    "My boat has a green hull and two rather old sails.",
    "My boat was built in Faro in the year 1961 by my uncle.",
]
QUESTION = "What is my boat called?"
SMALL = LoopSettings(context_tokens=100)
"""A memory lane of twenty tokens: one fact fits."""


def first(bench: Bench, turn_id: Any) -> dict[str, Any]:
    """The first iteration of a turn's trace."""
    iteration: dict[str, Any] = bench.trace(turn_id)["iterations"][0]
    return iteration


def test_what_a_small_budget_cuts_is_in_the_trace(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Tern.")), loop=SMALL)
    for fact in FACTS:
        tell(bench, fact)

    told = first(bench, bench.ask(QUESTION).id)

    lanes, evidence = told["lanes"], [block["id"] for block in told["evidence"]]
    assert lanes["budget"] == sum(lanes["tokens"].values()) == 100
    assert sum(lanes["shares"].values()) == pytest.approx(1)
    assert 0 < lanes["used"]["memory"] <= lanes["tokens"]["memory"]
    assert len(evidence) == 3
    assert [item["id"] for item in lanes["cut_items"]] == evidence[1:]
    assert all(item["lane"] == "memory" and item["reason"] == "no_room" for item in lanes["cut_items"])
    assert lanes["cut"]["memory"] == sum(item["tokens"] for item in lanes["cut_items"])
    prompt = told["prompt"][0]["content"]
    shown = [block["content"] in prompt for block in told["evidence"]]
    assert shown == [True, False, False]


def test_dialogue_that_is_cut_is_named_by_its_message(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted."), said("Noted."), said("Yes.")), loop=SMALL)
    bench.ask("Listen: " + "one two three four five six seven eight nine ten " * 3)
    bench.ask("A short one.")
    messages = bench.call(bench.agent.conversation, bench.principal, bench.conversation).messages

    told = first(bench, bench.ask("And now?").id)

    assert [item["id"] for item in told["lanes"]["cut_items"] if item["lane"] == "history"] == [
        str(messages[0].id)
    ]


def test_with_room_nothing_is_cut(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Tern.")))
    tell(bench, FACTS[0])
    told = first(bench, bench.ask(QUESTION).id)
    assert (told["lanes"]["cut"], told["lanes"]["cut_items"]) == ({}, [])


def test_the_plan_frame_and_the_trace_tell_the_same_suggestions(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(("calculator", {"expression": "6 * 7"})), said("It is 42.")))
    turn = bench.ask("What is 6 * 7?")

    plans = [frame.data for frame in bench.frames(turn.id) if frame.event == "plan"]
    iterations = bench.trace(turn.id)["iterations"]
    assert [each["suggestions"] for each in plans] == [each["suggestions"] for each in iterations]
    assert [each["cut_items"] for each in plans] == [each["lanes"]["cut_items"] for each in iterations]
    begun, answered = (each["suggestions"] for each in iterations)
    assert (begun[0]["action"], begun[0]["target"]) == ("call_tool", "calculator")
    assert answered[0]["action"] == "answer_from_results"
    for each in (*begun, *answered):
        assert each["utility"] == pytest.approx(
            sum(term["adds"] for term in each["terms"].values()), abs=1e-5
        )


def test_what_is_suggested_does_not_decide_what_is_offered(make_bench: MakeBench) -> None:
    model = ScriptedModel(said("Hello."))
    bench = make_bench(model)
    turn = bench.ask("Hello!")
    assert [tool.name for tool in model.requests[0].tools] == ["calculator", "clock", "memory_recall"]
    assert first(bench, turn.id)["suggestions"]


@pytest.mark.req("RLM-005")
def test_a_seeded_turn_repeats_its_plan_whatever_was_measured_in_between(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Tern.")))

    def plan() -> dict[str, Any]:
        bench.conversation = bench.call(bench.agent.create_conversation, bench.principal).id
        turn = bench.ask(QUESTION, seed=7)
        [shown] = [frame.data for frame in bench.frames(turn.id) if frame.event == "plan"]
        return {name: value for name, value in shown.items() if name != "turn_id"}

    before = plan()
    tell(bench, FACTS[0])
    assert plan() == before
