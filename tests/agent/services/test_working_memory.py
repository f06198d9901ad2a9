"""What a conversation has at hand is there for its next turn, whether anybody consolidates or not.

Nobody does in these tests: the benches run no consumers.
"""

from collections.abc import Callable
from typing import Any

import pytest

from soma.agent.api import ModelOutput
from tests.agent.bench import Bench
from tests.fakes.model import ScriptedModel, called, said

pytestmark = pytest.mark.req("MEM-006")
MakeBench = Callable[..., Bench]
FACT, QUESTION = "My boat is called Tern and lies in Horta.", "What is my boat called?"


def look_it_up() -> ModelOutput:
    return called(("memory_recall", {"query": QUESTION}))


def evidence(bench: Bench, turn_id: Any) -> list[tuple[str, str]]:
    """What the turn recalled, by its record."""
    blocks = bench.trace(turn_id)["iterations"][0]["evidence"]
    return [(block["content"], block["layer"]) for block in blocks]


def at_hand(bench: Bench) -> list[str]:
    """What the conversation has at hand, whether consolidation has come to it or not."""
    items = bench.call(bench.desk.database.run, bench.desk.brain.working, bench.tenant, bench.conversation)
    return [item.content for item in items]


def test_what_was_said_a_turn_ago_is_found_when_it_is_looked_up(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted."), look_it_up(), said("Tern.")))
    bench.ask(FACT)
    turn = bench.ask(QUESTION)
    [execution] = bench.trace(turn.id)["iterations"][0]["tools"]
    assert execution["output"]["memories"][0].startswith(FACT)
    assert FACT in at_hand(bench)


def test_what_the_prompt_no_longer_shows_is_evidence_of_the_turn(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted.")))
    bench.ask(FACT)
    for number in range(10):
        bench.ask(f"Here is something else, the number {number}.")
    turn = bench.ask(QUESTION)
    assert evidence(bench, turn.id) == [(FACT, "working")]
    assert FACT in at_hand(bench)


def test_what_was_evidence_counts_as_used(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted.")))
    bench.ask(FACT)
    for number in range(10):
        bench.ask(f"Here is something else, the number {number}.")
    bench.ask(QUESTION)
    items = bench.call(bench.desk.database.run, bench.desk.brain.working, bench.tenant, bench.conversation)
    [fact] = [item for item in items if item.content == FACT]
    assert (fact.turn, fact.last_use) == (1, 12)


def test_another_conversation_has_it_not(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted."), look_it_up(), said("I do not know.")))
    bench.ask(FACT)
    bench.conversation = bench.call(bench.agent.create_conversation, bench.principal).id
    turn = bench.ask(QUESTION)
    [execution] = bench.trace(turn.id)["iterations"][0]["tools"]
    assert execution["output"]["memories"] == []


def test_a_resumed_turn_takes_what_it_recalled_from_its_record(make_bench: MakeBench) -> None:
    """By value: the record of the turn shows it when it is forgotten."""
    bench = make_bench(ScriptedModel(said("Noted.")))
    bench.ask(FACT)
    for number in range(10):
        bench.ask(f"Here is something else, the number {number}.")
    turn = bench.ask(QUESTION)
    before = bench.trace(turn.id)["iterations"][0]
    bench.call(
        bench.desk.database.run,
        bench.desk.brain.forget_conversation,
        bench.tenant,
        str(bench.principal.user_id),
        bench.conversation,
    )
    after = bench.trace(turn.id)["iterations"][0]
    assert (after["evidence"], after["prompt"]) == (before["evidence"], before["prompt"])
    assert after["prompt"] is not None
