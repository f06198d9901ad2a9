"""What users say of turns. It is written once: a later word is a later row."""

import django.db.models.deletion
from django.db import migrations, models

from soma.base.rls import tenant_table


class Migration(migrations.Migration):
    dependencies = (("agent", "0002_relations"),)

    operations = (
        migrations.CreateModel(
            name="TurnFeedbackRow",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                (
                    "turn",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="agent.turnrow"
                    ),
                ),
                ("user_id", models.UUIDField()),
                ("revision", models.IntegerField()),
                ("said", models.JSONField()),
                ("outcome", models.JSONField()),
                ("idempotency_key", models.TextField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "turn_feedback",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("turn", "user_id", "revision"), name="turn_feedback_revision"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("idempotency_key__isnull", False)),
                        fields=("tenant_id", "user_id", "idempotency_key"),
                        name="turn_feedback_idempotency",
                    ),
                ],
            },
        ),
        tenant_table("turn_feedback", privileges="SELECT, INSERT, DELETE"),
    )
