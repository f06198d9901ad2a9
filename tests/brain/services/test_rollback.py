"""soma.brain.services.rollback, constitutions and learned_report"""

from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict, Unpack
from uuid import UUID

import orjson
import pytest
from django.db import connections

from soma.base.database import tenant_transaction
from soma.base.errors import Conflict, Denied, InvalidInput, LimitExceeded, NotFound
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.brain.api import Brain, Checkpoint, CheckpointKind, EvidenceFeedback, LearnedReport, LearnedState
from soma.brain.models import LearnedCheckpointRow
from soma.brain.services.ranking_rows import EVERYWHERE, Rankings, standing_rankings
from soma.brain.services.rollback import rollback
from soma.events.models import OutboxMessage
from tests.brain.services.test_credit_evidence import judged
from tests.brain.turns import AGENT, feedback

LAW, NEXT_LAW = "a" * 64, "b" * 128

pytestmark = pytest.mark.req("REVERSE-001")


def turn(brain: Brain, tenant: UUID, confidence: float = 0.1, *, seed: int | None = None) -> UUID:
    """A turn that learns, and with `seed` evidence of the namespace "space N" that is judged after it."""
    one = new_id()
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, one, confidence=confidence))
        brain.checkpoint(tenant, AGENT, one)
        if seed is not None:
            brain.credit_evidence(
                EvidenceFeedback(
                    tenant_id=tenant,
                    agent_id=AGENT,
                    namespace=f"space {seed % 2}",
                    source_id=new_id(),
                    judged=judged(seed),
                )
            )
    return one


class Target(TypedDict, total=False):
    """What to return to."""

    turn_id: UUID
    sequence: int


def back(brain: Brain, tenant: UUID, **target: Unpack[Target]) -> Checkpoint:
    with tenant_transaction(tenant):
        return brain.rollback(tenant, AGENT, **target)


def report(brain: Brain, tenant: UUID, count: int = 100) -> LearnedReport:
    with tenant_transaction(tenant):
        return brain.learned_report(tenant, AGENT, checkpoints=count)


def rankings(tenant: UUID) -> dict[str, Rankings]:
    with tenant_transaction(tenant):
        return {name: standing_rankings(tenant, AGENT, name) for name in (EVERYWHERE, "space 0", "space 1")}


def intact(brain: Brain, tenant: UUID) -> bool:
    with tenant_transaction(tenant):
        return brain.verify_checkpoints(tenant, AGENT).intact


def test_an_agent_returns_to_any_turn_weights_neuromodulators_and_rankings(
    brain: Brain, tenant: UUID
) -> None:
    stood = {}
    for number in range(4):
        turn(brain, tenant, 0.1 + 0.2 * number, seed=number)
        latest = report(brain, tenant).checkpoints[-1]
        stood[latest.sequence] = (latest.state, rankings(tenant))
    assert len({state.to_bytes() for state, _ in stood.values()}) == 4
    for sequence, (state, ranked) in reversed(stood.items()):
        made = back(brain, tenant, sequence=sequence)
        assert (made.kind, made.returns_to) == (CheckpointKind.ROLLBACK, sequence)
        assert made.state.to_bytes() == state.to_bytes()
        assert rankings(tenant) == ranked
        with tenant_transaction(tenant):
            assert brain.learned_state(tenant, AGENT, LearnedState()) == state
        assert intact(brain, tenant)


def test_a_turn_names_its_own_checkpoint(brain: Brain, tenant: UUID) -> None:
    first, _ = turn(brain, tenant), turn(brain, tenant)
    made = back(brain, tenant, turn_id=first)
    assert (made.returns_to, made.sequence, made.turn_id) == (1, 3, None)
    assert made.state == report(brain, tenant).checkpoints[1].state


def test_a_namespace_that_was_not_known_yet_is_not_known_again(brain: Brain, tenant: UUID) -> None:
    before = rankings(tenant)
    early = turn(brain, tenant)
    turn(brain, tenant, seed=1)
    learned = rankings(tenant)
    assert learned != before
    assert [each.namespace for each in report(brain, tenant).rankings] == ["space 1"]
    made = back(brain, tenant, turn_id=early)
    assert rankings(tenant) == before
    assert made.rankings == {EVERYWHERE: "", "space 1": ""}
    assert report(brain, tenant).rankings == ()
    # And back from there: nothing is lost.
    back(brain, tenant, sequence=made.sequence - 1)
    assert rankings(tenant) == learned
    assert intact(brain, tenant)


def test_what_runs_meanwhile_is_learned_from_where_the_agent_was_returned_to(
    brain: Brain, tenant: UUID, other_tenant: UUID
) -> None:
    first, _ = turn(brain, tenant, 0.9), turn(brain, tenant, 0.1)
    running = new_id()
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, running, confidence=0.3))
    back(brain, tenant, turn_id=first)
    with tenant_transaction(tenant):
        ended = brain.checkpoint(tenant, AGENT, running).state
    turn(brain, other_tenant, 0.9)
    turn(brain, other_tenant, 0.3)
    assert ended == report(brain, other_tenant).state
    assert intact(brain, tenant)


def test_the_weights_alone_can_be_returned(brain: Brain, tenant: UUID) -> None:
    early = turn(brain, tenant)
    turn(brain, tenant, 0.9, seed=1)
    learned = rankings(tenant)
    with tenant_transaction(tenant):
        made = rollback(tenant, AGENT, turn_id=early, rankings=False, reason="regret")
    assert rankings(tenant) == learned
    assert made.state == report(brain, tenant).checkpoints[1].state


