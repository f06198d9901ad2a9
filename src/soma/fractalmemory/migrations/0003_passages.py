"""Texts for ranking: passages, the statistics of namespaces, postings in blocks."""

import django.contrib.postgres.fields
from django.db import migrations, models

from soma.base.rls import tenant_table

CASCADE = """
    ALTER TABLE memory_passage
        ADD CONSTRAINT memory_passage_record
        FOREIGN KEY (record_id) REFERENCES memory_record ON DELETE CASCADE;
"""
"""SQL, because the ORM's foreign keys delete row by row from Python, and only what the ORM deletes."""

STORAGE = """
    ALTER TABLE memory_passage SET (toast_tuple_target = 1024),
        ALTER COLUMN sentences SET STORAGE EXTERNAL;
    ALTER TABLE memory_posting SET (toast_tuple_target = 8160, fillfactor = 80),
        ALTER COLUMN block SET STORAGE EXTERNAL;
    ALTER TABLE memory_namespace SET (fillfactor = 50);
    ALTER TABLE memory_speaker SET (fillfactor = 50);
"""
"""Vectors stand apart, so that reading terms does not read them; blocks stand in the row, where one fetch
finds them. Neither is compressed: they have no air in them. Counters change with each batch, in place."""


class Migration(migrations.Migration):
    dependencies = [("fractalmemory", "0002_indexes_links")]

    operations = [
        migrations.CreateModel(
            name="NamespaceRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("name", models.CharField(max_length=200)),
                ("records", models.BigIntegerField()),
                ("tokens", models.BigIntegerField()),
                ("next_number", models.BigIntegerField()),
                ("sealed_to", models.BigIntegerField()),
            ],
            options={
                "db_table": "memory_namespace",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "name"), name="memory_namespace_name")
                ],
            },
        ),
        tenant_table("memory_namespace"),
        migrations.CreateModel(
            name="PassageRow",
            fields=[
                ("record_id", models.UUIDField(primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("namespace_id", models.BigIntegerField()),
                ("number", models.BigIntegerField()),
                ("place", models.BigIntegerField()),
                ("session", models.CharField(blank=True, db_collation="C", max_length=200)),
                ("speaker", models.CharField(blank=True, max_length=200)),
                ("occurred_at", models.DateTimeField()),
                ("previous_id", models.UUIDField(null=True)),
                ("next_id", models.UUIDField(null=True)),
                (
                    "terms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(db_collation="C"), size=None
                    ),
                ),
                (
                    "frequencies",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), size=None
                    ),
                ),
                ("length", models.IntegerField()),
                ("words", models.IntegerField()),
                ("told", models.FloatField()),
                ("asks", models.BooleanField()),
                ("timed", models.BooleanField()),
                ("sentences", models.BinaryField(null=True)),
            ],
            options={
                "db_table": "memory_passage",
                "indexes": [
                    models.Index(
                        fields=["namespace_id", "session", "occurred_at", "place"],
                        name="memory_passage_session",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("namespace_id", "number"), name="memory_passage_number")
                ],
            },
        ),
        migrations.RunSQL(CASCADE, migrations.RunSQL.noop),
        tenant_table("memory_passage"),
        migrations.CreateModel(
            name="PostingBlockRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "namespace_id",
                        "term",
                        "first_number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("namespace_id", models.BigIntegerField()),
                ("term", models.TextField(db_collation="C")),
                ("first_number", models.BigIntegerField()),
                ("block", models.BinaryField()),
            ],
            options={"db_table": "memory_posting"},
        ),
        tenant_table("memory_posting"),
        migrations.CreateModel(
            name="SpeakerRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "namespace_id",
                        "name",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("namespace_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=200)),
                ("records", models.BigIntegerField()),
            ],
            options={"db_table": "memory_speaker"},
        ),
        tenant_table("memory_speaker"),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
    ]
