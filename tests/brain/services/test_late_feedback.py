"""soma.brain.services.late_feedback, and evidence in soma.brain.services.checkpoint"""

from dataclasses import replace
from uuid import UUID

import pytest

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import Brain, EvidenceFeedback, Judgement, LateFeedback, LateLearning, LearnedState
from tests.brain.services.test_credit_evidence import SPACE, judged, standing, told
from tests.brain.turns import AGENT, feedback

pytestmark = pytest.mark.req("LEARN-004")


def said(tenant: UUID, user: float | None, evidence: list[Judgement] | None = None) -> LateFeedback:
    given = feedback(tenant, new_id(), confidence=0.5)
    return LateFeedback(
        feedback=replace(given, reward=replace(given.reward, user=user)),
        evidence=told(tenant, judged() if evidence is None else evidence),
    )


def learn(brain: Brain, given: LateFeedback) -> LateLearning:
    with tenant_transaction(given.evidence.tenant_id):
        return brain.late_feedback(given)


def test_praise_and_blame_move_the_weights_apart(brain: Brain, tenant: UUID, other_tenant: UUID) -> None:
    praised, blamed = learn(brain, said(tenant, 1.0, [])), learn(brain, said(other_tenant, 0.0, []))
    assert praised.learning is not None
    assert blamed.learning is not None
    assert praised.learning.prediction_error > 0.0 > blamed.learning.prediction_error
    assert praised.checkpoint.state.weights.alpha > LearnedState().weights.alpha
    assert blamed.checkpoint.state.weights.alpha < LearnedState().weights.alpha


def test_weights_and_ranking_come_with_one_checkpoint(brain: Brain, tenant: UUID) -> None:
    done = learn(brain, said(tenant, 1.0))
    assert (done.checkpoint.sequence, done.checkpoint.kind) == (1, "feedback")
    assert done.credited is not None
    assert standing(tenant) == done.credited.after
    assert done.checkpoint.rankings[SPACE] == standing(tenant).hash
    with tenant_transaction(tenant):
        assert brain.learned_state(tenant, AGENT, LearnedState()) == done.checkpoint.state
        assert brain.verify_checkpoints(tenant, AGENT).intact


@pytest.mark.req("LEARN-002")
def test_the_same_feedback_again_changes_nothing(brain: Brain, tenant: UUID) -> None:
    given = said(tenant, 1.0)
    first, again = learn(brain, given), learn(brain, given)
    assert again.repeated
    assert again.checkpoint == first.checkpoint
    assert standing(tenant).questions == 1


def test_what_a_turn_used_is_learned_with_its_checkpoint_once(brain: Brain, tenant: UUID) -> None:
    turn = new_id()
    evidence = EvidenceFeedback(
        tenant_id=tenant, agent_id=AGENT, namespace=SPACE, source_id=turn, judged=judged()
    )
    with tenant_transaction(tenant):
        brain.apply_feedback(feedback(tenant, turn))
        made = brain.checkpoint(tenant, AGENT, turn, evidence=evidence)
    with tenant_transaction(tenant):
        assert brain.checkpoint(tenant, AGENT, turn, evidence=evidence) == made
        assert brain.verify_checkpoints(tenant, AGENT).checkpoints == 2
    assert (made.kind, made.turn_id) == ("turn", turn)
    assert made.rankings[SPACE] == standing(tenant).hash
    assert standing(tenant).questions == 1
    with tenant_transaction(tenant):
        assert brain.rollback(tenant, AGENT, sequence=0).rankings[SPACE] == ""
        brain.rollback(tenant, AGENT, turn_id=turn)
    assert standing(tenant).hash == made.rankings[SPACE]
