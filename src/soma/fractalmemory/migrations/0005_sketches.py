"""Sketches of vectors in blocks, in place of an index of all tenants' vectors in one graph."""

from uuid import UUID

from django.db import migrations, models

from soma.base.rls import tenant_table

STORAGE = "ALTER TABLE memory_sketch ALTER COLUMN entries SET STORAGE EXTERNAL;"
"""Signs have no air in them."""


class Migration(migrations.Migration):
    dependencies = [("fractalmemory", "0004_analysis_owed")]

    operations = [
        migrations.RemoveIndex(model_name="memoryrecordrow", name="memory_record_embedding"),
        # Each index that begins with the tenant and the namespace invites the planner to read all of a
        # namespace where one row is wanted.
        migrations.RemoveIndex(model_name="memoryrecordrow", name="memory_record_content"),
        migrations.AddIndex(
            model_name="memoryrecordrow",
            index=models.Index(
                fields=["content_hash", "tenant_id", "namespace"], name="memory_record_content"
            ),
        ),
        migrations.RemoveIndex(model_name="memoryrecordrow", name="memory_record_indexed"),
        migrations.AddIndex(
            model_name="memoryrecordrow",
            index=models.Index(
                condition=models.Q(
                    ("indexed_by", None),
                    ("indexed_by__lt", UUID(int=2)),
                    ("indexed_by__gt", UUID(int=2)),
                    _connector="OR",
                ),
                fields=["tenant_id", "indexed_by", "namespace"],
                name="memory_record_waiting",
            ),
        ),
        migrations.CreateModel(
            name="SketchBlockRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "namespace",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("namespace", models.CharField(max_length=200)),
                ("number", models.BigIntegerField()),
                ("version", models.BigIntegerField()),
                ("lowest", models.UUIDField(null=True)),
                ("highest", models.UUIDField(null=True)),
                ("entries", models.BinaryField()),
            ],
            options={
                "db_table": "memory_sketch",
                "indexes": [
                    models.Index(fields=["tenant_id", "namespace", "version"], name="memory_sketch_version")
                ],
            },
        ),
        tenant_table("memory_sketch"),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
    ]
