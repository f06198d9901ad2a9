"""The tables of identity, under row-level security from the start."""

import django.db.models.deletion
from django.db import migrations, models

import soma.base.clock
import soma.base.ids
from soma.base.rls import tenant_table

ROLES = [(role, role) for role in ("owner", "operator", "observer", "guest")]

# A slug has to be looked up before a tenant is set. The function runs as the tables' owner, who is under
# row-level security too and so needs a policy of its own; it tells an id to who knows the slug, no more.
TENANT_BY_SLUG = """
CREATE POLICY owner_looks_up ON tenant FOR SELECT TO soma_owner USING (true);
CREATE FUNCTION soma_tenant_by_slug(wanted text) RETURNS uuid
    LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT id FROM public.tenant WHERE slug = wanted';
REVOKE ALL ON FUNCTION soma_tenant_by_slug(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION soma_tenant_by_slug(text) TO soma_app;
"""

NO_TENANT_BY_SLUG = """
DROP FUNCTION soma_tenant_by_slug(text);
DROP POLICY owner_looks_up ON tenant;
"""


class Migration(migrations.Migration):
    """Tables, policies, grants."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="Tenant",
            fields=[
                ("id", models.UUIDField(default=soma.base.ids.new_id, primary_key=True, serialize=False)),
                ("slug", models.CharField(max_length=63, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(default=soma.base.clock.now)),
            ],
            options={"db_table": "tenant"},
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.UUIDField(default=soma.base.ids.new_id, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("role", models.CharField(choices=ROLES, max_length=16)),
                ("created_at", models.DateTimeField(default=soma.base.clock.now)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="identity.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "user",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "name"), name="user_name"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "operator", "observer", "guest"])),
                        name="user_role",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.UUIDField(default=soma.base.ids.new_id, primary_key=True, serialize=False)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="identity.tenant"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="identity.user"),
                ),
                ("prefix", models.CharField(max_length=8)),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(default=soma.base.clock.now)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "api_key",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "prefix"), name="api_key_prefix"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                ("id", models.UUIDField(default=soma.base.ids.new_id, primary_key=True, serialize=False)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="identity.tenant"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="identity.user"),
                ),
                ("persona_hash", models.CharField(blank=True, max_length=128)),
                ("policy_hash", models.CharField(blank=True, max_length=128)),
                ("budgets", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(default=soma.base.clock.now)),
                ("expires_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "session"},
        ),
        tenant_table("tenant", column="id", privileges="SELECT, INSERT"),
        tenant_table('"user"', privileges="SELECT, INSERT"),
        tenant_table("api_key", privileges="SELECT, INSERT, UPDATE"),
        tenant_table("session", privileges="SELECT, INSERT, UPDATE"),
        migrations.RunSQL(TENANT_BY_SLUG, NO_TENANT_BY_SLUG),
    )