def test_a_rollback_is_told_with_who_asked_for_it(brain: Brain, tenant: UUID) -> None:
    early, _ = turn(brain, tenant), turn(brain, tenant)
    somebody = Principal(
        tenant_id=tenant, user_id=new_id(), session_id=new_id(), roles=("owner",), trace_id="f" * 32
    )
    with tenant_transaction(tenant):
        made = brain.rollback(tenant, AGENT, turn_id=early, by=somebody)
        told = OutboxMessage.objects.get(type="learning.rolled_back")
    payload = orjson.loads(told.payload)
    assert told.trace_id == somebody.trace_id
    assert payload["user_id"] == str(somebody.user_id)
    assert (payload["returns_to"], payload["turn_id"]) == (1, str(early))
    assert payload["checkpoint_hash"] == made.hash


def test_nothing_is_returned_to_that_is_not_there(brain: Brain, tenant: UUID, other_tenant: UUID) -> None:
    with pytest.raises(NotFound):
        back(brain, tenant, sequence=0)
    mine, theirs = turn(brain, tenant), turn(brain, other_tenant)
    targets: list[Target] = [{"turn_id": theirs}, {"turn_id": new_id()}, {"sequence": 2}, {"sequence": -1}]
    for target in targets:
        with pytest.raises(NotFound):
            back(brain, tenant, **target)
    with pytest.raises(ValueError, match="Name the turn"):
        back(brain, tenant, turn_id=mine, sequence=1)
    assert len(report(brain, tenant).checkpoints) == 2


@pytest.mark.req("REVERSE-002")
def test_what_was_learned_under_a_revoked_constitution_is_not_returned_to(brain: Brain, tenant: UUID) -> None:
    free = turn(brain, tenant)
    with tenant_transaction(tenant):
        brain.adopt_constitution(tenant, LAW)
    bound = turn(brain, tenant)
    with tenant_transaction(tenant):
        brain.adopt_constitution(tenant, NEXT_LAW)
    turn(brain, tenant)
    copied = back(brain, tenant, turn_id=bound)
    laws = [each.constitution_hash for each in report(brain, tenant).checkpoints]
    assert laws == [None, None, LAW, NEXT_LAW, LAW]
    with tenant_transaction(tenant):
        brain.revoke_constitution(tenant, LAW)
    # Not through the checkpoint that had returned to it either.
    targets: list[Target] = [{"turn_id": bound}, {"sequence": copied.sequence}]
    for target in targets:
        with pytest.raises(Denied, match="revoked") as refused:
            back(brain, tenant, **target)
        assert refused.value.reasons == (f"constitution.revoked: {LAW}",)
    assert len(report(brain, tenant).checkpoints) == 5
    assert back(brain, tenant, turn_id=free).returns_to == 1
    assert intact(brain, tenant)


@pytest.mark.req("REVERSE-002")
def test_a_revoked_constitution_does_not_come_back(brain: Brain, tenant: UUID, other_tenant: UUID) -> None:
    with tenant_transaction(tenant):
        brain.adopt_constitution(tenant, LAW)
        brain.adopt_constitution(tenant, LAW)
        brain.revoke_constitution(tenant, LAW)
    with pytest.raises(Conflict), tenant_transaction(tenant):
        brain.adopt_constitution(tenant, LAW)
    with pytest.raises(NotFound), tenant_transaction(other_tenant):
        brain.revoke_constitution(other_tenant, LAW)
    turn(brain, tenant)
    assert report(brain, tenant).checkpoints[-1].constitution_hash is None
    with pytest.raises(InvalidInput), tenant_transaction(tenant):
        brain.adopt_constitution(tenant, "the law")


@pytest.mark.parametrize("column", ["returns_to", "constitution_hash"])
def test_a_changed_account_of_a_rollback_is_found(brain: Brain, tenant: UUID, column: str) -> None:
    with tenant_transaction(tenant):
        brain.adopt_constitution(tenant, LAW)
    early, _ = turn(brain, tenant), turn(brain, tenant)
    back(brain, tenant, turn_id=early)
    assert intact(brain, tenant)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('soma.tenant_id', %s, false)", [str(tenant)])
        cursor.execute(f"UPDATE learned_checkpoint SET {column} = NULL WHERE sequence = 3")
    connections["owner"].close()
    assert not intact(brain, tenant)


def test_rollbacks_and_turns_side_by_side_break_no_chain(brain: Brain, tenant: UUID) -> None:
    early = turn(brain, tenant, seed=0)

    def act(number: int) -> None:
        try:
            if number % 3:
                turn(brain, tenant, 0.1 * number, seed=number)
            else:
                back(brain, tenant, turn_id=early)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(act, range(12)))
    assert intact(brain, tenant)
    with tenant_transaction(tenant):
        kinds = list(LearnedCheckpointRow.objects.values_list("kind", flat=True))
    assert kinds.count("rollback") == 4
    back(brain, tenant, sequence=2)
    assert rankings(tenant)["space 0"].state.questions == 1
    assert rankings(tenant)["space 1"].state.questions == 0


def test_the_report_shows_the_latest_checkpoints_and_every_ranking(brain: Brain, tenant: UUID) -> None:
    assert report(brain, tenant) == LearnedReport(agent_id=AGENT)
    for number in range(3):
        turn(brain, tenant, seed=number)
    told = report(brain, tenant, 2)
    assert [each.sequence for each in told.checkpoints] == [5, 6]
    assert told.state == told.checkpoints[-1].state
    assert [(each.namespace, each.version) for each in told.rankings] == [("space 0", 6), ("space 1", 4)]
    shown = told.to_dict()
    assert shown["checkpoints"][1]["kind"] == "feedback"
    assert shown["checkpoints"][0]["weights"] == told.checkpoints[0].state.weights.to_dict()
    assert shown["rankings"][0]["questions"] == 2
    for count, error in ((0, InvalidInput), (501, LimitExceeded)):
        with pytest.raises(error):
            report(brain, tenant, count)
