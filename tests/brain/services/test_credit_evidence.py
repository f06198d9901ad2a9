"""soma.brain.services.credit_evidence"""

import math
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import numpy as np
import pytest
from django.db import DatabaseError, connections

from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, LimitExceeded
from soma.base.ids import new_id
from soma.brain.api import (
    Brain,
    EvidenceFeedback,
    EvidenceLearning,
    Judgement,
    LearnedState,
    RankingState,
    RecallRequest,
    RememberItem,
)
from soma.brain.domain.ranking_state import SHIPPED
from soma.brain.domain.signal_weights import SIGNALS, SignalWeights
from soma.brain.models import LearnedRankingRow, RankingVersionRow
from soma.brain.services.ranking_rows import standing_rankings
from tests.brain.turns import AGENT, NEW_YEAR, feedback

SPACE = "space"


def judged(seed: int = 1, count: int = 10) -> list[Judgement]:
    """What agrees with the shipped order, and with much weight of `session_best`."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, len(SIGNALS))).round(4)
    wanted = SHIPPED.weights + 2.0 * (np.array(SIGNALS) == "session_best")
    best = np.argsort(np.argsort(-(features @ wanted))) < 3
    return [
        Judgement(features=dict(zip(SIGNALS, row.tolist(), strict=True)), relevant=bool(one))
        for row, one in zip(features, best, strict=True)
    ]


def told(
    tenant: UUID, evidence: list[Judgement], *, source: UUID | None = None, space: str = SPACE
) -> EvidenceFeedback:
    return EvidenceFeedback(
        tenant_id=tenant, agent_id=AGENT, namespace=space, source_id=source or new_id(), judged=evidence
    )


def learn(brain: Brain, given: EvidenceFeedback) -> EvidenceLearning:
    with tenant_transaction(given.tenant_id):
        return brain.credit_evidence(given)


def standing(tenant: UUID, space: str = SPACE) -> RankingState:
    with tenant_transaction(tenant):
        return standing_rankings(tenant, AGENT, space).state


@pytest.mark.req("LEARN-004")
def test_feedback_moves_the_namespace_the_agent_and_the_chain(brain: Brain, tenant: UUID) -> None:
    done = learn(brain, told(tenant, judged()))
    assert done.checkpoint is not None
    assert (done.checkpoint.sequence, done.checkpoint.kind) == (1, "feedback")
    assert done.checkpoint.rankings[SPACE] == done.state.hash
    assert standing(tenant) == done.state
    assert done.state.own.mean != SHIPPED.mean
    # A namespace that nobody has judged follows what the agent knows, and has learned nothing itself.
    with tenant_transaction(tenant):
        another = standing_rankings(tenant, AGENT, "another")
    assert another.state.own == SHIPPED
    assert another.state.weights(another.agent) != SignalWeights()
    with tenant_transaction(tenant):
        assert brain.verify_checkpoints(tenant, AGENT).intact


@pytest.mark.req("LEARN-002")
def test_the_same_feedback_again_changes_nothing(brain: Brain, tenant: UUID) -> None:
    given = told(tenant, judged())
    first, again = learn(brain, given), learn(brain, given)
    assert again.repeated
    assert (again.state, again.checkpoint) == (first.state, first.checkpoint)
    assert standing(tenant).questions == 1


@pytest.mark.req("LEARN-004")
def test_evidence_that_is_all_relevant_makes_no_checkpoint(brain: Brain, tenant: UUID) -> None:
    done = learn(brain, told(tenant, [Judgement(features={"dense": 1.0}, relevant=True)] * 3))
    assert done.checkpoint is None
    assert standing(tenant) == RankingState()


@pytest.mark.req("LEARN-004")
def test_concurrent_feedback_and_turns_lose_nothing(brain: Brain, tenant: UUID) -> None:
    def one(number: int) -> None:
        try:
            if number % 2:
                learn(brain, told(tenant, judged(number), space=f"space {number % 3}"))
                return
            turn = new_id()
            with tenant_transaction(tenant):
                brain.apply_feedback(feedback(tenant, turn, confidence=0.2))
                brain.checkpoint(tenant, AGENT, turn)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(24)))
    with tenant_transaction(tenant):
        report = brain.verify_checkpoints(tenant, AGENT)
        rows = LearnedRankingRow.objects.filter(tenant_id=tenant).exclude(namespace="")
        questions = sum(RankingState.from_bytes(row.state).questions for row in rows)
    assert report.intact
    assert report.checkpoints == 25
    assert questions == 12


@pytest.mark.req("LEARN-004")
def test_recall_ranks_by_what_feedback_has_taught(brain: Brain, tenant: UUID) -> None:
    facts = [
        "Our cat is called Ada.",
        "Our dog is called Bo.",
        "The cat sleeps on the sofa all day long, as cats do.",
    ]
    items = [
        RememberItem(
            namespace=SPACE,
            key=str(number),
            content=fact,
            role="user",
            occurred_at=NEW_YEAR,
            provenance={"trace_id": "trace", "source_turn": "turn"},
        )
        for number, fact in enumerate(facts)
    ]
    brain.remember(tenant, items)

    def weight(name: str, agent: str | None) -> float:
        found = brain.recall(
            RecallRequest(
                tenant_id=tenant,
                agent_id=agent,
                namespace=SPACE,
                query="What is our cat called?",
                explain=True,
            )
        )
        best = found.evidence[0]
        assert best.explanation is not None
        return best.explanation[name] / best.features[name]

    assert weight("dense", AGENT) == pytest.approx(weight("dense", None), rel=1e-3)
    for seed in range(12):
        learn(brain, told(tenant, judged(seed)))
    assert weight("dense", AGENT) != pytest.approx(weight("dense", None), rel=1e-2)
    assert weight("dense", "somebody else") == pytest.approx(weight("dense", None), rel=1e-3)


@pytest.mark.req("LEARN-004")
def test_temperature_follows_feedback(brain: Brain, tenant: UUID) -> None:
    for seed in range(5):
        learn(brain, told(tenant, judged(seed)))
    with tenant_transaction(tenant):
        assert brain.learned_state(tenant, AGENT, LearnedState()).weights.tau != LearnedState().weights.tau


@pytest.mark.req("LEARN-002")
def test_versions_cannot_be_changed(brain: Brain, tenant: UUID) -> None:
    learn(brain, told(tenant, judged()))
    with pytest.raises(DatabaseError, match="permission denied"), tenant_transaction(tenant):
        RankingVersionRow.objects.filter(tenant_id=tenant).update(state=b"")


@pytest.mark.req("LEARN-004")
@pytest.mark.parametrize("value", [math.nan, math.inf, 51.0])
def test_signals_that_recall_cannot_have_logged_are_refused(tenant: UUID, value: float) -> None:
    with pytest.raises(InvalidInput, match="dense"):
        told(tenant, [Judgement(features={"dense": value}, relevant=True)])


@pytest.mark.req("LEARN-004")
def test_more_evidence_than_recall_gives_is_refused(tenant: UUID) -> None:
    with pytest.raises(LimitExceeded, match="100"):
        told(tenant, [Judgement(features={}, relevant=True)] * 101)
