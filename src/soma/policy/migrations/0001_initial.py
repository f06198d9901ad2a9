"""The tables of relations, under row-level security from the start."""

import django.db.models.functions.datetime
from django.db import migrations, models

from soma.base.rls import tenant_table, worker_access

KEY = (
    "tenant_id",
    "object_type",
    "object_id",
    "relation",
    "subject_relation",
    "subject_type",
    "subject_id",
)


class Migration(migrations.Migration):
    """Tables, policies, grants. The worker looks only for which tenants there are to bring level."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="RelationRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        *KEY, blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("object_type", models.TextField()),
                ("object_id", models.TextField()),
                ("relation", models.TextField()),
                ("subject_relation", models.TextField()),
                ("subject_type", models.TextField()),
                ("subject_id", models.TextField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={"db_table": "relation"},
        ),
        migrations.CreateModel(
            name="RelationRevisionRow",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("revision", models.UUIDField(null=True)),
                ("previous", models.UUIDField(null=True)),
                ("zed_token", models.TextField(blank=True, default="")),
            ],
            options={"db_table": "relation_revision"},
        ),
        tenant_table("relation", privileges="SELECT, INSERT, DELETE"),
        tenant_table("relation_revision", privileges="SELECT, INSERT, UPDATE"),
        worker_access("relation", privileges="SELECT"),
        worker_access("relation_revision", privileges="SELECT"),
    )
