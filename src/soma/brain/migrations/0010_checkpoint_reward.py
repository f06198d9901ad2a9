"""What reward a turn had that made a checkpoint, for the regret watch."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("brain", "0009_learned_ranking")]

    operations = [
        migrations.AddField("learnedcheckpointrow", "reward", models.FloatField(null=True)),
    ]
