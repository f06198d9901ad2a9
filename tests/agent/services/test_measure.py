"""What earlier turns have taken is read from their rows."""

from collections.abc import Callable

import pytest

from soma.agent.domain.measures import PRIOR_ANSWER, Measures, ToolMeasure
from soma.agent.services.measure import RecentMeasures, measures
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from tests.agent.bench import Bench
from tests.fakes.model import ScriptedModel, called, said

pytestmark = pytest.mark.req("CTXB-001")
MakeBench = Callable[..., Bench]


def measured(bench: Bench, model: str = "scripted") -> Measures:
    """What the bench's person has measured."""
    with tenant_transaction(bench.tenant):
        agent_id = bench.capsules.standing(bench.tenant, "soma").id
        return measures(bench.tenant, bench.principal.user_id, agent_id, model)


def test_before_any_turn_there_are_priors(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Yes.")))
    assert measured(bench) == Measures()


def test_tools_and_runs_are_measured(make_bench: MakeBench) -> None:
    bench = make_bench(
        ScriptedModel(
            called(("calculator", {"expression": "6 * 7"})),
            said("It is 42.", confidence=0.8),
            called(("calculator", {"expression": "1 / 0"})),
            said("There is no answer to it.", confidence=0.6),
            said("Hello there, friend.", confidence=0.9),
        )
    )
    for text in ("What is 6 * 7?", "What is 1 / 0?", "Hello!"):
        bench.ask(text)

    found = measured(bench)
    tool = found.tool("calculator")
    assert tool == ToolMeasure.of(2, 1, tool.latency_ms.value)
    assert tool.latency_ms.value > 0
    assert (found.call.tokens.value, found.call.tokens.samples) == (5.0, 2)
    assert found.grounded.confidence.samples == 2
    assert found.grounded.confidence.value == pytest.approx(0.7)
    assert (found.plain.tokens.value, found.plain.tokens.samples) == (3.0, 1)
    assert found.plain.confidence.value == pytest.approx(0.9)
    assert found.plain.latency_ms.value > 0
    assert found.recall_ms.samples == 3
    assert found.recall_ms.value > 0


def test_another_model_or_person_has_measured_nothing(make_bench: MakeBench) -> None:
    first, second = make_bench(ScriptedModel(said("Yes."))), make_bench(ScriptedModel(said("Yes.")))
    first.ask("Hello!")
    assert measured(first, "another").plain == PRIOR_ANSWER
    assert measured(second) == Measures()


def test_what_was_read_lately_is_not_read_again(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Yes.")))
    recent, agent_id = RecentMeasures(), new_id()
    key = (bench.tenant, bench.principal.user_id, agent_id, "scripted")
    assert recent.fresh(*key) is None
    found = recent.read(*key)
    assert recent.fresh(*key) is found
    recent.FRESH_SECONDS = 0.0
    assert recent.fresh(*key) is None
