"""The frames that memories tell: who did what, when, where and why."""

from django.db import migrations, models

from soma.base.rls import tenant_table

CASCADE = """
    ALTER TABLE memory_frame
        ADD CONSTRAINT memory_frame_record
        FOREIGN KEY (record_id) REFERENCES memory_record ON DELETE CASCADE;
"""
"""SQL, because the ORM's foreign keys delete row by row from Python, and only what the ORM deletes."""


class Migration(migrations.Migration):
    dependencies = [("brain", "0002_calibration"), ("fractalmemory", "0003_passages")]

    operations = [
        migrations.CreateModel(
            name="FrameFillerRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "record_id",
                        "position",
                        "role",
                        "place",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("namespace", models.CharField(max_length=200)),
                ("record_id", models.UUIDField()),
                ("position", models.SmallIntegerField()),
                ("role", models.CharField(max_length=5)),
                ("place", models.SmallIntegerField()),
                ("token", models.CharField(db_collation="C", max_length=200)),
                ("text", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "memory_frame",
                "indexes": [
                    models.Index(
                        fields=["tenant_id", "namespace", "role", "token", "record_id", "position"],
                        name="memory_frame_filler",
                    )
                ],
            },
        ),
        migrations.RunSQL(CASCADE, migrations.RunSQL.noop),
        tenant_table("memory_frame", privileges="SELECT, INSERT, DELETE"),
    ]
