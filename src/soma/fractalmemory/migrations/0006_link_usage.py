"""What usage leaves in links: what they come back to, what has flowed, since when; and the uses."""

import django.db.models.functions.datetime
from django.db import migrations, models

from soma.base.rls import tenant_table

MADE_BY_HAND = """
    ALTER TABLE memory_link NO FORCE ROW LEVEL SECURITY;
    UPDATE memory_link SET rest = conductance, settled_at = created_at;
    ALTER TABLE memory_link FORCE ROW LEVEL SECURITY;
"""
"""The links that stand come back to what they were given. SQL, because the owner of a table that forces its
policies sees no rows."""


class Migration(migrations.Migration):
    dependencies = [("fractalmemory", "0005_sketches")]

    operations = [
        migrations.AddField(model_name="memorylinkrow", name="rest", field=models.FloatField(db_default=0.0)),
        migrations.AddField(model_name="memorylinkrow", name="flow", field=models.FloatField(db_default=0.0)),
        migrations.AddField(
            model_name="memorylinkrow",
            name="settled_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.RunSQL(MADE_BY_HAND, migrations.RunSQL.noop),
        # The defaults are for the rows that stand; whoever writes one says what it holds.
        migrations.AlterField(model_name="memorylinkrow", name="rest", field=models.FloatField()),
        migrations.AlterField(model_name="memorylinkrow", name="flow", field=models.FloatField()),
        migrations.AlterField(model_name="memorylinkrow", name="settled_at", field=models.DateTimeField()),
        migrations.CreateModel(
            name="LinkUseRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("key", models.CharField(max_length=200)),
                ("used_at", models.DateTimeField()),
            ],
            options={"db_table": "memory_link_use"},
        ),
        tenant_table("memory_link_use", privileges="SELECT, INSERT"),
    ]
