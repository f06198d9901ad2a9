"""soma.brain.services.apply_feedback"""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import ProgrammingError, connection, transaction

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import (
    Brain,
    Embedder,
    FeedbackOutOfOrder,
    LearnedState,
    Learning,
    LearningSettings,
    LearningSignal,
)
from soma.brain.models import LearnedStepRow
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory
from tests.brain.turns import AGENT, feedback


def steps(tenant: UUID) -> int:
    with tenant_transaction(tenant):
        return LearnedStepRow.objects.count()


@pytest.mark.req("LEARN-001")
def test_each_iteration_goes_on_from_the_one_before(brain: Brain, tenant: UUID) -> None:
    turn = new_id()
    with tenant_transaction(tenant):
        first = brain.apply_feedback(feedback(tenant, turn, 0))
    with tenant_transaction(tenant):
        second = brain.apply_feedback(feedback(tenant, turn, 1, confidence=0.2))
    assert first.before == LearnedState()
    assert second.before == first.after
    assert second.after.step == 2
    assert second.prediction_error < 0 < first.prediction_error


@pytest.mark.req("LEARN-002")
@pytest.mark.parametrize("handed", [False, True])
def test_the_same_iteration_again_gives_the_same_and_changes_nothing(
    brain: Brain, tenant: UUID, handed: bool
) -> None:
    turn = new_id()

    def learn(iteration: int, state: LearnedState) -> Learning:
        with tenant_transaction(tenant):
            return brain.apply_feedback(feedback(tenant, turn, iteration, state=state if handed else None))

    first = learn(0, LearnedState())
    second = learn(1, first.after)
    assert learn(0, second.after) == first
    assert learn(1, second.after) == second
    assert steps(tenant) == 2


@pytest.mark.req("LEARN-002")
def test_a_state_that_is_handed_over_saves_looking_it_up(brain: Brain, tenant: UUID) -> None:
    turn = new_id()
    with tenant_transaction(tenant):
        first = brain.apply_feedback(feedback(tenant, turn, 0))
        looked_up = brain.apply_feedback(feedback(tenant, new_id(), 0))
    assert looked_up == first
    with tenant_transaction(tenant):
        handed = brain.apply_feedback(feedback(tenant, turn, 1, state=first.after))
    assert handed.before == first.after


@pytest.mark.req("LEARN-002")
def test_what_was_rolled_back_was_not_learned(brain: Brain, tenant: UUID) -> None:
    turn = new_id()

    def learn_and_fail() -> None:
        with tenant_transaction(tenant):
            brain.apply_feedback(feedback(tenant, turn, 0, confidence=0.1))
            raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        learn_and_fail()
    assert steps(tenant) == 0
    with tenant_transaction(tenant):
        assert brain.apply_feedback(feedback(tenant, turn, 0, confidence=0.9)).before == LearnedState()


@pytest.mark.req("LEARN-002")
def test_two_that_learn_one_iteration_at_once_get_the_same(brain: Brain, tenant: UUID) -> None:
    turn = new_id()
    with tenant_transaction(tenant):
        state = brain.learned_state(tenant, AGENT, LearnedState())

    def learn(confidence: float) -> Learning:
        try:
            with tenant_transaction(tenant):
                return brain.apply_feedback(feedback(tenant, turn, confidence=confidence, state=state))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        learnings = list(threads.map(learn, [0.1 * number for number in range(8)]))
    assert all(learning == learnings[0] for learning in learnings)
    assert steps(tenant) == 1


@pytest.mark.req("LEARN-002")
def test_an_iteration_after_a_later_one_is_refused(brain: Brain, tenant: UUID) -> None:
    turn = new_id()
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, turn, 3))
    with pytest.raises(FeedbackOutOfOrder), tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, turn, 2))


@pytest.fixture
def raw_brain(embedder: Embedder) -> Brain:
    """A brain whose agents learn by the raw rule."""
    settings = LearningSettings(signal=LearningSignal.RAW)
    return Brain(FractalMemory(PgvectorStore()), embedder, learning=settings)


@pytest.mark.req("LEARN-002")
def test_the_raw_rule_is_used_where_it_is_configured_and_said_with_what_it_did(
    raw_brain: Brain, tenant: UUID
) -> None:
    turn = new_id()
    with tenant_transaction(tenant):
        first = raw_brain.apply_feedback(feedback(tenant, turn, confidence=0.8))
    with tenant_transaction(tenant):
        assert raw_brain.apply_feedback(feedback(tenant, turn, confidence=0.8)) == first
    assert first.signal is LearningSignal.RAW
    assert first.after.weights.alpha == pytest.approx(1.0 + 0.05 * 1.08 * 0.8)


@pytest.mark.req("LEARN-002")
def test_what_was_learned_by_a_rule_is_added_by_that_rule(
    brain: Brain, raw_brain: Brain, tenant: UUID, other_tenant: UUID
) -> None:
    raw_turn, other_turn = new_id(), new_id()
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, other_turn, confidence=0.2))
        raw_brain.apply_feedback(feedback(tenant, raw_turn, confidence=0.8))
        brain.checkpoint(tenant, AGENT, other_turn)
        together = brain.checkpoint(tenant, AGENT, raw_turn).state
    first, second = new_id(), new_id()
    with tenant_transaction(other_tenant):
        brain.apply_feedback(feedback(other_tenant, first, confidence=0.2))
        brain.checkpoint(other_tenant, AGENT, first)
        raw_brain.apply_feedback(feedback(other_tenant, second, confidence=0.8))
        assert brain.checkpoint(other_tenant, AGENT, second).state == together


@pytest.mark.req("AUTH-004")
def test_tenants_learn_apart_even_with_one_turn_and_agent(
    brain: Brain, tenant: UUID, other_tenant: UUID
) -> None:
    turn = new_id()
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, turn))
    with tenant_transaction(other_tenant):
        assert brain.apply_feedback(feedback(other_tenant, turn, 1)).before == LearnedState()
    assert steps(tenant) == steps(other_tenant) == 1


@pytest.mark.req("LEARN-002", "AUTH-004")
@pytest.mark.parametrize("table", ["learned_step", "learned_checkpoint"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET tenant_id = tenant_id"])
def test_what_was_learned_cannot_be_changed(tenant: UUID, table: str, change: str) -> None:
    def execute() -> None:
        with tenant_transaction(tenant), connection.cursor() as cursor:
            cursor.execute(change.format(table))

    with pytest.raises(ProgrammingError, match="permission denied"):
        execute()


@pytest.mark.req("AUTH-004")
def test_without_a_tenant_nothing_is_seen(brain: Brain, tenant: UUID) -> None:
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, new_id()))
    with transaction.atomic():
        assert LearnedStepRow.objects.count() == 0
