"""The table of memories."""

from django.db import models
from pgvector.django import HalfVectorField, HnswIndex

DIMENSIONS = 384
"""The length of a vector."""


class MemoryRecordRow(models.Model):
    """One memory. The vector is kept in half precision: its cosines differ from those in single precision
    by less than .001, and it fits into the row's own page."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    namespace = models.CharField(max_length=200)
    key = models.CharField(max_length=300)
    content = models.TextField()
    content_hash = models.CharField(max_length=64)
    role = models.CharField(max_length=40)
    speaker = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField()
    importance = models.FloatField()
    embedding = HalfVectorField(dimensions=DIMENSIONS)
    provenance = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "memory_record"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "namespace", "key"], name="memory_record_key"),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "namespace", "content_hash"], name="memory_record_content"),
            HnswIndex(
                name="memory_record_embedding",
                fields=["embedding"],
                m=16,
                ef_construction=64,
                opclasses=["halfvec_cosine_ops"],
            ),
        ]
