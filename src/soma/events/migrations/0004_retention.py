"""Events older than the retention leave the log, by a role that can do nothing else; letters that were tried
again are kept as long; consumers give signs of life."""

from django.db import migrations, models
from django.db.models.functions import Now

from soma.base.rls import worker_columns

FLOOR = "interval '1 day'"
"""What is younger not even the role of the retention can remove, whatever it is told."""

EXPIRY = """
CREATE OR REPLACE FUNCTION soma_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_user = 'soma_retention' AND TG_TABLE_NAME IN ('event_log', 'event_place')
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
"""

NO_EXPIRY = """
CREATE OR REPLACE FUNCTION soma_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
"""


def retained(table: str) -> migrations.RunSQL:
    """Let soma_retention delete from `table` what is old. The second policy is restrictive: the first could
    be joined by the tenants' own, which looks at a setting that anybody may set."""
    return migrations.RunSQL(
        f"""
        CREATE POLICY retention_all ON {table} TO soma_retention USING (true);
        CREATE POLICY retention_floor ON {table} AS RESTRICTIVE TO soma_retention
            USING (recorded_at < now() - {FLOOR});
        GRANT SELECT, DELETE ON {table} TO soma_retention;
        """,
        f"""
        REVOKE ALL ON {table} FROM soma_retention;
        DROP POLICY retention_floor ON {table};
        DROP POLICY retention_all ON {table};
        """,
    )


class Migration(migrations.Migration):
    """Expiry, settled letters, heartbeats."""

    dependencies = (("events", "0003_retried_letters"),)
    operations = (
        # Places from before this migration count as recorded now: they are kept too long, not too short.
        migrations.AddField("EventPlace", "recorded_at", models.DateTimeField(db_default=Now())),
        migrations.AddIndex("EventPlace", models.Index(fields=["recorded_at"], name="event_place_recorded")),
        retained("event_log"),
        retained("event_place"),
        migrations.RunSQL(EXPIRY, NO_EXPIRY),
        migrations.AddField("DeadLetter", "sequence", models.BigIntegerField(null=True)),
        migrations.AddField("DeadLetter", "recorded_at", models.DateTimeField(null=True)),
        migrations.AddField("DeadLetter", "settled_at", models.DateTimeField(null=True)),
        worker_columns("dead_letter", ["settled_at"]),
        migrations.RenameField("ConsumerOffset", "heartbeat_at", "saved_at"),
        migrations.CreateModel(
            name="ConsumerHeartbeat",
            fields=[
                ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("process", models.CharField(max_length=200)),
                ("beat_at", models.DateTimeField()),
                ("last_error", models.TextField()),
            ],
            options={"db_table": "consumer_heartbeat"},
        ),
        migrations.RunSQL(
            "GRANT SELECT, INSERT, UPDATE ON consumer_heartbeat TO soma_worker;",
            "REVOKE ALL ON consumer_heartbeat FROM soma_worker;",
        ),
    )
