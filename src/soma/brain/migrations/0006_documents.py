"""Documents, and their files for as long as they are read."""

from django.db import migrations, models

from soma.base.rls import tenant_table, worker_access


class Migration(migrations.Migration):
    dependencies = [("brain", "0005_working_memory")]

    operations = [
        migrations.CreateModel(
            name="DocumentPartRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "document_id",
                        "revision",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("document_id", models.UUIDField()),
                ("revision", models.IntegerField()),
                ("number", models.IntegerField()),
                ("content", models.BinaryField()),
            ],
            options={
                "db_table": "document_part",
            },
        ),
        migrations.CreateModel(
            name="DocumentRow",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("namespace", models.CharField(max_length=200)),
                ("key", models.CharField(max_length=300)),
                ("name", models.CharField(blank=True, max_length=300)),
                ("title", models.CharField(blank=True, max_length=200)),
                ("given_title", models.CharField(blank=True, max_length=200)),
                ("media_type", models.CharField(max_length=40)),
                ("charset", models.CharField(blank=True, max_length=40)),
                ("content_hash", models.CharField(max_length=64)),
                ("size", models.BigIntegerField()),
                ("trace_id", models.CharField(max_length=64)),
                ("revision", models.IntegerField()),
                ("status", models.CharField(max_length=20)),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("detail", models.TextField(blank=True)),
                ("pages", models.IntegerField(null=True)),
                ("characters", models.BigIntegerField()),
                ("chunks", models.IntegerField()),
                ("chunks_done", models.IntegerField()),
                ("reading_hash", models.CharField(blank=True, max_length=64)),
                ("stale", models.JSONField()),
                ("attempts", models.IntegerField()),
                ("received_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "document",
                "indexes": [
                    models.Index(fields=["tenant_id", "namespace", "-id"], name="document_listed"),
                    models.Index(
                        condition=models.Q(("status__in", ["waiting", "reading", "embedding"])),
                        fields=["received_at"],
                        name="document_active",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "namespace", "key"), name="document_key")
                ],
            },
        ),
        tenant_table("document"),
        worker_access("document", privileges="SELECT"),
        tenant_table("document_part", privileges="SELECT, INSERT, DELETE"),
    ]
