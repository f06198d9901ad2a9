"""What the neuromodulators do to a turn, from recall to the model's deadline."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from soma.agent.api import LoopSettings, ModelUnavailable
from soma.agent.models import CapsuleRow
from soma.base.database import tenant_transaction
from soma.brain.api import LearnedState, Modulation, Neuromodulators
from soma.brain.models import LearnedStateRow
from tests.agent.bench import Bench
from tests.agent.services.test_repeat import tell
from tests.agent.services.test_resume import Dies, _send_and_die
from tests.agent.services.test_tools import Doing, spec, tools_of
from tests.fakes.model import ScriptedModel, called, said

pytestmark = pytest.mark.req("LEARN-003")

MakeBench = Callable[..., Bench]
ADD = ("calculator", {"expression": "2 + 40"})
ALERT = {"dopamine": 0.7, "serotonin": 0.8, "norepinephrine": 0.9, "acetylcholine": 1.0}


def stand(bench: Bench, **levels: float) -> None:
    """Let the bench's agents stand at these levels."""
    state = LearnedState(neuromodulators=replace(Neuromodulators(), **levels))

    def written() -> None:
        with tenant_transaction(bench.tenant):
            for agent in CapsuleRow.objects.all():
                bench.desk.brain.learned_state(bench.tenant, str(agent.id), state)
                LearnedStateRow.objects.update(state=state.to_bytes())

    bench.call(bench.desk.database.run, written)


def first(bench: Bench, text: str, **options: Any) -> dict[str, Any]:
    """The first iteration of the turn that answers `text`, as its trace shows it."""
    iteration: dict[str, Any] = bench.trace(bench.ask(text, **options).id)["iterations"][0]
    return iteration


def test_at_rest_a_turn_runs_as_its_capsule_says(make_bench: MakeBench) -> None:
    model, fast = ScriptedModel(said("Certain.", confidence=0.95)), ScriptedModel(said("Quick."), name="fast")
    bench = make_bench(model, fast=fast, loop=LoopSettings(refine=True))
    for number in range(8):
        tell(bench, f"My cat number {number} is called Mia the {number}th.")

    turn = bench.ask("What is my cat called?")
    iteration = bench.trace(turn.id)["iterations"][0]

    assert iteration["modulation"] == Modulation().to_dict()
    assert (turn.answer, turn.iterations, turn.exit_reason) == ("Certain.", 1, "converged")
    assert (model.requests[0].timeout_seconds, model.requests[0].keep_partial) == (60.0, False)
    assert len(iteration["evidence"]) == LoopSettings().recall_top_k
    assert iteration["lanes"]["tokens"]["memory"] == int(0.2 * LoopSettings().context_tokens)


