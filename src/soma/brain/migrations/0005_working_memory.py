"""What conversations have at hand, where their segments stand, and what was to be forgotten for good."""

from typing import Any

from django.db import migrations, models

from soma.base.rls import tenant_table


def key_of(*names: str) -> tuple[str, "models.CompositePrimaryKey"]:
    """The primary key made of these columns."""
    options: dict[str, Any] = {"blank": True, "editable": False, "primary_key": True, "serialize": False}
    return "pk", models.CompositePrimaryKey(*names, **options)


class Migration(migrations.Migration):
    dependencies = [("brain", "0004_density")]

    operations = [
        migrations.CreateModel(
            name="WorkingMemoryRow",
            fields=[
                key_of("tenant_id", "conversation_id"),
                ("tenant_id", models.UUIDField()),
                ("conversation_id", models.UUIDField()),
                ("turns", models.IntegerField()),
                ("last_turn_id", models.UUIDField()),
            ],
            options={"db_table": "working_memory"},
        ),
        migrations.CreateModel(
            name="WorkingItemRow",
            fields=[
                key_of("tenant_id", "conversation_id", "id"),
                ("tenant_id", models.UUIDField()),
                ("conversation_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("namespace", models.CharField(max_length=200)),
                ("key", models.CharField(max_length=300)),
                ("content", models.TextField()),
                ("content_hash", models.CharField(max_length=64)),
                ("role", models.CharField(max_length=40)),
                ("speaker", models.CharField(max_length=200)),
                ("occurred_at", models.DateTimeField()),
                ("importance", models.FloatField()),
                ("provenance", models.JSONField()),
                ("salience", models.FloatField()),
                ("turn", models.IntegerField()),
                ("last_use", models.IntegerField()),
                ("record_id", models.UUIDField(null=True)),
                ("vector", models.BinaryField(null=True)),
            ],
            options={
                "db_table": "working_item",
                "indexes": [
                    models.Index(fields=["tenant_id", "id"], name="working_item_id"),
                    models.Index(fields=["tenant_id", "record_id"], name="working_item_record"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConversationSegmentRow",
            fields=[
                key_of("tenant_id", "conversation_id"),
                ("tenant_id", models.UUIDField()),
                ("conversation_id", models.UUIDField()),
                ("sequence", models.BigIntegerField()),
                ("turns", models.IntegerField()),
                ("start", models.IntegerField()),
                ("change_probability", models.FloatField()),
                ("state", models.BinaryField()),
            ],
            options={"db_table": "conversation_segment"},
        ),
        migrations.CreateModel(
            name="ForgottenMemoryRow",
            fields=[
                key_of("tenant_id", "record_id"),
                ("tenant_id", models.UUIDField()),
                ("record_id", models.UUIDField()),
                ("forgotten_at", models.DateTimeField()),
            ],
            options={"db_table": "forgotten_memory"},
        ),
        migrations.CreateModel(
            name="ForgottenConversationRow",
            fields=[
                key_of("tenant_id", "conversation_id"),
                ("tenant_id", models.UUIDField()),
                ("conversation_id", models.UUIDField()),
                ("before", models.DateTimeField()),
            ],
            options={"db_table": "forgotten_conversation"},
        ),
        tenant_table("working_memory"),
        tenant_table("working_item"),
        tenant_table("conversation_segment"),
        tenant_table("forgotten_memory", privileges="SELECT, INSERT"),
        tenant_table("forgotten_conversation", privileges="SELECT, INSERT, UPDATE"),
    ]
