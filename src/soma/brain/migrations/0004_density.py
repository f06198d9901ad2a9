"""Sketches of what the vectors of a namespace have in common."""

from django.db import migrations, models

from soma.base.rls import tenant_table


class Migration(migrations.Migration):
    dependencies = [("brain", "0003_frames")]

    operations = [
        migrations.CreateModel(
            name="DensitySketchRow",
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
                ("version", models.BigIntegerField()),
                ("rank", models.IntegerField()),
                ("dimensions", models.IntegerField()),
                ("rows", models.BinaryField()),
                ("count", models.BigIntegerField()),
                ("energy", models.FloatField()),
                ("lost", models.FloatField()),
                ("written_at", models.DateTimeField()),
                ("record_id", models.UUIDField()),
            ],
            options={"db_table": "density_sketch"},
        ),
        tenant_table("density_sketch"),
    ]
