"""Sketches say of each component whether it is large as well. Those of signs alone go; what they told of
waits to be indexed again, and is compared row by row until then."""

from uuid import UUID

from django.db import migrations, models


def waiting(index: UUID) -> models.Index:
    """The index of the memories that are not in `index`."""
    return models.Index(
        condition=models.Q(
            ("indexed_by", None), ("indexed_by__lt", index), ("indexed_by__gt", index), _connector="OR"
        ),
        fields=["tenant_id", "indexed_by", "namespace"],
        name="memory_record_waiting",
    )


class Migration(migrations.Migration):
    dependencies = [("fractalmemory", "0008_tenant_looked_up_once")]

    operations = [
        migrations.RunSQL("TRUNCATE memory_sketch", migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="memoryrecordrow", name="memory_record_waiting"),
        migrations.AddIndex(model_name="memoryrecordrow", index=waiting(UUID(int=3))),
    ]
