"""The installation's signature over the hash of each checkpoint."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("brain", "0010_checkpoint_reward")]

    operations = [
        migrations.AddField("learnedcheckpointrow", "signature", models.BinaryField(null=True)),
    ]
