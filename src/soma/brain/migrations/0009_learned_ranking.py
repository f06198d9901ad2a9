"""What feedback on evidence has taught, and what checkpoints need to be returned to. Versions are written
once, as checkpoints are: no role may change them."""

from django.db import migrations, models

from soma.base.rls import tenant_table


def _key(*names: str) -> models.CompositePrimaryKey:
    return models.CompositePrimaryKey(*names, blank=True, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [("brain", "0008_memory_capsules")]

    operations = [
        migrations.CreateModel(
            name="LearnedRankingRow",
            fields=[
                ("pk", _key("tenant_id", "agent_id", "namespace")),
                ("tenant_id", models.UUIDField()),
                ("agent_id", models.CharField(max_length=200)),
                ("namespace", models.CharField(max_length=200)),
                ("state", models.BinaryField()),
                ("sequence", models.BigIntegerField()),
            ],
            options={"db_table": "learned_ranking"},
        ),
        migrations.CreateModel(
            name="RankingVersionRow",
            fields=[
                ("pk", _key("tenant_id", "agent_id", "namespace", "sequence")),
                ("tenant_id", models.UUIDField()),
                ("agent_id", models.CharField(max_length=200)),
                ("namespace", models.CharField(max_length=200)),
                ("sequence", models.BigIntegerField()),
                ("state", models.BinaryField()),
            ],
            options={"db_table": "learned_ranking_version"},
        ),
        migrations.CreateModel(
            name="ConstitutionRow",
            fields=[
                ("pk", _key("tenant_id", "hash")),
                ("tenant_id", models.UUIDField()),
                ("hash", models.CharField(max_length=128)),
                ("adopted_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "learning_constitution"},
        ),
        migrations.AddField(
            "learnedcheckpointrow", "kind", models.CharField(max_length=20, db_default="turn")
        ),
        migrations.AddField("learnedcheckpointrow", "source_id", models.UUIDField(null=True)),
        migrations.AddField("learnedcheckpointrow", "rankings", models.JSONField(db_default={})),
        migrations.AddField("learnedcheckpointrow", "returns_to", models.BigIntegerField(null=True)),
        migrations.AddField(
            "learnedcheckpointrow", "constitution_hash", models.CharField(max_length=128, null=True)
        ),
        migrations.AddConstraint(
            "learnedcheckpointrow",
            models.UniqueConstraint(
                fields=("tenant_id", "agent_id", "source_id"), name="learned_checkpoint_source"
            ),
        ),
        tenant_table("learned_ranking", privileges="SELECT, INSERT, UPDATE"),
        tenant_table("learned_ranking_version", privileges="SELECT, INSERT"),
        tenant_table("learning_constitution", privileges="SELECT, INSERT, UPDATE"),
    ]
