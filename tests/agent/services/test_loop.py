"""The learning loop on real engines, with a scripted remote model."""

import hashlib
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from soma.agent.api import LoopSettings, ModelUnavailable
from tests.agent.bench import Bench
from tests.fakes.model import ScriptedModel, called, said

MakeBench = Callable[..., Bench]
ADD = ("calculator", {"expression": "2 + 40"})


@pytest.mark.req("RLM-001")
@pytest.mark.req("PERSIST-001")
def test_five_iterations_are_kept_complete(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(*[called(ADD)] * 4, said("It is 42.")))

    turn = bench.ask("What is 2 + 40?")
    trace = bench.trace(turn.id)

    assert (turn.status, turn.answer, turn.iterations) == ("completed", "It is 42.", 5)
    assert turn.tools_used == ("calculator",)
    assert [each["iteration"] for each in trace["iterations"]] == [0, 1, 2, 3, 4]
    for each in trace["iterations"]:
        assert each["prompt"][-1]["content"].startswith("What is 2 + 40?")
        assert each["prompt_hash"] and each["output_hash"]
        assert each["prompt_tokens"] == 10
        assert 0 < each["confidence"] <= 1 and each["confidence_source"] == "logprobs"
        assert set(each["learning"]["weight_deltas"]) == set(each["learning"]["weights_before"])
    assert trace["iterations"][0]["tools"][0]["output"] == {"result": "42"}


@pytest.mark.req("LEARN-001")
def test_every_iteration_learns_and_hands_its_state_on(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(*[called(ADD)] * 3, said("42", confidence=0.7)))

    iterations = bench.trace(bench.ask("2 + 40?").id)["iterations"]

    assert len(iterations) == 4
    for earlier, later in itertools.pairwise(iterations):
        assert earlier["learning"]["weights_after"] == later["learning"]["weights_before"]
        assert earlier["learning"]["neuromodulators_after"] == later["learning"]["neuromodulators_before"]
    assert any(each["learning"]["applied"] for each in iterations)


@pytest.mark.req("RLM-002")
@pytest.mark.parametrize(
    ("replies", "loop", "reason", "iterations"),
    [
        ([said("Certain.", confidence=0.95)], LoopSettings(), "converged", 1),
        ([said("Perhaps.", confidence=0.4)], LoopSettings(), "llm_completed", 1),
        ([called(ADD)], LoopSettings(max_iterations=3), "max_iterations", 3),
        ([called(ADD)], LoopSettings(turn_token_budget=25), "budget_exhausted", 2),
    ],
)
def test_each_exit(
    make_bench: MakeBench, replies: list[Any], loop: LoopSettings, reason: str, iterations: int
) -> None:
    turn = make_bench(ScriptedModel(*replies), loop=loop).ask("Go on.")

    assert (turn.exit_reason, turn.iterations) == (reason, iterations)


@pytest.mark.req("RLM-002")
def test_a_tool_call_is_answered_even_by_a_certain_model(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(ADD, confidence=0.99), said("42", confidence=0.99)))

    turn = bench.ask("2 + 40?")

    assert (turn.exit_reason, turn.iterations, turn.answer) == ("converged", 2, "42")


@pytest.mark.req("RLM-003")
def test_a_refining_turn_answers_with_its_best_iteration(make_bench: MakeBench) -> None:
    model = ScriptedModel(
        said("first draft", confidence=0.5), said("better one", confidence=0.8), said("worse", confidence=0.3)
    )
    bench = make_bench(model, loop=LoopSettings(refine=True, max_iterations=3))

    turn = bench.ask("Write something.")

    assert (turn.answer, turn.exit_reason, turn.iterations) == ("better one", "max_iterations", 3)
    assert turn.convergence_score == pytest.approx(0.8)
    assert model.requests[1].messages[-2].content == "first draft"


@pytest.mark.req("RLM-003")
def test_refining_stops_at_convergence(make_bench: MakeBench) -> None:
    model = ScriptedModel(said("draft", confidence=0.5), said("good", confidence=0.95))
    turn = make_bench(model, loop=LoopSettings(refine=True)).ask("Write something.")

    assert (turn.answer, turn.exit_reason, turn.iterations) == ("good", "converged", 2)


