"""soma.brain.services.retention"""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connections
from django.db.backends.utils import CursorWrapper

from soma.base.database import WORKER, tenant_transaction
from soma.base.errors import InvalidInput
from soma.brain.api import Brain, CapsuleLimits, Embedder
from soma.brain.services.retention import END_LEASE, TRY_LEASE
from soma.brain.services.retention_worker import RetentionWorker
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory
from tests.brain.capsules import KEY, block, capsule, signed, somebody
from tests.brain.turns import NEW_YEAR, told

pytestmark = pytest.mark.req("PRIV-001")

DAY = timedelta(days=1)
FAR_PAST = NEW_YEAR - 200 * 365 * DAY
"""What these tests keep is older than anything that others store, so that nothing of theirs is deleted."""

LONG_AGO = -1_000
"""A day before all that the other tests here keep, for the one whose rule holds for every tenant."""


def day(number: int) -> datetime:
    return FAR_PAST + number * DAY


def remember_days(brain: Brain, tenant: UUID, namespace: str, first: int = 0) -> None:
    """A fact on each of ten days."""
    items = [
        told(f"Fact {n}", key=f"k{n}", namespace=namespace, occurred_at=day(first + n)) for n in range(10)
    ]
    assert len(brain.remember(tenant, items).stored) == 10


def applied(brain: Brain, as_of: datetime) -> int:
    """Apply retention once no other process is at it: other tests have workers too."""
    while (deleted := brain.apply_retention(as_of)) is None:
        pass
    return deleted


def kept(tenant: UUID, namespace: str) -> int:
    with tenant_transaction(tenant):
        return FractalMemory(PgvectorStore()).count(tenant, namespace)


def test_a_namespaces_rule_goes_before_its_tenants(brain: Brain, tenant: UUID, other_tenant: UUID) -> None:
    for namespace in ("own", "for ever", "rest"):
        remember_days(brain, tenant, namespace)
    remember_days(brain, other_tenant, "rest")
    brain.keep_for(tenant, 0, namespace="for ever")
    brain.keep_for(tenant, 3, namespace="own")
    brain.keep_for(tenant, 8)
    applied(brain, day(10))
    assert [kept(tenant, each) for each in ("own", "for ever", "rest")] == [3, 10, 8]
    assert kept(other_tenant, "rest") == 10


@pytest.mark.req("MEM-005")
def test_a_capsule_stands_whole_until_it_is_revoked(brain: Brain, tenant: UUID) -> None:
    capsules = brain.memory_capsules(KEY, CapsuleLimits())
    old = capsule(blocks=tuple(block(f"Fact {n}", occurred_at=day(n)) for n in range(3)))
    capsules.upload(somebody(tenant), signed(old))
    remember_days(brain, tenant, "n")
    brain.keep_for(tenant, 1)
    applied(brain, day(10))
    assert [kept(tenant, each) for each in ("n", f"memory-capsule:{old.id}@1")] == [1, 3]


def test_a_rule_is_changed_and_taken_back(brain: Brain, tenant: UUID) -> None:
    remember_days(brain, tenant, "n")
    brain.keep_for(tenant, 8, namespace="n")
    brain.keep_for(tenant, 5, namespace="n")
    applied(brain, day(10))
    assert kept(tenant, "n") == 5
    brain.keep_for(tenant, None, namespace="n")
    applied(brain, day(100))
    assert kept(tenant, "n") == 5


def test_the_installations_rule_holds_where_there_is_no_other(
    embedder: Embedder, brain: Brain, tenant: UUID, other_tenant: UUID
) -> None:
    remember_days(brain, tenant, "n", LONG_AGO)
    remember_days(brain, other_tenant, "n", LONG_AGO)
    brain.keep_for(other_tenant, 0)
    short = Brain(FractalMemory(PgvectorStore()), embedder, retention_days=4)
    applied(short, day(LONG_AGO + 10))
    assert (kept(tenant, "n"), kept(other_tenant, "n")) == (4, 10)
    applied(short, day(LONG_AGO + 10))
    assert kept(tenant, "n") == 4


@pytest.mark.parametrize("days", [-1, 36_501])
def test_what_is_no_number_of_days_is_refused(brain: Brain, tenant: UUID, days: int) -> None:
    with pytest.raises(InvalidInput, match="it takes 0 to 36500"):
        brain.keep_for(tenant, days)


def test_one_process_at_a_time_is_at_it(brain: Brain, tenant: UUID) -> None:
    remember_days(brain, tenant, "n")
    brain.keep_for(tenant, 1)
    other = connections[WORKER].copy()
    try:
        with other.cursor() as cursor:
            while not _leased(cursor):
                pass
            assert brain.apply_retention(day(10)) is None
            assert kept(tenant, "n") == 10
            cursor.execute(END_LEASE)
        applied(brain, day(10))
        assert kept(tenant, "n") == 1
    finally:
        other.close()


def _leased(cursor: CursorWrapper) -> bool:
    cursor.execute(TRY_LEASE)
    return bool(cursor.fetchone()[0])


def test_the_worker_applies_it_as_it_starts(brain: Brain, tenant: UUID) -> None:
    remember_days(brain, tenant, "n")
    brain.keep_for(tenant, 1)
    worker = RetentionWorker(lambda _: applied(brain, day(10)))
    worker.start()
    worker.stop()
    assert kept(tenant, "n") == 1