def test_acetylcholine_widens_recall_and_the_memory_lane(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Many.")))
    for number in range(9):
        tell(bench, f"My cat number {number} is called Mia the {number}th.")
    stand(bench, acetylcholine=1.0)

    iteration = first(bench, "What is my cat called?")

    assert len(iteration["evidence"]) == 8
    lanes = iteration["lanes"]
    assert lanes["tokens"]["memory"] == int(lanes["budget"] * 0.3 / 1.1)


def test_serotonin_sharpens_the_selection_of_evidence(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Mia.")))
    for number in range(4):
        tell(bench, f"My cat number {number} is called Mia the {number}th.")

    chances = []
    for serotonin in (0.0, 0.5, 1.0):
        stand(bench, serotonin=serotonin)
        bench.conversation = bench.call(bench.agent.create_conversation, bench.principal).id
        evidence = first(bench, "What is my cat called?")["evidence"]
        chances.append(max(each["probability"] for each in evidence))
    assert chances[0] < chances[1] < chances[2]


@pytest.mark.parametrize(("serotonin", "iterations"), [(0.0, 1), (0.5, 1), (0.8, 2), (1.0, 4)])
def test_serotonin_has_a_refining_turn_wait_for_more_good_answers(
    make_bench: MakeBench, serotonin: float, iterations: int
) -> None:
    sure, unsure = said("Good.", confidence=0.95), said("Hm.", confidence=0.4)
    script = [sure, sure, sure] if iterations < 3 else [unsure, sure, sure, sure]
    bench = make_bench(ScriptedModel(*script), loop=LoopSettings(refine=True))
    stand(bench, serotonin=serotonin)

    turn = bench.ask("Write something.")

    assert (turn.exit_reason, turn.iterations, turn.answer) == ("converged", iterations, "Good.")


def test_a_bad_answer_in_between_begins_the_waiting_anew(make_bench: MakeBench) -> None:
    answers = [said(f"Draft {n}.", confidence=c) for n, c in enumerate([0.95, 0.4, 0.95, 0.95])]
    bench = make_bench(ScriptedModel(*answers), loop=LoopSettings(refine=True))
    stand(bench, serotonin=0.8)

    assert bench.ask("Write something.").iterations == 4


def test_a_turn_that_does_not_refine_waits_for_nothing(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Certain.", confidence=0.95)))
    stand(bench, serotonin=1.0)

    turn = bench.ask("Sure?")

    assert (turn.exit_reason, turn.iterations) == ("converged", 1)


def test_norepinephrine_cuts_the_models_deadline_and_keeps_what_was_said(make_bench: MakeBench) -> None:
    model = ScriptedModel(replace(said("It is for"), stop_reason="out_of_time"))
    bench = make_bench(model)
    stand(bench, norepinephrine=1.0)

    turn = bench.ask("How long?")

    assert (model.requests[0].timeout_seconds, model.requests[0].keep_partial) == (30.0, True)
    assert (turn.status, turn.answer) == ("completed", "It is for")
    assert turn.degraded_reasons == ("model: cut off after 30 s",)


def test_norepinephrine_cuts_the_deadline_of_tools(make_bench: MakeBench) -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    bench = make_bench(
        ScriptedModel(called(("stuck", {})), said("No.")),
        specs=[spec("stuck", timeout_seconds=0.2)],
        tools=[Doing("stuck", lambda context: forever())],
    )
    stand(bench, norepinephrine=1.0)

    record = tools_of(bench, bench.ask("Go.").id)[0]

    assert (record["status"], record["output"]) == ("timeout", "no answer within 0.1 s")


@pytest.mark.parametrize(("norepinephrine", "answer"), [(0.5, "Thorough."), (0.8, "Quick.")])
def test_norepinephrine_prefers_the_fast_model(
    make_bench: MakeBench, norepinephrine: float, answer: str
) -> None:
    bench = make_bench(
        ScriptedModel(said("Thorough.")), fast=ScriptedModel(said("Quick."), name="fast"), fallback=None
    )
    stand(bench, norepinephrine=norepinephrine)

    turn = bench.ask("Hello?")
    asked = bench.trace(turn.id)["iterations"][0]["model"]

    assert (turn.answer, asked) == (answer, "fast" if answer == "Quick." else "scripted")


def test_where_there_is_one_model_it_answers_in_a_hurry_too(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Thorough.")))
    stand(bench, norepinephrine=1.0)

    assert bench.ask("Hello?").answer == "Thorough."


def test_the_others_answer_in_turn_where_the_fast_model_does_not(make_bench: MakeBench) -> None:
    gone = ScriptedModel(ModelUnavailable("gone"))
    away = ScriptedModel(ModelUnavailable("away"), name="fast")
    bench = make_bench(gone, fast=away, fallback=ScriptedModel(said("Still here."), name="second"))
    stand(bench, norepinephrine=1.0)

    turn = bench.ask("Hello?")

    assert (turn.answer, turn.degraded_reasons) == ("Still here.", ("model: away", "model: gone"))


def test_levels_that_move_in_a_turn_change_the_next_one_only(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(*[called(ADD)] * 3, said("42")))
    stand(bench, **ALERT)

    iterations = bench.trace(bench.ask("2 + 40?").id)["iterations"]

    start = Neuromodulators.from_dict(iterations[0]["learning"]["neuromodulators_before"])
    assert start == Neuromodulators(**ALERT)
    assert iterations[-1]["learning"]["neuromodulators_before"] != start.to_dict()
    assert [each["modulation"] for each in iterations] == [Modulation.of(start).to_dict()] * 4


def test_a_seeded_turn_repeats_what_was_done_to_it(make_bench: MakeBench) -> None:
    model = ScriptedModel(said("Teal."))
    bench = make_bench(model)
    stand(bench, **ALERT)
    once = first(bench, "What is my favourite colour?", seed=7)
    stand(bench)

    bench.conversation = bench.call(bench.agent.create_conversation, bench.principal).id
    again = first(bench, "What is my favourite colour?", seed=7)

    assert again["modulation"] == once["modulation"] != Modulation().to_dict()
    assert model.requests[1] == model.requests[0]


def test_a_resumed_turn_goes_on_under_what_it_began_with(make_bench: MakeBench) -> None:
    script = [called(ADD), said("It is 42.")]
    dead = make_bench(ScriptedModel(*script), observer=Dies("recall", 1), start=False)
    stand(dead, **ALERT)
    turn_id = _send_and_die(dead)
    stand(dead)
    alive = make_bench(ScriptedModel(script[1]))

    alive.principal = dead.principal
    alive.take_over(turn_id)
    alive.frames(turn_id)

    iterations = alive.trace(turn_id)["iterations"]
    expected = Modulation.of(Neuromodulators(**ALERT)).to_dict()
    assert [each["modulation"] for each in iterations] == [expected] * 2
