"""Which index holds a memory's vector, vectors that are to be removed elsewhere, and links."""

from uuid import UUID

import django.db.models.functions.datetime
import pgvector.django.indexes
from django.db import migrations, models

from soma.base.rls import tenant_table

CASCADES = """
    ALTER TABLE memory_link
        ADD CONSTRAINT memory_link_source FOREIGN KEY (source_id) REFERENCES memory_record ON DELETE CASCADE,
        ADD CONSTRAINT memory_link_target FOREIGN KEY (target_id) REFERENCES memory_record ON DELETE CASCADE;
"""
"""SQL, because the ORM's foreign keys delete row by row from Python, and only what the ORM deletes."""


class Migration(migrations.Migration):
    dependencies = [("fractalmemory", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="memoryrecordrow",
            name="written_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        # The default is for the rows that stand; whoever writes one says when.
        migrations.AlterField(model_name="memoryrecordrow", name="written_at", field=models.DateTimeField()),
        migrations.AddField(
            model_name="memoryrecordrow", name="indexed_by", field=models.UUIDField(null=True)
        ),
        migrations.RemoveIndex(model_name="memoryrecordrow", name="memory_record_embedding"),
        migrations.AddIndex(
            model_name="memoryrecordrow",
            index=pgvector.django.indexes.HnswIndex(
                condition=models.Q(("indexed_by", UUID(int=1))),
                ef_construction=64,
                fields=["embedding"],
                m=16,
                name="memory_record_embedding",
                opclasses=["halfvec_cosine_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="memoryrecordrow",
            index=models.Index(fields=["tenant_id", "namespace", "indexed_by"], name="memory_record_indexed"),
        ),
        migrations.CreateModel(
            name="VectorRemovalRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("indexed_by", models.UUIDField()),
                ("record_id", models.UUIDField()),
                ("written_at", models.DateTimeField()),
            ],
            options={
                "db_table": "memory_vector_removal",
                "indexes": [
                    models.Index(fields=["tenant_id", "indexed_by"], name="memory_vector_removal_owed")
                ],
            },
        ),
        tenant_table("memory_vector_removal"),
        migrations.CreateModel(
            name="MemoryLinkRow",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("source_id", models.UUIDField()),
                ("target_id", models.UUIDField()),
                ("kind", models.CharField(max_length=40)),
                ("conductance", models.FloatField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "memory_link",
                "indexes": [models.Index(fields=["target_id"], name="memory_link_target")],
                "constraints": [
                    models.UniqueConstraint(fields=("source_id", "target_id", "kind"), name="memory_link_key")
                ],
            },
        ),
        migrations.RunSQL(CASCADES, migrations.RunSQL.noop),
        tenant_table("memory_link"),
    ]
