"""soma.agent.services.evidence_used: from an answer to a link between memories."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from soma.base.clock import now
from soma.base.ids import new_id
from soma.brain.api import RememberItem, Usage
from soma.events.api import StoredEvent
from soma.fractalmemory.api import USED_TOGETHER
from tests.agent.bench import Bench
from tests.fakes.model import ScriptedModel, said

pytestmark = pytest.mark.req("MEM-004")
MakeBench = Callable[..., Bench]
FACTS = ("My dog is called Rex", "My dog eats Brekkies twice a day")


def tell(bench: Bench, *contents: str) -> list[UUID]:
    items = [
        RememberItem(
            namespace=str(bench.principal.user_id),
            key=content,
            content=content,
            role="user",
            occurred_at=now(),
            provenance={"trace_id": "t", "source_request": "t"},
        )
        for content in contents
    ]
    return [each.record_id for each in bench.desk.brain.remember(bench.tenant, items).stored]


def uses(bench: Bench) -> list[dict[str, Any]]:
    return [payload for name, payload in bench.events() if name == "memory.evidence_used"]


def stored(bench: Bench, payload: dict[str, Any]) -> StoredEvent:
    return StoredEvent(
        partition="0",
        position=1,
        sequence=1,
        event_id=new_id(),
        tenant_id=bench.tenant,
        topic="agent.memory",
        type="memory.evidence_used",
        version=1,
        key=payload["turn_id"],
        payload=payload,
        trace_id="t",
        occurred_at=now(),
        recorded_at=now(),
    )


def test_a_turn_tells_what_its_answer_used_and_memory_links_it(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Your dog Rex eats Brekkies.")))
    rex, brekkies = tell(bench, *FACTS)
    turn = bench.ask("What do you know of my dog?")
    [payload] = uses(bench)
    assert payload["turn_id"] == str(turn.id)
    assert {UUID(each) for each in payload["used"]} == {rex, brekkies}
    assert set(payload["entries"]) == set(payload["used"])
    links = bench.desk.brain.links
    consumer = links.usage()
    for _ in range(2):  # as after a crash
        consumer.handler(stored(bench, payload))
    [link] = links.around(bench.tenant, str(bench.principal.user_id), rex).links
    assert {link.source_id, link.target_id} == {rex, brekkies}
    assert link.kind == USED_TOGETHER
    assert link.flow == pytest.approx(0.3)


def test_a_turn_that_used_nothing_says_nothing(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("I would not know.")))
    tell(bench, *FACTS)
    bench.ask("What do you know of my dog?")
    assert uses(bench) == []


def test_what_links_alone_had_led_to_is_used_and_no_entry(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Rex; and form 730 is due.")))
    rex, tax = tell(bench, FACTS[0], "Form 730 is due in September")
    bench.desk.brain.links.record_usage(_use(bench, rex, tax))
    bench.ask("What is my dog's name?")
    [payload] = uses(bench)
    assert payload["entries"] == [str(rex)]
    assert payload["used"] == [str(rex), str(tax)]


def _use(bench: Bench, *used: UUID) -> Usage:
    return Usage(
        tenant_id=bench.tenant,
        namespace=str(bench.principal.user_id),
        name="test:1",
        entries=used,
        used=used,
        at=now(),
    )
