"""Counters of what tenants and namespaces use; and no sample of a text in the planner's statistics."""

from django.db import migrations, models

from soma.base.rls import tenant_table, worker_access

COUNT_STANDING = """
    ALTER TABLE memory_record NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE memory_usage NO FORCE ROW LEVEL SECURITY;
    INSERT INTO memory_usage (tenant_id, namespace, records, bytes)
    SELECT tenant_id, coalesce(namespace, ''), count(*), sum(octet_length(content)) FROM memory_record
    GROUP BY GROUPING SETS ((tenant_id, namespace), (tenant_id));
    ALTER TABLE memory_record FORCE ROW LEVEL SECURITY;
    ALTER TABLE memory_usage FORCE ROW LEVEL SECURITY;
"""
"""The owner sees rows of every tenant for the length of this statement, which no other role does."""

NO_SAMPLES = """
    ALTER TABLE memory_record ALTER content SET STATISTICS 0, ALTER provenance SET STATISTICS 0;
    ALTER TABLE memory_passage ALTER terms SET STATISTICS 0, ALTER sentences SET STATISTICS 0;
"""
"""ANALYZE would keep the commonest and some other values where no deletion of a memory reaches them. No
statement compares these columns with a value, so nothing is planned by them."""

SAMPLES = """
    ALTER TABLE memory_record ALTER content SET STATISTICS -1, ALTER provenance SET STATISTICS -1;
    ALTER TABLE memory_passage ALTER terms SET STATISTICS -1, ALTER sentences SET STATISTICS -1;
"""


class Migration(migrations.Migration):
    dependencies = [("fractalmemory", "0006_link_usage")]

    operations = [
        migrations.CreateModel(
            name="UsageRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "namespace",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("namespace", models.CharField(blank=True, max_length=200)),
                ("records", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
            ],
            options={"db_table": "memory_usage"},
        ),
        migrations.RunSQL("ALTER TABLE memory_usage SET (fillfactor = 50)", migrations.RunSQL.noop),
        tenant_table("memory_usage"),
        worker_access("memory_usage", privileges="SELECT"),
        migrations.RunSQL(COUNT_STANDING, migrations.RunSQL.noop),
        migrations.RunSQL(NO_SAMPLES, SAMPLES),
    ]
