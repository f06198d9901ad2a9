"""What agents have learned. Steps and checkpoints are written once: no role may change them."""

from django.db import migrations, models

from soma.base.rls import tenant_table


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LearnedStateRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "agent_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("agent_id", models.CharField(max_length=200)),
                ("state", models.BinaryField()),
                ("sequence", models.BigIntegerField()),
                ("checkpoint_hash", models.BinaryField()),
            ],
            options={
                "db_table": "learned_state",
            },
        ),
        migrations.CreateModel(
            name="LearnedStepRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "turn_id",
                        "iteration",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("turn_id", models.UUIDField()),
                ("iteration", models.IntegerField()),
                ("agent_id", models.CharField(max_length=200)),
                ("before", models.BinaryField()),
                ("after", models.BinaryField()),
                ("numbers", models.BinaryField()),
            ],
            options={
                "db_table": "learned_step",
            },
        ),
        migrations.CreateModel(
            name="LearnedCheckpointRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "agent_id",
                        "sequence",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("agent_id", models.CharField(max_length=200)),
                ("sequence", models.BigIntegerField()),
                ("turn_id", models.UUIDField(null=True)),
                ("last_iteration", models.IntegerField()),
                ("state", models.BinaryField()),
                ("previous_hash", models.BinaryField()),
                ("hash", models.BinaryField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "learned_checkpoint",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "agent_id", "turn_id", "last_iteration"),
                        name="learned_checkpoint_turn",
                    )
                ],
            },
        ),
        tenant_table("learned_state", privileges="SELECT, INSERT, UPDATE"),
        tenant_table("learned_step", privileges="SELECT, INSERT"),
        tenant_table("learned_checkpoint", privileges="SELECT, INSERT"),
    ]
