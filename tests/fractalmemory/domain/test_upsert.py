"""soma.fractalmemory.domain.upsert"""

from dataclasses import replace
from typing import Any

import pytest

from soma.fractalmemory.domain.upsert import Outcome, UpsertPlan
from tests.fractalmemory.memories import memory


@pytest.mark.req("MEM-001")
def test_each_memory_is_written_once_with_its_last_state() -> None:
    first, second = memory("a", content="one"), memory("a", content="two")
    plan = UpsertPlan([])
    assert [each.outcome for each in plan.decide([first, second])] == [Outcome.STORED, Outcome.UPDATED]
    [write] = plan.writes
    assert write.record == replace(second.record, id=first.record.id)


@pytest.mark.req("MEM-001")
@pytest.mark.parametrize(
    "change",
    [{"role": "assistant"}, {"speaker": "Ada"}, {"importance": 0.9}, {"provenance": {"trace_id": "u"}}],
)
def test_a_known_key_is_rewritten_when_anything_of_it_differs(change: dict[str, Any]) -> None:
    standing = memory("a").record
    plan = UpsertPlan([standing])
    assert plan.decide([memory("a", **change)])[0].outcome is Outcome.UPDATED
    assert plan.writes[0].record.id == standing.id


@pytest.mark.req("MEM-001")
def test_a_known_key_may_take_a_content_that_stands_elsewhere() -> None:
    a, b = memory("a", content="one").record, memory("b", content="two").record
    plan = UpsertPlan([a, b])
    assert plan.decide([memory("b", content="one")])[0].outcome is Outcome.UPDATED
    assert plan.decide([memory("c", content="one")])[0].id == a.id
