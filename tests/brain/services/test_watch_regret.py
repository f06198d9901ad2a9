"""soma.brain.services.watch_regret: an agent that does worse goes back by itself"""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import orjson
import pytest
from django.db import connection

from soma.base.crypto import SigningKey
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import (
    Brain,
    Checkpoint,
    CheckpointKind,
    Embedder,
    LearnedState,
    LearningSettings,
    RegretSettings,
)
from soma.events.models import OutboxMessage
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory
from tests.brain.turns import AGENT, feedback

pytestmark = pytest.mark.req("LEARN-004")

FOUR = RegretSettings(turns=4, margin=0.1)
LAW = "a" * 64


@pytest.fixture
def watched(embedder: Embedder) -> Brain:
    """A brain whose agents compare four turns."""
    memory, settings = FractalMemory(PgvectorStore()), LearningSettings(watch=FOUR)
    return Brain(memory, embedder, learning=settings, key=SigningKey.from_seed(b"k" * 32))


def turn(brain: Brain, tenant: UUID, confidence: float) -> Checkpoint:
    """A turn of two iterations."""
    one = new_id()
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, one, 0, confidence=confidence))
        brain.apply_feedback(feedback(tenant, one, 1, confidence=confidence))
        return brain.checkpoint(tenant, AGENT, one)


def chain(brain: Brain, tenant: UUID) -> tuple[Checkpoint, ...]:
    with tenant_transaction(tenant):
        assert brain.verify_checkpoints(tenant, AGENT).intact
        return brain.learned_report(tenant, AGENT, checkpoints=100).checkpoints


def told(tenant: UUID) -> list[dict[str, object]]:
    """The events of returns."""
    with tenant_transaction(tenant):
        waiting = OutboxMessage.objects.filter(type="learning.rolled_back").order_by("event_id")
        return [orjson.loads(each.payload) for each in waiting]


def test_an_agent_that_does_worse_goes_back_to_the_last_good_checkpoint(watched: Brain, tenant: UUID) -> None:
    good = [turn(watched, tenant, 0.9) for _ in range(5)][-1]
    bad = [turn(watched, tenant, 0.1) for _ in range(4)][-1]

    last = chain(watched, tenant)[-1]

    assert (last.kind, last.returns_to, last.sequence) == (CheckpointKind.ROLLBACK, good.sequence, 10)
    assert last.previous_hash == bad.hash
    with tenant_transaction(tenant):
        standing = watched.learned_state(tenant, AGENT, LearnedState())
    assert standing == good.state != bad.state


def test_it_says_so_in_the_transaction_of_the_turn(watched: Brain, tenant: UUID) -> None:
    for confidence in [0.9] * 4 + [0.1] * 3:
        turn(watched, tenant, confidence)

    def fail() -> None:
        one = new_id()
        with tenant_transaction(tenant):
            watched.apply_feedback(feedback(tenant, one, confidence=0.1))
            watched.checkpoint(tenant, AGENT, one)
            raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        fail()
    assert (told(tenant), len(chain(watched, tenant))) == ([], 8)

    turn(watched, tenant, 0.1)
    (event,) = told(tenant)
    returned = chain(watched, tenant)[-1]
    assert (event["checkpoint"], event["checkpoint_hash"]) == (returned.sequence, returned.hash)
    assert (event["returns_to"], event["user_id"]) == (4, None)
    assert str(event["reason"]).startswith("regret: the mean reward of 4 turns fell from 0.9")


def test_the_watch_begins_anew_after_a_return(watched: Brain, tenant: UUID) -> None:
    for confidence in [0.9] * 4 + [0.1] * 11:
        turn(watched, tenant, confidence)
    assert [each["returns_to"] for each in told(tenant)] == [4]

    for confidence in [0.9] * 4 + [0.1] * 4:
        turn(watched, tenant, confidence)
    assert len(told(tenant)) == 2


def test_turns_that_are_as_good_or_better_are_kept(watched: Brain, tenant: UUID) -> None:
    for confidence in [0.2] * 5 + [0.6] * 5 + [0.9] * 5:
        turn(watched, tenant, confidence)
    assert told(tenant) == []
    assert chain(watched, tenant)[-1].kind is CheckpointKind.TURN


@pytest.mark.parametrize("watch", [RegretSettings(turns=0), RegretSettings(turns=4, margin=0.9)])
def test_nobody_goes_back_who_is_not_watched_or_within_the_margin(
    embedder: Embedder, tenant: UUID, watch: RegretSettings
) -> None:
    brain = Brain(FractalMemory(PgvectorStore()), embedder, learning=LearningSettings(watch=watch))
    for confidence in [0.9] * 5 + [0.1] * 5:
        turn(brain, tenant, confidence)
    assert told(tenant) == []


def test_nothing_is_returned_to_that_was_learned_under_a_revoked_constitution(
    watched: Brain, tenant: UUID
) -> None:
    with tenant_transaction(tenant):
        watched.adopt_constitution(tenant, LAW)
    for _ in range(4):
        turn(watched, tenant, 0.9)
    with tenant_transaction(tenant):
        watched.revoke_constitution(tenant, LAW)
    for _ in range(4):
        turn(watched, tenant, 0.1)
    assert told(tenant) == []


def test_turns_that_end_at_once_go_back_once(watched: Brain, tenant: UUID) -> None:
    for _ in range(4):
        turn(watched, tenant, 0.9)

    def end(number: int) -> None:
        try:
            turn(watched, tenant, 0.1)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(end, range(6)))
    assert [each["returns_to"] for each in told(tenant)] == [4]
    kinds = [each.kind for each in chain(watched, tenant)]
    assert kinds.count(CheckpointKind.TURN) == 1 + 4 + 6
    assert kinds.count(CheckpointKind.ROLLBACK) == 1


def test_the_reward_of_a_turn_is_in_its_checkpoint(watched: Brain, tenant: UUID) -> None:
    one = new_id()
    with tenant_transaction(tenant):
        rewards = [
            watched.apply_feedback(feedback(tenant, one, number, confidence=confidence)).reward
            for number, confidence in enumerate([0.9, 0.3, 0.3])
        ]
        watched.checkpoint(tenant, AGENT, one)
    root, made = chain(watched, tenant)
    assert root.reward is None
    assert made.reward == pytest.approx(sum(rewards) / 3)


@pytest.mark.req("AUTH-004")
def test_the_turns_of_another_tenant_or_agent_count_for_neither(
    watched: Brain, tenant: UUID, other_tenant: UUID
) -> None:
    for _ in range(4):
        turn(watched, tenant, 0.9)
    for _ in range(4):
        turn(watched, other_tenant, 0.1)
    assert told(tenant) == told(other_tenant) == []
