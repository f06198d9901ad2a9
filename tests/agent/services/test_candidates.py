"""What could be done next, and what is expected of each."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.agent.api import BUILTIN_TOOLS, LoopSettings
from soma.agent.domain.measures import PRIOR_SUCCESS, Figure, Measures, RunMeasure, ToolMeasure
from soma.agent.domain.tool import ToolStatus
from soma.agent.services.candidates import ASK_CONFIDENCE, UNFIT, Situation, candidates
from soma.brain.api import Candidate, Source
from tests.agent.domain.test_prompt import result

pytestmark = pytest.mark.req("CTXB-001")

PLAIN = Situation(
    message="What is 17 times 23?",
    shown=(),
    more=0,
    room=100,
    evidence_tokens=0,
    prompt_tokens=100,
    tools=BUILTIN_TOOLS,
    results=(),
    loop=LoopSettings(),
    measures=Measures(),
)
confidences = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def action(situation: Situation, name: str) -> Candidate:
    """The candidate of that action or tool."""
    [found] = [each for each in candidates(situation) if name in {each.action, each.target}]
    return found


def test_a_tool_that_the_message_asks_for_is_worth_more() -> None:
    asked, other = action(PLAIN, "calculator").confidence, action(PLAIN, "clock").confidence
    assert (asked.value, other.value) == (PRIOR_SUCCESS, PRIOR_SUCCESS * UNFIT)
    assert asked.parts == {"success": PRIOR_SUCCESS, "fit": 1.0}
    assert asked.source is Source.PRIOR


def test_what_was_measured_of_a_tool_counts_and_says_so() -> None:
    measured = Measures(tools={"calculator": ToolMeasure.of(16, 4, 7.0)})
    estimate = action(replace(PLAIN, measures=measured), "calculator").confidence
    assert estimate.value == pytest.approx((4 + 4 * 0.9) / 20)
    assert (estimate.source, estimate.samples) == (Source.MEASURED, 16)


def test_one_failure_does_not_condemn_a_tool() -> None:
    assert ToolMeasure.of(1, 0, 5.0).success.value > 0.7
    assert ToolMeasure.of(100, 0, 5.0).success.value < 0.05


def test_memory_is_as_sure_as_its_evidence_that_is_shown() -> None:
    assert action(PLAIN, "answer_from_memory").confidence.value == 0.0
    known = replace(PLAIN, shown=(0.8, 0.5), more=1, evidence_tokens=40)
    assert action(known, "answer_from_memory").confidence.value == pytest.approx(0.9)
    assert action(known, "answer_from_memory").confidence.source is Source.CALIBRATED
    assert action(known, "recall_wider").confidence.value == pytest.approx(0.95)


def test_recalling_wider_brings_what_the_lane_has_room_for() -> None:
    known = replace(PLAIN, shown=(0.5,), more=8, evidence_tokens=20)
    for room, confidence in ((100, 1 - 0.5**6), (45, 1 - 0.5**3), (19, 0.5)):
        wider = action(replace(known, room=room), "recall_wider")
        assert wider.confidence.value == pytest.approx(confidence)
        assert wider.cost.amount == 100 + 64 + room // 20 * 20


@given(confidences, st.integers(0, 8), st.integers(0, 50))
def test_recalling_wider_is_never_less_sure_and_never_cheaper(
    shown: list[float], more: int, room: int
) -> None:
    situation = replace(PLAIN, shown=tuple(shown), more=more, room=room, evidence_tokens=7 * len(shown))
    here, wider = action(situation, "answer_from_memory"), action(situation, "recall_wider")
    assert wider.confidence.value >= here.confidence.value - 1e-12
    assert wider.cost.value >= here.cost.value
    assert wider.latency.value >= here.latency.value


def test_results_can_be_answered_from_once_a_tool_ran() -> None:
    assert "answer_from_results" not in {each.action for each in candidates(PLAIN)}
    failed = result("broken", ToolStatus.ERROR)
    ran = replace(PLAIN, results=(result({"result": "391"}), failed))
    estimate = action(ran, "answer_from_results").confidence
    assert (estimate.value, estimate.source, estimate.samples) == (0.5, Source.MEASURED, 2)
    denied = replace(PLAIN, results=(result("no", ToolStatus.DENIED),))
    assert "answer_from_results" not in {each.action for each in candidates(denied)}


def test_asking_back_is_a_stated_prior() -> None:
    asked = action(PLAIN, "ask")
    assert (asked.confidence.value, asked.confidence.source) == (ASK_CONFIDENCE, Source.PRIOR)
    assert asked.latency.value == 1.0


def test_cost_and_latency_are_shares_of_budget_and_deadline() -> None:
    run = RunMeasure(
        latency_ms=Figure(value=2500.0, samples=3),
        tokens=Figure(value=28.0, samples=4),
        confidence=Figure(value=0.7, samples=3),
    )
    answer = action(replace(PLAIN, measures=Measures(plain=run)), "answer")
    assert answer.cost.value == pytest.approx(128 / LoopSettings().turn_token_budget)
    assert (answer.cost.amount, answer.cost.unit, answer.cost.samples) == (128.0, "tokens", 4)
    assert answer.latency.value == pytest.approx(2500 / LoopSettings().deadline_ms)
    assert (answer.latency.source, answer.confidence.value) == (Source.MEASURED, 0.7)


def test_a_sum_is_measured_only_where_all_of_it_is() -> None:
    known = Measures(tools={"calculator": ToolMeasure.of(5, 5, 7.0)})
    called = action(replace(PLAIN, measures=known), "calculator")
    assert called.confidence.source is Source.MEASURED
    assert called.latency.source is Source.PRIOR
    assert called.latency.amount == pytest.approx(known.call.latency_ms.value + 7.0 + 1500.0)
