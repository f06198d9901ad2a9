"""soma.brain.services.checkpoint and verify_checkpoints"""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from django.db import connection, connections

from soma.base.crypto import SigningKey
from soma.base.database import tenant_transaction
from soma.base.errors import NotFound
from soma.base.ids import new_id
from soma.brain.api import Brain, ChainReport, LearnedState
from soma.brain.domain.learning import learn
from soma.brain.models import LearnedCheckpointRow, LearnedStateRow, LearnedStepRow
from soma.brain.services.apply_feedback import signals_of
from soma.brain.services.checkpoint_rows import checkpoint_of
from soma.brain.services.verify_checkpoints import verify_checkpoints
from tests.brain.turns import AGENT, feedback


def standing(brain: Brain, tenant: UUID) -> LearnedState:
    with tenant_transaction(tenant):
        return brain.learned_state(tenant, AGENT, LearnedState())


def verify(brain: Brain, tenant: UUID) -> ChainReport:
    with tenant_transaction(tenant):
        return brain.verify_checkpoints(tenant, AGENT)


def learn_turn(brain: Brain, tenant: UUID, confidences: list[float], *, handed: bool) -> None:
    """A whole turn, as an agent runs one."""
    turn = new_id()
    state = standing(brain, tenant)
    for iteration, confidence in enumerate(confidences):
        with tenant_transaction(tenant):
            given = feedback(tenant, turn, iteration, confidence=confidence, state=state if handed else None)
            state = brain.apply_feedback(given).after
    with tenant_transaction(tenant):
        brain.checkpoint(tenant, AGENT, turn)


def learned_one_by_one(tenant: UUID) -> LearnedState:
    """Where the agent would stand if its turns had come one after the other, in the order of its chain."""
    state = LearnedState()
    with tenant_transaction(tenant):
        turns = LearnedCheckpointRow.objects.filter(sequence__gt=0).order_by("sequence")
        for turn in turns:
            assert turn.turn_id is not None
            for step in LearnedStepRow.objects.filter(turn_id=turn.turn_id).order_by("iteration"):
                state = learn(state, signals_of(step.numbers)).after
    return state


@pytest.mark.req("LEARN-001")
def test_a_turn_that_was_alone_moves_the_agent_to_where_its_line_ends(brain: Brain, tenant: UUID) -> None:
    turn = new_id()
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, turn, 0))
        last = brain.apply_feedback(feedback(tenant, turn, 1, confidence=0.1)).after
    assert standing(brain, tenant) == LearnedState()
    with tenant_transaction(tenant):
        made = brain.checkpoint(tenant, AGENT, turn)
    assert (made.state, made.sequence, made.turn_id, made.last_iteration) == (last, 1, turn, 1)
    assert standing(brain, tenant).to_bytes() == last.to_bytes()


@pytest.mark.req("LEARN-002")
def test_the_same_turn_again_adds_nothing(brain: Brain, tenant: UUID) -> None:
    turn = new_id()
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, turn))
        made = brain.checkpoint(tenant, AGENT, turn)
    with tenant_transaction(tenant):
        assert brain.checkpoint(tenant, AGENT, turn) == made
    assert standing(brain, tenant) == made.state
    assert verify(brain, tenant) == ChainReport(checkpoints=2, broken_at=None)


@pytest.mark.req("LEARN-002")
def test_what_a_turn_learns_after_its_checkpoint_is_added_alone(brain: Brain, tenant: UUID) -> None:
    turn = new_id()
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, turn, 0))
        brain.checkpoint(tenant, AGENT, turn)
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, turn, 1))
        assert brain.checkpoint(tenant, AGENT, turn).state.step == 2


@pytest.mark.req("LEARN-001")
def test_a_turn_that_learned_nothing_leaves_the_agent_where_it_stands(brain: Brain, tenant: UUID) -> None:
    standing(brain, tenant)
    with tenant_transaction(tenant):
        made = brain.checkpoint(tenant, AGENT, new_id())
    assert (made.sequence, made.state) == (0, LearnedState())


@pytest.mark.req("LEARN-001")
def test_an_agent_that_has_not_begun_has_nothing_to_add_to(brain: Brain, tenant: UUID) -> None:
    with pytest.raises(NotFound), tenant_transaction(tenant):
        brain.checkpoint(tenant, AGENT, new_id())
    with pytest.raises(NotFound), tenant_transaction(tenant):
        brain.verify_checkpoints(tenant, AGENT)


@pytest.mark.req("LEARN-002")
@pytest.mark.parametrize("handed", [False, True])
def test_turns_side_by_side_give_what_they_would_give_one_after_another(
    brain: Brain, tenant: UUID, other_tenant: UUID, handed: bool
) -> None:
    first, second = new_id(), new_id()
    start = standing(brain, tenant)
    states = {first: start, second: start}
    for iteration, turn, confidence in [(0, first, 0.9), (0, second, 0.1), (1, second, 0.7), (1, first, 0.3)]:
        with tenant_transaction(tenant):
            given = feedback(
                tenant, turn, iteration, confidence=confidence, state=states[turn] if handed else None
            )
            states[turn] = brain.apply_feedback(given).after
    for turn in (second, first):
        with tenant_transaction(tenant):
            brain.checkpoint(tenant, AGENT, turn)

    learn_turn(brain, other_tenant, [0.1, 0.7], handed=handed)
    learn_turn(brain, other_tenant, [0.9, 0.3], handed=handed)
    assert standing(brain, tenant).to_bytes() == standing(brain, other_tenant).to_bytes()
    assert states[first] != standing(brain, tenant)


