"""A given seed gives the same prompt again, whatever was told in between."""

from collections.abc import Callable

import pytest

from soma.base import clock
from soma.brain.api import RememberItem
from tests.agent.bench import Bench
from tests.fakes.model import ScriptedModel, said

MakeBench = Callable[..., Bench]
QUESTION = "What is my favourite colour?"


def tell(bench: Bench, fact: str) -> None:
    """Let memory know a fact, as consolidation does."""
    item = RememberItem(
        namespace=str(bench.principal.user_id),
        key=fact,
        content=fact,
        role="user",
        occurred_at=clock.now(),
        provenance={"trace_id": "t", "source_request": "test"},
    )
    bench.call(bench.desk.database.run, bench.desk.brain.remember, bench.tenant, [item])


def ask_anew(bench: Bench, text: str, **options: int) -> str:
    """Ask in a new conversation; the hash of the prompt that the model got."""
    bench.conversation = bench.call(bench.agent.create_conversation, bench.principal).id
    prompt_hash: str = bench.trace(bench.ask(text, **options).id)["iterations"][0]["prompt_hash"]
    return prompt_hash


@pytest.mark.req("RLM-005")
def test_a_seeded_turn_repeats_its_prompt_byte_for_byte(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Teal.")))
    tell(bench, "My favourite colour is teal.")

    hashes = set()
    for number in range(5):
        hashes.add(ask_anew(bench, QUESTION, seed=7))
        tell(bench, f"My favourite colour was once number {number}.")
        ask_anew(bench, f"Something else, {number}.")

    assert len(hashes) == 1


@pytest.mark.req("RLM-005")
def test_without_the_seed_or_with_another_memory_is_read_anew(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Teal.")))
    before = ask_anew(bench, QUESTION, seed=7)
    tell(bench, "My favourite colour is teal.")

    assert ask_anew(bench, QUESTION, seed=7) == before
    assert ask_anew(bench, QUESTION) != before
    assert ask_anew(bench, QUESTION, seed=8) != before


@pytest.mark.req("RLM-005")
def test_another_person_repeats_nobodys_turn(make_bench: MakeBench) -> None:
    first, second = make_bench(ScriptedModel(said("Teal."))), make_bench(ScriptedModel(said("Teal.")))
    tell(first, "My favourite colour is teal.")
    told = ask_anew(first, QUESTION, seed=7)

    assert ask_anew(second, QUESTION, seed=7) != told
