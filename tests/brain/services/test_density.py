"""soma.brain.services.density"""

from collections.abc import Callable, Sequence
from threading import Thread
from uuid import UUID

import numpy as np
import pytest
from django.db import connections

from soma.base.database import tenant_transaction
from soma.brain.api import Brain, Density, Embedder, FrameMethod, FrameQuestion, RecallRequest
from soma.brain.domain.density import BATCH, RANK
from soma.brain.kernels.density.sketch import Doubles, Sketch
from soma.brain.models import DensitySketchRow
from soma.brain.services import density as service
from soma.brain.services.density import standing_sketch
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, Place, WrittenVector
from tests.brain.turns import told
from tests.events.waiting import wait_until

pytestmark = pytest.mark.req("RHO-001")

TEXTS = [
    f"{who} {what} the {thing} in {place}."
    for who in ("Bob", "Carlos", "Dina", "Emil")
    for what in ("painted", "repaired", "sold")
    for thing in ("boat", "bridge", "lamp")
    for place in ("Oslo", "Porto")
]


def tell(brain: Brain, tenant: UUID, texts: Sequence[str]) -> list[UUID]:
    return [each.record_id for each in brain.remember(tenant, [told(text) for text in texts]).stored]


def sketch(tenant: UUID, namespace: str = "n") -> Sketch:
    with tenant_transaction(tenant):
        return standing_sketch(tenant, namespace, 384)


def covariance(rows: Doubles) -> Doubles:
    product: Doubles = rows.T @ rows
    return product


def assert_of(found: Sketch, embedder: Embedder, texts: Sequence[str]) -> None:
    """The sketch is one of just these texts: short in no direction by more than it says, too long in none."""
    rows = embedder.embed(list(texts)).astype(np.float64)
    missing = np.linalg.eigvalsh(covariance(rows) - covariance(found.rows))
    assert found.count == len(texts)
    assert found.energy == pytest.approx(len(texts), rel=0.01)
    assert missing[0] >= -0.02
    assert missing[-1] <= found.lost + 0.02
    assert found.lost <= found.energy / RANK


def test_it_holds_what_stands(brain: Brain, embedder: Embedder, tenant: UUID) -> None:
    tell(brain, tenant, TEXTS)
    made = brain.update_density(tenant, "n")
    assert made == brain.density(tenant, "n")
    assert made is not None
    assert (made.rank, made.count, made.version) == (RANK, len(TEXTS), 1)
    assert_of(sketch(tenant), embedder, TEXTS)


def test_it_follows_in_batches_and_takes_nothing_in_twice(
    brain: Brain, embedder: Embedder, tenant: UUID
) -> None:
    tell(brain, tenant, TEXTS[:BATCH])
    first = brain.update_density(tenant, "n")
    assert brain.update_density(tenant, "n") == first
    tell(brain, tenant, TEXTS[:BATCH])  # known already
    assert brain.update_density(tenant, "n") == first
    tell(brain, tenant, TEXTS[BATCH:])
    second = brain.update_density(tenant, "n")
    assert second is not None
    assert second.version == 2
    assert_of(sketch(tenant), embedder, TEXTS)


def test_the_order_of_batches_changes_little(brain: Brain, tenant: UUID, other_tenant: UUID) -> None:
    for half in (TEXTS[:36], TEXTS[36:]):
        tell(brain, tenant, half)
        brain.update_density(tenant, "n")
    for half in (TEXTS[36:], TEXTS[:36]):
        tell(brain, other_tenant, half)
        brain.update_density(other_tenant, "n")
    one, other = sketch(tenant), sketch(other_tenant)
    apart = np.linalg.norm(covariance(one.rows) - covariance(other.rows), 2)
    assert apart <= max(one.lost, other.lost) + 0.02


