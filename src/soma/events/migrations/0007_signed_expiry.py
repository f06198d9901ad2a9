"""Signed expiries: the retention says what it removes, so that nobody else can pass for it."""

from django.db import migrations, models

from soma.base.rls import tenant_table, worker_access


class Migration(migrations.Migration):
    """What had left the log before is covered by the first expiry that follows."""

    dependencies = (("events", "0005_audit_chain"),)
    operations = (
        migrations.CreateModel(
            name="AuditExpiry",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "sequence",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("sequence", models.BigIntegerField()),
                ("digest", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("key_id", models.CharField(max_length=16)),
                ("signature", models.BinaryField()),
            ],
            options={"db_table": "audit_expiry"},
        ),
        tenant_table("audit_expiry", privileges="SELECT"),
        worker_access("audit_expiry", privileges="SELECT, INSERT"),
        migrations.RunSQL(
            """
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_expiry
                FOR EACH STATEMENT EXECUTE FUNCTION soma_refuse_change();
            -- ALWAYS: also where session_replication_role would silence ordinary triggers.
            ALTER TABLE audit_expiry ENABLE ALWAYS TRIGGER append_only;
            REVOKE UPDATE, DELETE, TRUNCATE ON audit_expiry FROM soma_owner;
            """,
            """
            GRANT UPDATE, DELETE, TRUNCATE ON audit_expiry TO soma_owner;
            DROP TRIGGER append_only ON audit_expiry;
            """,
        ),
    )
