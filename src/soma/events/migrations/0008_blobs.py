"""Contents that events and rows name by their hash."""

from django.db import migrations, models

from soma.base.rls import tenant_table

RULES = """
-- They come deflated where that helps; what is read by its key needs no second compression.
ALTER TABLE blob ALTER COLUMN content SET STORAGE EXTERNAL;
GRANT UPDATE (lasting, named_at) ON blob TO soma_app;
CREATE POLICY retention_all ON blob TO soma_retention USING (true);
CREATE POLICY retention_floor ON blob AS RESTRICTIVE TO soma_retention
    USING (NOT lasting AND named_at < now() - interval '1 day');
GRANT SELECT, DELETE ON blob TO soma_retention;
"""

NO_RULES = """
REVOKE ALL ON blob FROM soma_retention;
DROP POLICY retention_floor ON blob;
DROP POLICY retention_all ON blob;
"""


class Migration(migrations.Migration):
    """Blobs, deleted by their tenant, and by the retention once no event that is kept can name them."""

    dependencies = (("events", "0007_signed_expiry"),)
    operations = (
        migrations.CreateModel(
            name="Blob",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "owner_id",
                        "hash",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("owner_id", models.UUIDField()),
                ("hash", models.BinaryField()),
                ("size", models.IntegerField()),
                ("deflated", models.BooleanField()),
                ("lasting", models.BooleanField()),
                ("named_at", models.DateTimeField()),
                ("content", models.BinaryField()),
            ],
            options={
                "db_table": "blob",
                "indexes": [
                    models.Index(
                        condition=models.Q(("lasting", False)), fields=["named_at"], name="blob_expiring"
                    )
                ],
            },
        ),
        tenant_table("blob", privileges="SELECT, INSERT, DELETE"),
        migrations.RunSQL(RULES, NO_RULES),
    )
