"""Memories and their vectors. The extension `vector` is there: making it takes an administrator."""

import pgvector.django.halfvec
import pgvector.django.indexes
from django.db import migrations, models

from soma.base.rls import tenant_table


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="MemoryRecordRow",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("namespace", models.CharField(max_length=200)),
                ("key", models.CharField(max_length=300)),
                ("content", models.TextField()),
                ("content_hash", models.CharField(max_length=64)),
                ("role", models.CharField(max_length=40)),
                ("speaker", models.CharField(blank=True, max_length=200)),
                ("occurred_at", models.DateTimeField()),
                ("importance", models.FloatField()),
                ("embedding", pgvector.django.halfvec.HalfVectorField(dimensions=384)),
                ("provenance", models.JSONField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "memory_record",
                "indexes": [
                    models.Index(
                        fields=["tenant_id", "namespace", "content_hash"], name="memory_record_content"
                    ),
                    pgvector.django.indexes.HnswIndex(
                        ef_construction=64,
                        fields=["embedding"],
                        m=16,
                        name="memory_record_embedding",
                        opclasses=["halfvec_cosine_ops"],
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "namespace", "key"), name="memory_record_key"
                    )
                ],
            },
        ),
        tenant_table("memory_record"),
    ]
