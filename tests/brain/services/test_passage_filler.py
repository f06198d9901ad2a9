"""soma.brain.services.passage_filler"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from time import monotonic, sleep
from uuid import UUID

import pytest
from django.db import connections, transaction
from django.db.utils import ProgrammingError

from soma.base.database import WORKER, tenant_transaction, worker_transaction
from soma.brain.api import Brain, Embedder, RecallRequest
from soma.brain.services.passage_filler import PassageFiller
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, Owed
from tests.brain.turns import told

pytestmark = pytest.mark.req("MEM-002")
PATIENCE_SECONDS = 60


class Ours(FractalMemory):
    """Leaves alone what other tests have stored without passages."""

    def __init__(self, tenants: Sequence[UUID]) -> None:
        super().__init__(PgvectorStore())
        self._tenants = tenants

    def owed(self, after: UUID, limit: int) -> Owed:
        found = super().owed(after, limit)
        return replace(found, places=tuple(place for place in found.places if place[0] in self._tenants))


@pytest.fixture
def filler(embedder: Embedder, tenant: UUID, other_tenant: UUID) -> Iterator[PassageFiller]:
    """One that begins at once."""
    made = PassageFiller(Ours([tenant, other_tenant]), embedder, warm_up_seconds=0.0)
    yield made
    made.stop()


def waited(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    while not condition():
        assert monotonic() < deadline
        sleep(0.01)


def without_passages(brain: Brain, tenant: UUID, *contents: str) -> None:
    """Memories as they were stored before there were passages: with vectors that mean something else."""
    brain.remember(tenant, [told(content, key=content) for content in contents])
    with tenant_transaction(tenant), connections["default"].cursor() as cursor:
        for table in ("memory_passage", "memory_posting", "memory_namespace", "memory_speaker"):
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("UPDATE memory_record SET embedding = array_fill(0.01, ARRAY[384])::halfvec")


def lexical(brain: Brain, tenant: UUID, query: str) -> dict[str, float]:
    request = RecallRequest(
        tenant_id=tenant, agent_id=None, namespace="n", query=query, min_score=0.0, explain=True
    )
    return {each.content: (each.explanation or {})["lexical"] for each in brain.recall(request).evidence}


def test_memories_without_passages_are_found_by_word_after_the_start(
    brain: Brain, filler: PassageFiller, tenant: UUID, other_tenant: UUID
) -> None:
    facts = [f"The {animal} sleeps in the barn." for animal in ("aardvark", "badger", "civet")]
    for each in (tenant, other_tenant):
        without_passages(brain, each, *facts)
    assert set(lexical(brain, tenant, "aardvark").values()) == {0.0}
    filler.start()
    waited(lambda: not filler.analysis.running)
    assert filler.analysis.analysed == 2 * len(facts)
    for each in (tenant, other_tenant):
        found = lexical(brain, each, "aardvark")
        assert found[facts[0]] > 0 > found[facts[1]]


def test_what_has_been_analysed_is_not_again(
    brain: Brain, filler: PassageFiller, tenant: UUID, embedder: Embedder
) -> None:
    without_passages(brain, tenant, "One.", "Two.")
    filler.start()
    waited(lambda: not filler.analysis.running)
    filler.stop()
    again = PassageFiller(Ours([tenant]), embedder, warm_up_seconds=0.0)
    again.start()
    waited(lambda: not again.analysis.running)
    again.stop()
    assert again.analysis.analysed == 0
    with tenant_transaction(tenant), connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM memory_passage")
        assert cursor.fetchone() == (2,)


def test_it_stops_when_it_is_told_to(embedder: Embedder) -> None:
    resting = PassageFiller(Ours([]), embedder, warm_up_seconds=3600.0)
    resting.start()
    assert resting.analysis.running
    resting.stop()
    assert not resting.analysis.running


@pytest.mark.req("AUTH-004")
@pytest.mark.parametrize("column", ["content", "provenance", "embedding", "speaker", "key"])
def test_the_worker_reads_places_and_no_contents(brain: Brain, tenant: UUID, column: str) -> None:
    brain.remember(tenant, [told("My dog is called Rex")])
    with worker_transaction(), connections[WORKER].cursor() as cursor:
        cursor.execute("SELECT namespace FROM memory_record WHERE tenant_id = %s", [tenant])
        assert cursor.fetchall() == [("n",)]
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(WORKER):
            cursor.execute(f"SELECT {column} FROM memory_record")
