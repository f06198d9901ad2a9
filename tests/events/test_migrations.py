"""What was there before a migration is right after it."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from tests.events.own_database import superuser_of

pytestmark = pytest.mark.req("PERSIST-002")

ROWS = """
INSERT INTO consumer_offset (name, position, heartbeat_at) VALUES ('a', 7, now()), ('b', 8, now());
INSERT INTO parked_event (consumer, position, tenant_id, attempts, next_attempt_at, last_error)
VALUES ('a', 5, gen_random_uuid(), 1, now(), ''), ('b', 5, gen_random_uuid(), 1, now(), '');
INSERT INTO dead_letter (id, source, position, attempts, error, failed_at, event_id, tenant_id, topic, type,
                         version, key, trace_id, occurred_at, payload)
SELECT gen_random_uuid(), source, position, 5, '', now(), gen_random_uuid(), gen_random_uuid(),
       't', 't', 1, 'k', '', now(), '{}' FROM (VALUES ('a', 3), ('relay', null)) AS row(source, position);
"""


def migrate(to: str) -> None:
    call_command("migrate", "events", to, database="owner", verbosity=0)


def test_rows_of_a_log_without_partitions_go_on_in_its_only_one(own_database: str) -> None:
    migrate("0001")
    with superuser_of(own_database) as connection:
        connection.execute(ROWS)
        migrate("0002")
        rows = connection.execute("SELECT name, partition, position FROM consumer_offset ORDER BY name")
        assert rows.fetchall() == [("a", "log", 7), ("b", "log", 8)]
        rows = connection.execute("SELECT consumer, partition, position FROM parked_event ORDER BY consumer")
        assert rows.fetchall() == [("a", "log", 5), ("b", "log", 5)]
        rows = connection.execute("SELECT source, partition, position FROM dead_letter ORDER BY source")
        assert rows.fetchall() == [("a", "log", 3), ("relay", None, None)]
        forced = "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = 'dead_letter'"
        assert connection.execute(forced).fetchone() == (True,)


def test_models_and_migrations_agree() -> None:
    loader = MigrationLoader(None)
    written, meant = loader.project_state(), ProjectState.from_apps(apps)
    assert "events" not in MigrationAutodetector(written, meant).changes(graph=loader.graph)