@pytest.mark.req("RLM-004")
def test_without_the_loop_one_shot_leaves_the_same_records(make_bench: MakeBench) -> None:
    model = ScriptedModel(said("At once.", confidence=0.4))
    bench = make_bench(model, rlm=False, loop=LoopSettings(refine=True))

    turn = bench.ask("What is 2 + 40?")

    assert (turn.iterations, turn.answer) == (1, "At once.")
    assert model.requests[0].tools == ()
    iteration = bench.trace(turn.id)["iterations"][0]
    assert iteration["learning"]["weights_after"]
    assert [frame.event for frame in bench.frames(turn.id)][-2:] == ["answer", "turn.completed"]


@pytest.mark.req("RLM-005")
def test_the_seed_is_a_function_of_the_turn_id_unless_given(make_bench: MakeBench) -> None:
    model = ScriptedModel(said("Yes."))
    bench = make_bench(model)

    first, second = bench.ask("One?"), bench.ask("Two?", seed=7)

    assert [request.seed for request in model.requests] == [first.seed, 7]
    assert (first.seed, second.seed) == (_seed(first.id), 7)


@pytest.mark.req("CHAT-003")
def test_history_is_the_last_twenty_messages_oldest_first(make_bench: MakeBench) -> None:
    model = ScriptedModel(said("Noted."))
    bench = make_bench(model)
    for number in range(13):
        bench.ask(f"Fact {number}.")

    history = [message.content for message in model.requests[-1].messages[1:-1]]

    assert len(history) == 20
    assert history[0] == "Fact 2." and history[-1] == "Noted."


@pytest.mark.req("PERSIST-002")
def test_the_events_of_a_turn_are_in_the_outbox_or_the_log(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(ADD), said("42")))
    bench.ask("2 + 40?")

    assert [name for name, _ in bench.events()] == [
        "conversation.created",
        "chat.turn_started",
        "chat.iteration_completed",
        "tool.executed",
        "chat.iteration_completed",
        "chat.turn_completed",
        "memory.remember_requested",
    ]


@pytest.mark.req("RLM-002")
@pytest.mark.parametrize(
    ("spoken", "answer"),
    [("It is 42.", "It is 42."), ("I would not know.", "The calculator gave the result 42.")],
)
def test_a_small_model_that_ignores_its_tools_does_not_answer(
    make_bench: MakeBench, spoken: str, answer: str
) -> None:
    call = said('{"tool": "calculator", "arguments": {"expression": "2 + 40"}}')
    bench = make_bench(ScriptedModel(call, said(spoken), native_tools=False))

    turn = bench.ask("What is 2 + 40?")

    assert (turn.answer, turn.iterations) == (answer, 2)


@pytest.mark.req("TOOL-002")
def test_tools_are_read_once_for_a_turn(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(*[called(ADD)] * 3, said("42")))
    read: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        read.append(sql)
        return execute(sql, params, many, context)

    bench.on_every_thread(lambda: connections["default"].execute_wrappers.append(note))
    bench.ask("2 + 40?")
    bench.on_every_thread(lambda: connections["default"].execute_wrappers.remove(note))

    assert sum('FROM "capability"' in sql for sql in read) <= 1


@pytest.mark.req("ROUTE-002")
def test_the_fallback_answers_when_the_model_does_not(make_bench: MakeBench) -> None:
    bench = make_bench(
        ScriptedModel(ModelUnavailable("gone")), fallback=ScriptedModel(said("Still here."), name="second")
    )

    turn = bench.ask("Hello?")

    assert (turn.answer, turn.status) == ("Still here.", "completed")
    assert turn.degraded_reasons == ("model: gone",)


@pytest.mark.req("CHAT-004")
def test_without_any_model_the_turn_fails_and_says_so(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(ModelUnavailable("gone")))

    turn = bench.ask("Hello?")

    assert turn.status == "failed"
    assert turn.failure == {"code": "model_unavailable", "detail": "gone"}
    assert bench.frames(turn.id)[-1].event == "turn.failed"
    assert bench.ask("Again?").status == "failed"


def _seed(turn_id: Any) -> int:
    return int(hashlib.sha256(str(turn_id).encode()).hexdigest()[:8], 16)
