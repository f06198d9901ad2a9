"""The tables of the event backbone, who may touch them, and the guard that makes the log append-only."""

from typing import Any

from django.db import migrations, models

from soma.base.rls import tenant_table, worker_access

APPEND_ONLY = """
CREATE FUNCTION soma_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_log
    FOR EACH STATEMENT EXECUTE FUNCTION soma_refuse_change();
-- ALWAYS: also where session_replication_role would silence ordinary triggers.
ALTER TABLE event_log ENABLE ALWAYS TRIGGER append_only;
REVOKE UPDATE, DELETE, TRUNCATE ON event_log FROM soma_owner;
"""

NOT_APPEND_ONLY = """
GRANT UPDATE, DELETE, TRUNCATE ON event_log TO soma_owner;
DROP TRIGGER append_only ON event_log;
DROP FUNCTION soma_refuse_change();
"""

PAYLOAD_IS_OBJECT = """
ALTER TABLE event_log ADD CONSTRAINT event_log_payload_object CHECK (jsonb_typeof(payload) = 'object');
"""

QUEUE_STORAGE = """
-- Every row lives for milliseconds: vacuum by count, not by a share of a table that is mostly empty.
ALTER TABLE outbox_message SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000);
"""


Column = tuple[str, "models.Field[Any, Any]"]


def event_columns(payload: "models.Field[Any, Any]") -> list[Column]:
    """What an event consists of, wherever it rests."""
    return [
        ("event_id", models.UUIDField()),
        ("tenant_id", models.UUIDField()),
        ("topic", models.CharField(max_length=200)),
        ("type", models.CharField(max_length=200)),
        ("version", models.SmallIntegerField()),
        ("key", models.CharField(max_length=200)),
        ("trace_id", models.CharField(max_length=200)),
        ("occurred_at", models.DateTimeField()),
        ("payload", payload),
    ]


class Migration(migrations.Migration):
    """Tables, policies, grants, guard."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                *event_columns(payload=models.TextField()),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("attempts", models.SmallIntegerField(default=0, db_default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("last_error", models.TextField(default="", db_default="")),
            ],
            options={
                "db_table": "outbox_message",
                "indexes": [
                    models.Index(
                        fields=["tenant_id", "next_attempt_at"],
                        condition=models.Q(("attempts__gt", 0)),
                        name="outbox_failed",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EventLogEntry",
            fields=[
                *event_columns(payload=models.JSONField()),
                ("position", models.BigAutoField(primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField()),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "db_table": "event_log",
                "indexes": [models.Index(fields=["tenant_id", "key", "sequence"], name="event_log_key")],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "sequence"), name="event_log_sequence"),
                    models.UniqueConstraint(fields=("event_id",), name="event_log_event"),
                    models.CheckConstraint(
                        condition=models.Q(("sequence__gt", 0)), name="event_log_sequence_positive"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EventStream",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("last_sequence", models.BigIntegerField()),
            ],
            options={"db_table": "event_stream"},
        ),
        migrations.CreateModel(
            name="ConsumerOffset",
            fields=[
                ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("position", models.BigIntegerField()),
                ("heartbeat_at", models.DateTimeField()),
            ],
            options={"db_table": "consumer_offset"},
        ),
        migrations.CreateModel(
            name="ParkedEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("consumer", models.CharField(max_length=200)),
                ("position", models.BigIntegerField()),
                ("tenant_id", models.UUIDField()),
                ("attempts", models.SmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("last_error", models.TextField(default="")),
            ],
            options={
                "db_table": "parked_event",
                "indexes": [
                    models.Index(fields=["consumer", "tenant_id", "position"], name="parked_event_head")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("consumer", "position"), name="parked_event_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                *event_columns(payload=models.JSONField()),
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=200)),
                ("position", models.BigIntegerField(null=True)),
                ("attempts", models.SmallIntegerField()),
                ("error", models.TextField()),
                ("failed_at", models.DateTimeField()),
            ],
            options={
                "db_table": "dead_letter",
                "indexes": [models.Index(fields=["tenant_id", "failed_at"], name="dead_letter_recent")],
            },
        ),
        tenant_table("outbox_message", privileges="SELECT, INSERT"),
        worker_access("outbox_message", privileges="SELECT, INSERT, UPDATE, DELETE"),
        tenant_table("event_log", privileges="SELECT"),
        worker_access("event_log", privileges="SELECT, INSERT"),
        tenant_table("event_stream", privileges="SELECT"),
        worker_access("event_stream", privileges="SELECT, INSERT, UPDATE"),
        tenant_table("parked_event", privileges="SELECT"),
        worker_access("parked_event", privileges="SELECT, INSERT, UPDATE, DELETE"),
        tenant_table("dead_letter", privileges="SELECT"),
        worker_access("dead_letter", privileges="SELECT, INSERT"),
        migrations.RunSQL(
            "GRANT SELECT, INSERT, UPDATE ON consumer_offset TO soma_worker;",
            "REVOKE ALL ON consumer_offset FROM soma_worker;",
        ),
        migrations.RunSQL(PAYLOAD_IS_OBJECT, migrations.RunSQL.noop),
        migrations.RunSQL(QUEUE_STORAGE, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
    )
