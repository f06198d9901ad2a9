"""soma.agent.services.give_feedback and credit: from what a user says to what an agent learns."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from soma.agent.api import Thumb, TurnFeedback, TurnView
from soma.agent.models import CapsuleRow, TurnFeedbackRow
from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import Conflict, Denied, InvalidInput, LimitExceeded, NotFound
from soma.base.ids import new_id
from soma.brain.api import LearnedReport, RecallRequest
from soma.events.api import StoredEvent
from tests.agent.bench import Bench
from tests.agent.services.test_evidence_used import tell
from tests.fakes.model import ScriptedModel, called, said

pytestmark = pytest.mark.req("LEARN-004")
MakeBench = Callable[..., Bench]
UP, DOWN = TurnFeedback(thumb=Thumb.UP), TurnFeedback(thumb=Thumb.DOWN)
QUESTION, ANSWER = "What do you know of my dog?", "Your dog is called Rex."
FACTS = ("My dog is called Rex", "My dog eats Brekkies twice a day")


def asked(bench: Bench) -> tuple[TurnView, list[UUID]]:
    """A turn whose answer used the first of two memories."""
    memories = tell(bench, *FACTS)
    return bench.ask(QUESTION), memories


def give(bench: Bench, turn: UUID, what: TurnFeedback, **options: Any) -> dict[str, Any]:
    return bench.call(bench.agent.feedback, bench.principal, turn, what, **options)


def learned(bench: Bench) -> LearnedReport:
    with tenant_transaction(bench.tenant):
        agent = CapsuleRow.objects.get(name="soma").id
        return bench.desk.brain.learned_report(bench.tenant, str(agent), checkpoints=100)


def told(bench: Bench, name: str) -> list[dict[str, Any]]:
    return [payload for each, payload in bench.events() if each == name]


def test_an_answer_credits_what_it_used_with_its_turn(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said(ANSWER)))
    turn, _ = asked(bench)
    report = learned(bench)
    assert [(each.kind, each.turn_id) for each in report.checkpoints] == [("turn", None), ("turn", turn.id)]
    [ranking] = report.rankings
    assert (ranking.namespace, ranking.version) == (str(bench.principal.user_id), 1)
    assert ranking.state.questions == 1


def test_an_answer_that_used_nothing_credits_nothing(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("I would not know.")))
    asked(bench)
    assert learned(bench).rankings == ()


def test_a_thumb_reaches_weights_rankings_calibration_and_the_log(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(("calculator", {"expression": "2+2"})), said(ANSWER)))
    turn, (rex, brekkies) = asked(bench)
    before = learned(bench)
    done = give(bench, turn.id, UP)
    after = learned(bench)
    assert after.state.weights.alpha > before.state.weights.alpha
    assert after.rankings[0].state.questions == before.rankings[0].state.questions + 1
    assert after.checkpoints[-1].source_id == UUID(done["feedback_id"])
    assert bench.desk.brain.calibration(bench.tenant, str(bench.principal.user_id)).pending == 2
    [event] = told(bench, "learning.feedback_given")
    assert event["user_id"] == str(bench.principal.user_id)
    assert (
        event["credited"]
        == done["credited"]
        == {
            "evidence": {"relevant": [str(rex)], "irrelevant": [str(brekkies)]},
            "tools": [{"tool": "calculator", "calls": 1, "ok": 1}],
            "models": [{"model": "scripted", "iterations": 2}],
        }
    )
    assert event["learning"]["checkpoint"] == after.checkpoints[-1].sequence
    assert event["learning"]["applied"]


@pytest.mark.req("LEARN-002")
def test_the_same_again_changes_nothing_and_something_else_replaces_it(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said(ANSWER)))
    turn, _ = asked(bench)
    first = give(bench, turn.id, UP)
    stood = learned(bench)
    assert give(bench, turn.id, UP) == {**first, "repeated": True}
    assert learned(bench) == stood
    second = give(bench, turn.id, DOWN)
    assert (second["revision"], second["replaces"]) == (1, first["feedback_id"])
    assert learned(bench).state.weights.alpha < stood.state.weights.alpha
    with tenant_transaction(bench.tenant):
        rows = TurnFeedbackRow.objects.filter(turn_id=turn.id).order_by("revision")
        assert [each.said["thumb"] for each in rows] == ["up", "down"]
    assert len(told(bench, "learning.feedback_given")) == 2


@pytest.mark.req("LEARN-002")
def test_a_key_is_for_one_feedback(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said(ANSWER)))
    turn, _ = asked(bench)
    first = give(bench, turn.id, UP, idempotency_key="k")
    give(bench, turn.id, DOWN)
    # Sent again late: what was said since stands.
    assert give(bench, turn.id, UP, idempotency_key="k") == {**first, "repeated": True}
    assert len(learned(bench).checkpoints) == 4
    with pytest.raises(Conflict, match="key"):
        give(bench, turn.id, DOWN, idempotency_key="k")
    with pytest.raises(InvalidInput, match="key"):
        give(bench, turn.id, UP, idempotency_key="")


@pytest.mark.req("LEARN-002")
def test_thumbs_at_the_same_time_count_once(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said(ANSWER)))
    turn, _ = asked(bench)
    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(lambda _: give(bench, turn.id, UP), range(6)))
    assert sorted(each["repeated"] for each in done) == [False] + [True] * 5
    assert len(learned(bench).checkpoints) == 3


def test_a_correction_speaks_for_other_evidence_and_is_remembered(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said(ANSWER)))
    turn, (rex, brekkies) = asked(bench)
    words = "What I wanted to hear is that he eats Brekkies in the morning."
    done = give(bench, turn.id, TurnFeedback(correction=words))
    assert (done["score"], done["corrected"]) == (0.0, True)
    assert done["credited"]["evidence"] == {"relevant": [str(brekkies)], "irrelevant": [str(rex)]}
    requested = told(bench, "memory.remember_requested")[-1]
    bench.desk.brain.consolidation().handler(stored(bench, requested))
    found = bench.desk.brain.recall(
        RecallRequest(
            tenant_id=bench.tenant,
            agent_id=None,
            namespace=str(bench.principal.user_id),
            query="What does my dog eat in the morning?",
        )
    )
    [memory] = [each for each in found.evidence if each.content == words]
    assert memory.role == "user"
    assert memory.provenance["source_turn"] == str(turn.id)


def stored(bench: Bench, payload: dict[str, Any]) -> StoredEvent:
    return StoredEvent(
        partition="0",
        position=1,
        sequence=1_000_000,
        event_id=new_id(),
        tenant_id=bench.tenant,
        topic="agent.memory",
        type="memory.remember_requested",
        version=1,
        key=payload["turn_id"],
        payload=payload,
        trace_id="t",
        occurred_at=now(),
        recorded_at=now(),
    )


def test_a_thumb_down_takes_back_some_credit_of_what_the_answer_used(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said(ANSWER)))
    turn, (rex, _) = asked(bench)
    [before] = learned(bench).rankings
    done = give(bench, turn.id, DOWN)
    assert done["credited"]["evidence"] == {"relevant": [], "irrelevant": [str(rex)]}
    assert done["learning"]["ranking_applied"]
    [after] = learned(bench).rankings
    assert after.state.own != before.state.own
    assert (after.state.trust, after.state.questions) == (before.state.trust, before.state.questions)
    assert bench.desk.brain.calibration(bench.tenant, str(bench.principal.user_id)).pending == 0


def test_marks_judge_evidence_alone(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said(ANSWER)))
    turn, (rex, brekkies) = asked(bench)
    done = give(bench, turn.id, TurnFeedback(marks={brekkies: True}))
    assert done["score"] is None
    assert done["credited"]["evidence"] == {"relevant": [str(brekkies)], "irrelevant": [str(rex)]}
    with pytest.raises(InvalidInput, match="did not recall"):
        give(bench, turn.id, TurnFeedback(marks={new_id(): True}))


def test_a_rollback_takes_feedback_back(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said(ANSWER)))
    turn, _ = asked(bench)
    before = learned(bench)
    give(bench, turn.id, DOWN)
    with tenant_transaction(bench.tenant):
        bench.desk.brain.rollback(bench.tenant, before.agent_id, turn_id=turn.id)
    after = learned(bench)
    assert after.state == before.state
    assert [each.state for each in after.rankings] == [each.state for each in before.rankings]


@pytest.mark.req("AUTH-002")
def test_only_who_takes_part_and_may_teach_is_heard(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said(ANSWER)))
    turn, _ = asked(bench)
    for role in ("operator", "guest"):
        somebody = make_bench(ScriptedModel(said(ANSWER)), roles=(role,))
        with pytest.raises(Denied):
            somebody.call(somebody.agent.feedback, somebody.principal, turn.id, UP)
    # A guest may talk, and teaches nothing.
    guest = make_bench(ScriptedModel(said(ANSWER)), roles=("guest",))
    own = guest.ask(QUESTION)
    with pytest.raises(Denied):
        give(guest, own.id, UP)
    with pytest.raises(NotFound):
        give(bench, new_id(), UP)
    with tenant_transaction(bench.tenant):
        assert not TurnFeedbackRow.objects.exists()


def test_a_turn_without_an_answer_cannot_be_judged(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("")))
    turn = bench.ask(QUESTION)
    with pytest.raises(Conflict, match="no answer"):
        give(bench, turn.id, UP)


def test_changes_of_mind_have_a_limit(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said(ANSWER)))
    turn, _ = asked(bench)
    for number in range(20):
        give(bench, turn.id, UP if number % 2 else DOWN)
    with pytest.raises(LimitExceeded, match="20"):
        give(bench, turn.id, DOWN)
    assert len(learned(bench).checkpoints) == 22