def test_what_is_deleted_is_gone_from_it(brain: Brain, embedder: Embedder, tenant: UUID) -> None:
    ids = tell(brain, tenant, TEXTS)
    brain.update_density(tenant, "n")
    brain.forget(tenant, ids[:20])
    after = brain.update_density(tenant, "n")
    assert after is not None
    assert after.count == len(TEXTS) - 20
    assert_of(sketch(tenant), embedder, TEXTS[20:])
    brain.forget(tenant, ids[20:21])
    assert brain.update_density(tenant, "n") == after  # one of fifty: within the bound
    brain.update_density(tenant, "n", rebuild=True)
    assert_of(sketch(tenant), embedder, TEXTS[21:])
    brain.forget(tenant, ids)
    assert brain.update_density(tenant, "n") is None
    assert brain.density(tenant, "n") is None


def test_what_is_rewritten_is_gone_from_it(brain: Brain, embedder: Embedder, tenant: UUID) -> None:
    brain.remember(tenant, [told(text, key=str(number)) for number, text in enumerate(TEXTS)])
    brain.update_density(tenant, "n")
    again = [text.replace("the", "an old") for text in TEXTS[:BATCH]]
    brain.remember(tenant, [told(text, key=str(number)) for number, text in enumerate(again)])
    brain.update_density(tenant, "n", rebuild=True)
    assert_of(sketch(tenant), embedder, [*again, *TEXTS[BATCH:]])


@pytest.mark.req("AUTH-004")
def test_tenants_and_namespaces_have_their_own(brain: Brain, tenant: UUID, other_tenant: UUID) -> None:
    tell(brain, tenant, TEXTS[:5])
    assert brain.update_density(other_tenant, "n") is None
    assert brain.update_density(tenant, "m") is None
    brain.update_density(tenant, "n")
    assert brain.density(other_tenant, "n") is None
    assert sketch(other_tenant).count == 0


class Overtaken(FractalMemory):
    """Storage in which somebody else writes, once, between a reader's look and its pages."""

    def __init__(self, between: Callable[[], None]) -> None:
        super().__init__(PgvectorStore())
        self._between: Callable[[], None] | None = between

    def written(
        self, tenant_id: UUID, namespace: str, *, after: Place | None = None, limit: int
    ) -> list[WrittenVector]:
        between, self._between = self._between, None
        if between is not None:
            # Its own connection to the database: the reader's transaction is open.
            thread = Thread(target=between)
            thread.start()
            thread.join()
        return super().written(tenant_id, namespace, after=after, limit=limit)


def test_of_two_at_once_one_is_left_without_effect(brain: Brain, tenant: UUID) -> None:
    tell(brain, tenant, TEXTS[:5])
    brain.update_density(tenant, "n")
    tell(brain, tenant, TEXTS[5:50])
    results = list[Density | None]()

    def overtake() -> None:
        results.append(brain.update_density(tenant, "n"))
        connections.close_all()

    late = service.update_density(Overtaken(overtake), tenant, "n")
    assert late == results[0] == brain.density(tenant, "n")
    assert late is not None
    assert (late.count, late.version) == (50, 2)


def test_the_writers_wake_brings_it_up_to_date_and_readers_do_not(brain: Brain, tenant: UUID) -> None:
    ids = tell(brain, tenant, TEXTS)
    brain.recall(RecallRequest(tenant_id=tenant, agent_id=None, namespace="n", query="Who painted the boat?"))
    ask = FrameQuestion(
        tenant_id=tenant, namespace="n", known={"who": "Bob"}, wanted="where", method=FrameMethod.HOLOGRAPHIC
    )
    plain = brain.ask_frame(ask)
    with tenant_transaction(tenant):
        assert not DensitySketchRow.objects.exists()
    brain.start()
    try:
        tell(brain, tenant, ["Greta lives in Rome."])
        wait_until(lambda: brain.density(tenant, "n"))
        brain.forget(tenant, ids[-30:])
        wait_until(lambda: (found := brain.density(tenant, "n")) is not None and found.count == 43)
    finally:
        brain.stop()
    weighed = brain.ask_frame(ask)
    assert {answer.text for answer in weighed.answers} == {answer.text for answer in plain.answers}
    assert [answer.score for answer in weighed.answers] != [answer.score for answer in plain.answers]
