"""What clients see of a turn: live, later, again, and from the middle."""

import asyncio
from collections.abc import Callable

import pytest

from soma.agent.api import LoopSettings
from tests.agent.bench import Bench
from tests.fakes.model import ScriptedModel, called, said

MakeBench = Callable[..., Bench]
ADD = ("calculator", {"expression": "2 + 40"})


@pytest.mark.req("CHAT-002")
def test_live_and_replayed_frames_are_the_same(make_bench: MakeBench) -> None:
    bench = make_bench(
        ScriptedModel(called(ADD, ("clock", {"timezone": "UTC"})), said("It is 42, and late."))
    )

    turn_id = bench.send("2 + 40?")
    live = bench.frames(turn_id)
    again = bench.frames(turn_id)

    assert again == live
    assert [frame.id for frame in live] == list(range(1, len(live) + 1))
    events = [frame.event for frame in live]
    assert events[:2] == ["turn.started", "plan"]
    assert events[-2:] == ["answer", "turn.completed"]
    assert events.count("tool.intent") == events.count("tool.done") == 2
    assert events.count("verify") == events.count("learn") == 2
    text = "".join(frame.data["text"] for frame in live if frame.event == "answer.delta")
    assert text == "It is 42, and late."


@pytest.mark.req("CHAT-002")
def test_a_client_goes_on_where_it_was(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(ADD), said("It is 42.")))
    turn_id = bench.send("2 + 40?")
    everything = bench.frames(turn_id)

    for frame in everything:
        assert bench.frames(turn_id, after=frame.id) == [each for each in everything if each.id > frame.id]


@pytest.mark.req("CHAT-002")
def test_a_reader_that_leaves_does_not_stop_the_turn(make_bench: MakeBench) -> None:
    model = ScriptedModel(said("one two three"))
    bench = make_bench(model)

    async def read_one_and_leave() -> None:
        stream = bench.agent.stream(bench.principal, turn_id)
        async for frame in stream:
            if frame.event == "answer.delta":
                break
        await stream.aclose()  # type: ignore[attr-defined]

    model.holding = bench.desk.portal.call(_event)
    turn_id = bench.send("Count.")
    bench.desk.portal.call(read_one_and_leave)
    bench.desk.portal.call(model.holding.set)

    assert bench.frames(turn_id)[-1].event == "turn.completed"
    assert bench.turn(turn_id).answer == "one two three"


@pytest.mark.req("CHAT-002")
def test_cancelling_stops_the_turn_and_keeps_what_was_said(make_bench: MakeBench) -> None:
    model = ScriptedModel(said("one two three"))
    bench = make_bench(model, loop=LoopSettings(refine=True))
    model.holding = bench.desk.portal.call(_event)
    turn_id = bench.send("Count.")

    async def cancel_at_the_first_word() -> None:
        async for frame in bench.agent.stream(bench.principal, turn_id):
            if frame.event == "answer.delta":
                await bench.agent.cancel(bench.principal, turn_id)

    bench.desk.portal.call(cancel_at_the_first_word)
    turn = bench.turn(turn_id)

    assert (turn.status, turn.exit_reason, turn.answer) == ("cancelled", "cancelled", "one")
    assert bench.frames(turn_id)[-1].data["status"] == "cancelled"
    iteration = bench.trace(turn_id)["iterations"][0]
    assert iteration["learning"]["applied"] is False
    assert iteration["learning"]["weights_after"] == iteration["learning"]["weights_before"]


async def _event() -> asyncio.Event:
    return asyncio.Event()
