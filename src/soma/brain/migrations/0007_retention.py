"""How long memories are kept."""

from django.db import migrations, models

from soma.base.rls import tenant_table


class Migration(migrations.Migration):
    dependencies = [("brain", "0006_documents")]

    operations = [
        migrations.CreateModel(
            name="RetentionRow",
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
                ("namespace", models.CharField(blank=True, max_length=200)),
                ("days", models.IntegerField()),
            ],
            options={"db_table": "memory_retention"},
        ),
        tenant_table("memory_retention"),
    ]
