"""A turn is rebuilt from the log alone, however it went, and is what the rows say."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from soma.agent.api import BUILTIN_TOOLS, LoopSettings, ModelOutput, ModelUnavailable, Verdict
from soma.base.errors import Conflict, NotFound
from soma.base.ids import new_id
from tests.agent.bench import Bench
from tests.agent.services.test_resume import Dies, _send_and_die, resumed
from tests.agent.services.test_tools import Doing, failing, spec
from tests.fakes.model import ScriptedModel, called, said

pytestmark = pytest.mark.req("REPLAY-003")

MakeBench = Callable[..., Bench]
ADD = ("calculator", {"expression": "2 + 40"})
CALL = said('{"tool": "calculator", "arguments": {"expression": "2 + 40"}}')
WRONG = ("calculator", {"wrong": 1})
IMPOSSIBLE = ("calculator", {"expression": "1/0"})
REFINING = LoopSettings(refine=True, max_iterations=3)
UNRATED = ModelOutput(text="Perhaps.", stop_reason="end_turn", prompt_tokens=3, completion_tokens=1)
GRADE = ModelOutput(text='{"grade": 7}', stop_reason="end_turn", prompt_tokens=3, completion_tokens=1)


def verified(bench: Bench, turn_id: UUID) -> dict[str, Any]:
    """The report on a turn that must be identical."""
    report = bench.replay(turn_id)
    told = report.to_dict()
    assert report.verdict is Verdict.IDENTICAL, (told["divergence"], told["missing"])
    for name, each in report.hashes.items():
        assert each.rebuilt == each.stored, name
    return told


@pytest.mark.parametrize(
    ("replies", "options"),
    [
        ([*[called(ADD)] * 4, said("It is 42.")], {}),
        ([called(ADD, ADD, ("clock", {"timezone": "UTC"})), said("42")], {}),
        ([CALL, said("It is 42.")], {"native": False}),
        ([CALL, said("I would not know.")], {"native": False}),
        ([said("no call"), said("Then I guess.")], {"native": False}),
        ([called(("nothing", {})), said("There is none.")], {}),
        ([called(WRONG), called(IMPOSSIBLE), said("Hm.")], {}),
        ([UNRATED, GRADE], {}),
        ([said("a"), said("b", confidence=0.8), said("c")], {"loop": REFINING}),
        ([called(ADD)], {"loop": LoopSettings(max_iterations=3)}),
        ([called(ADD)], {"loop": LoopSettings(turn_token_budget=25)}),
        ([said("At once.")], {"rlm": False}),
        ([said("Long " * 2000)], {}),
        ([said("Ünïcode — 漢字 🙂\n\ttabs\n" * 3)], {}),
    ],
    ids=lambda value: "" if isinstance(value, dict) else None,
)  # fmt: skip
def test_a_turn_is_rebuilt_whole(make_bench: MakeBench, replies: list[Any], options: dict[str, Any]) -> None:
    native = options.get("native", True)
    rest = {name: value for name, value in options.items() if name != "native"}
    bench = make_bench(ScriptedModel(*replies, native_tools=native), **rest)

    turn = bench.ask("What is 2 + 40?")
    told = verified(bench, turn.id)

    assert told["iterations"] == turn.iterations > 0
    assert told["status"] == "completed"
    assert told["log"]["partitions"] == ["log"]


def test_later_turns_with_history_and_evidence(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Rex is a good name for a dog."), said("Your dog is called Rex.")))
    turns = [bench.ask(text) for text in ("My dog is called Rex.", "What is my dog called?", "And again?")]

    for turn in turns:
        verified(bench, turn.id)


def test_denied_failing_slow_and_huge_tools(make_bench: MakeBench) -> None:
    specs = [spec("fails"), spec("huge"), spec("pays", idempotent=False), spec("off", enabled=False)]
    tools = [
        Doing("fails", failing),
        Doing("huge", lambda context: {"rows": [["cell"] * 50] * 200, "n": 1e22, "z": -0.0, "i": 2.0}),
        Doing("pays", lambda context: {"paid": True}),
    ]
    calls = [(one.name, {"of": "x" * 3000}) for one in specs]
    bench = make_bench(ScriptedModel(called(*calls), said("So.")), specs=specs, tools=tools)

    turn = bench.ask("Do it all.")
    statuses = [tool["status"] for tool in bench.trace(turn.id)["iterations"][0]["tools"]]

    assert statuses == ["error", "ok", "ok", "denied"]
    verified(bench, turn.id)


def test_a_turn_that_went_on_with_the_fallback(make_bench: MakeBench) -> None:
    bench = make_bench(
        ScriptedModel(ModelUnavailable("gone")),
        fallback=ScriptedModel(CALL, said("It is 42."), name="second", native_tools=False),
    )
    verified(bench, bench.ask("What is 2 + 40?").id)


def test_a_failed_turn(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(ADD), ModelUnavailable("gone")))
    turn = bench.ask("What is 2 + 40?")

    told = verified(bench, turn.id)

    assert (told["status"], told["iterations"]) == ("failed", 1)


def test_a_turn_that_failed_at_once(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(ModelUnavailable("gone")))
    assert verified(bench, bench.ask("Hello?").id)["iterations"] == 0


def test_a_cancelled_turn(make_bench: MakeBench) -> None:
    model = ScriptedModel(called(ADD), said("one two three four"))
    bench = make_bench(model)
    model.holding = bench.desk.portal.call(_event)

    async def cancel_in_the_middle() -> UUID:
        accepted = await bench.agent.send_message(bench.principal, bench.conversation, "Count.")
        async for frame in bench.agent.stream(bench.principal, accepted.turn_id):
            if frame.event == "answer.delta":
                await bench.agent.cancel(bench.principal, accepted.turn_id)
        return accepted.turn_id

    turn = bench.turn(bench.desk.portal.call(cancel_in_the_middle))
    assert turn.status == "cancelled"
    assert verified(bench, turn.id)["iterations"] == 2


async def _event() -> Any:

    return asyncio.Event()


@pytest.mark.parametrize(
    ("phase", "iteration"), [("started", -1), ("tools", 0), ("committed", 1), ("finish", -1)]
)
def test_a_turn_that_was_resumed(make_bench: MakeBench, phase: str, iteration: int) -> None:
    script = [called(ADD), called(ADD), said("It is 42.")]
    dead = make_bench(ScriptedModel(*script), observer=Dies(phase, iteration), start=False)
    turn_id = _send_and_die(dead)
    done = dead.turn(turn_id).iterations
    alive = make_bench(ScriptedModel(*script[done:] or script[-1:]))
    resumed(dead, alive, turn_id)

    assert verified(alive, turn_id)["attempts"] == 2


def test_a_turn_that_repeats_another(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("The same.")), specs=BUILTIN_TOOLS)
    first = bench.ask("Say it.", seed=5)
    bench.conversation = bench.call(bench.agent.create_conversation, bench.principal).id
    again = bench.ask("Say it.", seed=5)

    for turn in (first, again):
        verified(bench, turn.id)


def test_turns_of_one_agent_at_once_each_on_a_line_of_its_own(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(ADD), called(ADD), said("42")))
    turns = []
    for _ in range(3):
        bench.conversation = bench.call(bench.agent.create_conversation, bench.principal).id
        turns.append(bench.send("2 + 40?"))
    for turn_id in turns:
        bench.frames(turn_id)

    for turn_id in turns:
        verified(bench, turn_id)


def test_that_it_was_replayed_is_recorded_and_nothing_else_changes(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(ADD), said("42")))
    turn = bench.ask("2 + 40?")
    before, trace = bench.events(), bench.trace(turn.id)

    verified(bench, turn.id)

    [(name, payload)] = [each for each in bench.events() if each not in before]
    assert name == "chat.turn_replayed"
    assert payload == {
        "turn_id": str(turn.id),
        "user_id": str(bench.principal.user_id),
        "mode": "verify",
        "verdict": "identical",
        "diverged_at": None,
    }
    assert bench.trace(turn.id) == trace


def test_a_running_turn_and_none_at_all_are_refused(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("42")), observer=Dies("model", 0), start=False)
    turn_id = _send_and_die(bench)

    with pytest.raises(Conflict, match="still running"):
        bench.replay(turn_id)
    with pytest.raises(NotFound):
        bench.replay(new_id())
