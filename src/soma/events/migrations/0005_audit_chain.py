"""The audit chain: a link for every event of the log, and signed checkpoints of it."""

from django.db import migrations, models

from soma.base.rls import tenant_table, worker_access

APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION soma_refuse_change();
-- ALWAYS: also where session_replication_role would silence ordinary triggers.
ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only;
REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM soma_owner;
"""

NOT_APPEND_ONLY = """
GRANT UPDATE, DELETE, TRUNCATE ON {table} TO soma_owner;
DROP TRIGGER append_only ON {table};
"""


def append_only(table: str) -> migrations.RunSQL:
    """Refuse every change of `table` but an insert, to everybody."""
    return migrations.RunSQL(APPEND_ONLY.format(table=table), NOT_APPEND_ONLY.format(table=table))


def primary_key(second: str) -> models.CompositePrimaryKey:
    """The tenant and what counts within it."""
    return models.CompositePrimaryKey(
        "tenant_id", second, blank=True, editable=False, primary_key=True, serialize=False
    )


class Migration(migrations.Migration):
    """Links and checkpoints. What was recorded before gets its links with its tenant's next event."""

    dependencies = (("events", "0004_retention"),)
    operations = (
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                ("pk", primary_key("sequence")),
                ("tenant_id", models.UUIDField()),
                ("sequence", models.BigIntegerField()),
                ("event_id", models.UUIDField()),
                ("digest", models.BinaryField()),
            ],
            options={"db_table": "audit_link"},
        ),
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                ("pk", primary_key("number")),
                ("tenant_id", models.UUIDField()),
                ("number", models.BigIntegerField()),
                ("sequence", models.BigIntegerField()),
                ("event_id", models.UUIDField()),
                ("digest", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("key_id", models.CharField(max_length=16)),
                ("signature", models.BinaryField()),
            ],
            options={
                "db_table": "audit_checkpoint",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "sequence"), name="audit_checkpoint_sequence"
                    )
                ],
            },
        ),
        tenant_table("audit_link", privileges="SELECT"),
        worker_access("audit_link", privileges="SELECT, INSERT"),
        tenant_table("audit_checkpoint", privileges="SELECT"),
        worker_access("audit_checkpoint", privileges="SELECT, INSERT"),
        append_only("audit_link"),
        append_only("audit_checkpoint"),
    )
