"""Memory capsules and whom a tenant takes them from. A version is written once: only its revocation may be
marked on it, and only once."""

from django.db import migrations, models

from soma.base.rls import tenant_table

IMMUTABLE = """
CREATE FUNCTION memory_capsule_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE mark CONSTANT text[] := ARRAY['revoked_at', 'revoked_by', 'revocation_reason'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL
       AND to_jsonb(NEW) - mark = to_jsonb(OLD) - mark THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'memory_capsule is immutable: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON memory_capsule
    FOR EACH ROW EXECUTE FUNCTION memory_capsule_guard();
CREATE TRIGGER immutable_all BEFORE TRUNCATE ON memory_capsule
    FOR EACH STATEMENT EXECUTE FUNCTION memory_capsule_guard();
-- ALWAYS: also where session_replication_role would silence ordinary triggers.
ALTER TABLE memory_capsule ENABLE ALWAYS TRIGGER immutable;
ALTER TABLE memory_capsule ENABLE ALWAYS TRIGGER immutable_all;
REVOKE DELETE, TRUNCATE ON memory_capsule FROM soma_owner;
GRANT UPDATE (revoked_at, revoked_by, revocation_reason) ON memory_capsule TO soma_app;
"""

MUTABLE = """
REVOKE UPDATE (revoked_at, revoked_by, revocation_reason) ON memory_capsule FROM soma_app;
GRANT DELETE, TRUNCATE ON memory_capsule TO soma_owner;
DROP TRIGGER immutable_all ON memory_capsule;
DROP TRIGGER immutable ON memory_capsule;
DROP FUNCTION memory_capsule_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("brain", "0007_retention")]

    operations = [
        migrations.CreateModel(
            name="MemoryCapsuleRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "capsule_id",
                        "version",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("capsule_id", models.UUIDField()),
                ("version", models.IntegerField()),
                ("name", models.CharField(max_length=200)),
                ("issuer", models.CharField(max_length=64)),
                ("policy_hash", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("manifest", models.BinaryField()),
                ("signature", models.BinaryField()),
                ("size", models.IntegerField()),
                ("blocks", models.IntegerField()),
                ("uploaded_at", models.DateTimeField()),
                ("uploaded_by", models.UUIDField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_by", models.UUIDField(null=True)),
                ("revocation_reason", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "db_table": "memory_capsule",
            },
        ),
        tenant_table("memory_capsule", privileges="SELECT, INSERT"),
        migrations.RunSQL(IMMUTABLE, MUTABLE),
        migrations.CreateModel(
            name="CapsuleIssuerRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "public_key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("public_key", models.CharField(max_length=64)),
                ("label", models.CharField(blank=True, max_length=200)),
                ("trusted_at", models.DateTimeField()),
                ("trusted_by", models.UUIDField()),
            ],
            options={
                "db_table": "memory_capsule_issuer",
            },
        ),
        tenant_table("memory_capsule_issuer", privileges="SELECT, INSERT, DELETE"),
    ]
