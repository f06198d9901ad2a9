"""A dead letter that is tried again is one no more."""

from django.db import migrations


class Migration(migrations.Migration):
    """What the worker may do."""

    dependencies = (("events", "0002_partitions"),)
    operations = (
        migrations.RunSQL(
            "GRANT DELETE ON dead_letter TO soma_worker;", "REVOKE DELETE ON dead_letter FROM soma_worker;"
        ),
    )
