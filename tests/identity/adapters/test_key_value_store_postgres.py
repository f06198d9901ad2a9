"""The key-value store on PostgreSQL: the contract, its tables, and what becomes of it with the server."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections

from soma.base.database import tenant_transaction
from soma.identity.adapters import key_value_store_postgres
from soma.identity.adapters.key_value_store_postgres import PostgresKeyValueStore
from soma.project.stack.server import Server
from tests.identity.contract_key_value_store import (
    MINUTE,
    KeyValueStoreContract,
    eight,
    eventually,
    window,
)
from tests.shell import ROOT

pytestmark = pytest.mark.req("AUTH-005")


class TestPostgres(KeyValueStoreContract):
    """The contract."""

    @pytest.fixture
    def store(self) -> PostgresKeyValueStore:
        return PostgresKeyValueStore()


def scalar(tenant: UUID, sql: str) -> Any:
    with tenant_transaction(tenant), connections["default"].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.mark.parametrize("table", ["key_value", "rate_window", "rate_hit"])
def test_what_may_be_lost_is_not_logged_and_seen_by_its_tenant_only(table: str) -> None:
    store, ours, theirs = PostgresKeyValueStore(), uuid4(), uuid4()
    store.set(ours, "a", b"1")
    store.hit(ours, [window()])
    assert scalar(ours, f"SELECT relpersistence FROM pg_class WHERE oid = '{table}'::regclass") == "u"
    assert scalar(ours, f"SELECT count(*) FROM {table}") == 1
    assert scalar(theirs, f"SELECT count(*) FROM {table}") == 0


@pytest.mark.parametrize("role", ["soma_worker", "public"])
def test_only_the_application_counts(role: str) -> None:
    signature = "soma_rate_hit(uuid, text[], bigint[], interval[])"
    assert scalar(uuid4(), f"SELECT has_function_privilege('{role}', '{signature}', 'EXECUTE')") is False


def test_what_is_over_is_swept_and_nothing_else() -> None:
    store, tenant = PostgresKeyValueStore(), uuid4()
    short = timedelta(milliseconds=20)
    for number in range(3):
        store.set(tenant, f"gone{number}", b"1", ttl=short)
        store.hit(tenant, [window(f"gone{number}", seconds=0.02), window("stays")])
    store.set(tenant, "stays", b"1", ttl=MINUTE)
    store.set(tenant, "for good", b"1")
    eventually(lambda: store.get(tenant, "gone2"), lambda value: value is None)
    store.sweep()
    assert scalar(tenant, "SELECT array_agg(key ORDER BY key) FROM key_value") == ["for good", "stays"]
    assert scalar(tenant, "SELECT array_agg(key) FROM rate_window") == ["stays"]
    assert scalar(tenant, "SELECT count(*) FROM rate_hit") == 3
    assert store.hit(tenant, [window("gone0")])[0].remaining == 2
    assert store.hit(tenant, [window("stays", limit=5)])[0].remaining == 1


def test_it_is_swept_by_whoever_calls_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_value_store_postgres, "SWEEP_SECONDS", 0.0)
    store, tenant = PostgresKeyValueStore(), uuid4()
    store.set(tenant, "gone", b"1", ttl=timedelta(milliseconds=1))
    eventually(lambda: store.get(tenant, "gone"), lambda value: value is None)
    store.hit(tenant, [window()])
    assert scalar(tenant, "SELECT count(*) FROM key_value") == 0


def test_a_sweep_while_eight_hit_takes_nothing_that_counts() -> None:
    store, tenant = PostgresKeyValueStore(), uuid4()

    def hit(number: int) -> int:
        admitted = 0
        for turn in range(60):
            if number == 0:
                store.sweep()
            store.hit(tenant, [window(f"short{turn}", limit=99, seconds=0.001)])
            admitted += store.hit(tenant, [window(f"w{turn}", limit=5)])[0].allowed
        return admitted

    assert sum(eight(hit)) == 60 * 5
    assert all(store.hit(tenant, [window(f"w{turn}", limit=5)])[0].remaining == 0 for turn in range(60))


def test_hits_that_count_no_longer_are_removed_on_the_way() -> None:
    store, tenant = PostgresKeyValueStore(), uuid4()
    short = window(limit=50, seconds=0.05)
    for _ in range(300):
        store.hit(tenant, [short])
    eventually(lambda: store.hit(tenant, [short])[0], lambda decision: decision.allowed)
    assert scalar(tenant, "SELECT count(*) FROM rate_hit") <= 66


def test_a_clock_that_was_set_back_does_not_close_a_window() -> None:
    store, tenant = PostgresKeyValueStore(), uuid4()
    for _ in range(2):
        store.hit(tenant, [window(limit=2)])
    move(tenant, "2 hours")
    decisions = [store.hit(tenant, [window(limit=2)])[0] for _ in range(3)]
    assert [decision.allowed for decision in decisions] == [True, True, False]
    assert decisions[2].retry_after <= 60


def test_a_clock_that_was_set_back_a_little_only_makes_strict() -> None:
    store, tenant = PostgresKeyValueStore(), uuid4()
    store.hit(tenant, [window(limit=2)])
    move(tenant, "30 seconds")
    decisions = [store.hit(tenant, [window(limit=2)])[0] for _ in range(2)]
    assert [decision.allowed for decision in decisions] == [True, False]
    assert decisions[1].retry_after == 60


def move(tenant: UUID, by: str) -> None:
    """Have the hits of `tenant` lie in the future, as they do once the clock was set back."""
    with tenant_transaction(tenant), connections["default"].cursor() as cursor:
        cursor.execute("UPDATE rate_hit SET at = at + %s::interval", [by])
        cursor.execute("UPDATE rate_window SET last_at = last_at + %s::interval", [by])


def test_inside_a_transaction_nothing_is_counted() -> None:
    """Its tenant would become another in the middle."""
    store, tenant = PostgresKeyValueStore(), uuid4()
    with pytest.raises(RuntimeError), tenant_transaction(tenant):
        store.hit(tenant, [window()])
    with pytest.raises(RuntimeError), tenant_transaction(tenant):
        store.get(tenant, "a")


def test_killed_and_started_again_in_the_middle(own_server: Callable[[str], Server], tmp_path: Path) -> None:
    """A process of its own uses the server: this one's stays up."""
    server = own_server("postgres")
    variables = {
        **os.environ,
        "SOMAGENT_DATABASE_URL": server.address,
        "SOMAGENT_HOME": str(tmp_path / "home"),
    }
    command = [sys.executable, "-m", "tests.identity.store_user"]
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        assert user.stdin is not None
        assert user.stdout is not None
        try:
            until(user.stdout, "worked")
            for _ in range(2):
                server.kill()
                until(user.stdout, "away")
                server.start()
                until(user.stdout, "worked")
        finally:
            user.stdin.close()
    assert user.returncode == 0


def until(lines: Iterable[str], wanted: str) -> None:
    """Read on to the line `wanted`; no line may tell of anything but these two."""
    for line in lines:
        assert line.strip() in {"worked", "away"}
        if line.strip() == wanted:
            return
    raise AssertionError(f"it ended before it said {wanted}")
