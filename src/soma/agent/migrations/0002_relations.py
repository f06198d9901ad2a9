"""The relations of what was there before relations were: roles, capsules, tools, conversations."""

from django.db import migrations

# Row-level security is forced on the tables' owner too, who sees nothing but the list of tenants: so each
# tenant is set in turn. The names of tools become ids as soma.policy.domain.relationship.ObjectRef.named
# makes them.
RELATE = r"""
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT id FROM tenant LOOP
    PERFORM set_config('soma.tenant_id', one.id::text, true);
    INSERT INTO relation
           (tenant_id, object_type, object_id, relation, subject_relation, subject_type, subject_id)
    SELECT one.id, 'tenant', one.id::text, role, '', 'user', id::text FROM "user"
    UNION ALL SELECT one.id, 'agent', id::text, 'tenant', '', 'tenant', one.id::text FROM capsule
    UNION ALL SELECT one.id, 'agent', id::text, 'invoker', 'converse', 'tenant', one.id::text FROM capsule
    UNION ALL SELECT one.id, 'conversation', id::text, 'tenant', '', 'tenant', one.id::text FROM conversation
    UNION ALL SELECT one.id, 'conversation', id::text, 'agent', '', 'agent', capsule_id::text
           FROM conversation
    UNION ALL SELECT one.id, 'conversation', id::text, 'owner', '', 'user', user_id::text FROM conversation
    UNION ALL SELECT one.id, 'capability',
           CASE WHEN name ~ '^[A-Za-z0-9_|+-]{1,128}$' THEN name
           ELSE '=' || rtrim(translate(encode(convert_to(name, 'UTF8'), 'base64'), E'+/\n', '-_'), '=') END,
           'tenant', '', 'tenant', one.id::text FROM capability
    ON CONFLICT DO NOTHING;
  END LOOP;
  PERFORM set_config('soma.tenant_id', '', true);
END $$
"""


class Migration(migrations.Migration):
    """What each row already says becomes a relation. Going back leaves them to go with their table."""

    dependencies = (
        ("agent", "0001_initial"),
        ("identity", "0001_initial"),
        ("policy", "0001_initial"),
    )
    operations = (migrations.RunSQL(RELATE, migrations.RunSQL.noop),)