@pytest.mark.req("LEARN-002")
def test_a_wrong_state_that_was_handed_over_cannot_spoil_the_agent(
    brain: Brain, tenant: UUID, other_tenant: UUID
) -> None:
    turn = new_id()
    wrong = LearnedState.from_dict({"weights": {"alpha": 4.0}, "step": 77})
    standing(brain, tenant)
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, turn, 0, confidence=0.9, state=LearnedState()))
        brain.apply_feedback(feedback(tenant, turn, 1, confidence=0.3, state=wrong))
        brain.checkpoint(tenant, AGENT, turn)
    learn_turn(brain, other_tenant, [0.9, 0.3], handed=False)
    assert standing(brain, tenant) == standing(brain, other_tenant)


@pytest.mark.req("LEARN-002")
def test_concurrent_turns_of_one_agent_lose_no_update(brain: Brain, tenant: UUID) -> None:
    def learn(number: int) -> None:
        chance = random.Random(number)
        try:
            for _ in range(3):
                learn_turn(brain, tenant, [chance.random() for _ in range(4)], handed=number % 2 == 0)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(learn, range(8)))
    assert standing(brain, tenant).step == 8 * 3 * 4
    assert standing(brain, tenant).to_bytes() == learned_one_by_one(tenant).to_bytes()
    assert verify(brain, tenant) == ChainReport(checkpoints=1 + 8 * 3, broken_at=None)


@pytest.mark.req("LEARN-002")
@pytest.mark.parametrize("agents_start", ["together", "apart"])
def test_an_agent_begins_once_at_its_capsules_baseline(brain: Brain, tenant: UUID, agents_start: str) -> None:
    baselines = [LearnedState.from_dict({"weights": {"alpha": 1.0 + number}}) for number in range(4)]

    def begin(baseline: LearnedState) -> LearnedState:
        try:
            with tenant_transaction(tenant):
                return brain.learned_state(tenant, AGENT, baseline)
        finally:
            connection.close()

    with ThreadPoolExecutor(4 if agents_start == "together" else 1) as threads:
        states = list(threads.map(begin, baselines))
    assert all(state == states[0] for state in states)
    assert verify(brain, tenant) == ChainReport(checkpoints=1, broken_at=None)


@pytest.mark.req("LEARN-001")
def test_a_resumed_turn_goes_on_where_it_stood(brain: Brain, tenant: UUID) -> None:
    turn = new_id()
    with tenant_transaction(tenant):
        stood = brain.apply_feedback(feedback(tenant, turn)).after
    with tenant_transaction(tenant):
        assert brain.learned_state(tenant, AGENT, LearnedState(), turn_id=turn) == stood
        assert brain.learned_state(tenant, AGENT, LearnedState(), turn_id=new_id()) == LearnedState()
        assert brain.learned_state(tenant, "another", LearnedState(), turn_id=turn) == LearnedState()


@pytest.mark.req("LEARN-002")
def test_a_state_changed_behind_the_chain_is_found(brain: Brain, tenant: UUID) -> None:
    learn_turn(brain, tenant, [0.9], handed=True)
    with tenant_transaction(tenant):
        LearnedStateRow.objects.update(state=LearnedState(step=1).to_bytes())
    assert not verify(brain, tenant).intact


@pytest.mark.req("LEARN-002")
def test_a_checkpoint_changed_by_an_administrator_is_found(brain: Brain, tenant: UUID) -> None:
    learn_turn(brain, tenant, [0.9], handed=True)
    learn_turn(brain, tenant, [0.2], handed=True)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('soma.tenant_id', %s, false)", [str(tenant)])
        cursor.execute("UPDATE learned_checkpoint SET last_iteration = 7 WHERE sequence = 1")
    connections["owner"].close()
    assert verify(brain, tenant) == ChainReport(checkpoints=1, broken_at=1)


@pytest.mark.req("LEARN-002")
@pytest.mark.parametrize("key", [None, SigningKey.from_seed(b"f" * 32)])
def test_a_chain_that_an_administrator_has_made_anew_is_found(
    brain: Brain, tenant: UUID, key: SigningKey | None
) -> None:
    """Every hash is right; what lacks is the installation's signature."""
    learn_turn(brain, tenant, [0.9], handed=True)
    with tenant_transaction(tenant):
        made = checkpoint_of(LearnedCheckpointRow.objects.get(sequence=1))
    other = replace(made, reward=1.0)
    forged = replace(other, hash=other.expected_hash()).signed(key)
    head = bytes.fromhex(forged.hash)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('soma.tenant_id', %s, false)", [str(tenant)])
        cursor.execute(
            "UPDATE learned_checkpoint SET reward = 1.0, hash = %s, signature = %s WHERE sequence = 1",
            [head, forged.signature],
        )
        cursor.execute("UPDATE learned_state SET checkpoint_hash = %s", [head])
    connections["owner"].close()
    assert verify(brain, tenant) == ChainReport(checkpoints=1, broken_at=1)
    with tenant_transaction(tenant):
        assert verify_checkpoints(tenant, AGENT).intact


@pytest.mark.req("AUTH-004")
def test_no_tenant_sees_anothers_agent(brain: Brain, tenant: UUID, other_tenant: UUID) -> None:
    learn_turn(brain, tenant, [0.9], handed=True)
    with pytest.raises(NotFound), tenant_transaction(other_tenant):
        brain.verify_checkpoints(tenant, AGENT)
    with tenant_transaction(other_tenant):
        assert brain.learned_state(other_tenant, AGENT, LearnedState()).step == 0
