"""soma.brain.services.calibration"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from soma.base.database import tenant_transaction
from soma.base.errors import LimitExceeded
from soma.base.ids import new_id
from soma.brain.api import Brain, Calibration, Evidence, EvidenceMark, RecallRequest
from soma.brain.kernels.calibration.reliability import expected_calibration_error
from soma.brain.models import EvidenceMarkRow
from soma.brain.services.calibration import mark_evidence
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory
from tests.brain.told_and_asked import TOLD_AND_ASKED
from tests.brain.turns import told

pytestmark = pytest.mark.req("RHO-001", "MEM-002")


def ask(brain: Brain, tenant: UUID, query: str, **changes: Any) -> tuple[Evidence, ...]:
    values = {
        "tenant_id": tenant,
        "agent_id": None,
        "namespace": "n",
        "query": query,
        "kinds": None,
        **changes,
    }
    return brain.recall(RecallRequest(**values)).evidence


def mark(brain: Brain, tenant: UUID, turn: UUID, marks: Sequence[EvidenceMark], namespace: str = "n") -> int:
    with tenant_transaction(tenant):
        return brain.mark_evidence(tenant, namespace, turn, marks)


def judged(evidence: Sequence[Evidence], right: str) -> list[EvidenceMark]:
    return [
        EvidenceMark(record_id=each.record_id, features=each.features, relevant=each.content == right)
        for each in evidence
    ]


def test_marks_make_confidence_as_right_as_it_says(brain: Brain, tenant: UUID) -> None:
    """Questions that were kept beside the facts come nearer to a question than its answer does: what the
    shipped curve takes for certain there is wrong."""
    pairs = list(dict(TOLD_AND_ASKED).items())
    brain.remember(tenant, [told(text) for pair in pairs for text in dict.fromkeys(pair)])
    asked = [(fact, ask(brain, tenant, question)) for fact, question in pairs]
    learned, unseen = asked[::2], asked[1::2]

    def error() -> float:
        again = [(fact, ask(brain, tenant, dict(pairs)[fact])) for fact, _ in unseen]
        said = np.array([each.confidence for _, evidence in again for each in evidence])
        right = np.array([each.content == fact for fact, evidence in again for each in evidence])
        return expected_calibration_error(said, right.astype(np.float64))

    before = error()
    for fact, evidence in learned:
        assert mark(brain, tenant, new_id(), judged(evidence, fact)) == len(evidence)
    report = brain.calibration(tenant, "n")
    assert report.method == "isotonic-cosine-1"
    assert report.marks + report.pending == sum(len(evidence) for _, evidence in learned)
    assert report.ece_after < 0.5 * report.ece_before
    assert error() < 0.6 * before
    assert {each.calibration for each in ask(brain, tenant, pairs[1][1])} == {"isotonic-cosine-1"}


def test_the_same_marks_again_change_nothing_and_another_verdict_replaces(brain: Brain, tenant: UUID) -> None:
    brain.remember(tenant, [told("My dog is called Rex"), told("I live in Lisbon")])
    [evidence] = ask(brain, tenant, "What is my dog's name?")
    turn, marks = new_id(), judged([evidence], "My dog is called Rex")
    assert mark(brain, tenant, turn, marks) == 1
    assert mark(brain, tenant, turn, marks) == 0
    assert brain.calibration(tenant, "n").pending == 1
    assert mark(brain, tenant, turn, judged([evidence], "")) == 1
    with tenant_transaction(tenant):
        [row] = EvidenceMarkRow.objects.filter(tenant_id=tenant)
    assert (row.relevant, row.cosine) == (False, evidence.features["similarity"])


@pytest.mark.req("AUTH-004")
def test_what_is_no_memory_of_the_namespace_is_not_marked(
    brain: Brain, tenant: UUID, other_tenant: UUID
) -> None:
    brain.remember(tenant, [told("My dog is called Rex")])
    marks = judged(ask(brain, tenant, "What is my dog's name?"), "")
    assert mark(brain, tenant, new_id(), marks, namespace="m") == 0
    assert mark(brain, other_tenant, new_id(), marks) == 0
    assert brain.calibration(other_tenant, "n") == Calibration()


def test_too_many_marks_are_refused_whole(brain: Brain, tenant: UUID) -> None:
    one = EvidenceMark(record_id=new_id(), features={"similarity": 0.5}, relevant=True)
    with pytest.raises(LimitExceeded, match="1000"):
        mark(brain, tenant, new_id(), [one] * 1001)


def test_old_marks_are_forgotten(brain: Brain, tenant: UUID) -> None:
    memory = FractalMemory(PgvectorStore())
    brain.remember(tenant, [told("My dog is called Rex")])
    [evidence] = ask(brain, tenant, "What is my dog's name?")
    turns = [new_id() for _ in range(20)]
    for turn in turns:
        with tenant_transaction(tenant):
            mark_evidence(memory, tenant, "n", turn, judged([evidence], ""), kept=12)
    with tenant_transaction(tenant):
        kept = set(EvidenceMarkRow.objects.filter(tenant_id=tenant).values_list("turn_id", flat=True))
    assert kept == set(turns[-12:])
    assert brain.calibration(tenant, "n").marks == 12
