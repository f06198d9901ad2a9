"""Marks of recalled evidence, and the calibrators that are fitted on them."""

from django.db import migrations, models

from soma.base.rls import tenant_table


class Migration(migrations.Migration):
    dependencies = [("brain", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="EvidenceMarkRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "turn_id",
                        "record_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("turn_id", models.UUIDField()),
                ("record_id", models.UUIDField()),
                ("namespace", models.CharField(max_length=200)),
                ("cosine", models.FloatField()),
                ("relevant", models.BooleanField()),
                ("marked_at", models.DateTimeField()),
            ],
            options={
                "db_table": "evidence_mark",
                "indexes": [
                    models.Index(fields=["tenant_id", "namespace", "marked_at"], name="evidence_mark_latest")
                ],
            },
        ),
        migrations.CreateModel(
            name="CalibratorRow",
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
                ("namespace", models.CharField(max_length=200)),
                ("calibrator", models.JSONField()),
                ("report", models.JSONField()),
                ("pending", models.IntegerField()),
            ],
            options={"db_table": "evidence_calibrator"},
        ),
        tenant_table("evidence_mark"),
        tenant_table("evidence_calibrator", privileges="SELECT, INSERT, UPDATE"),
    ]
