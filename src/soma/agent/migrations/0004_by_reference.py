"""What is long stands by its hash; what was said before there were blobs becomes some."""

from django.db import migrations, models

# Row-level security is forced on the tables' owner too: so each tenant is set in turn.
MESSAGES = """
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT id FROM tenant LOOP
    PERFORM set_config('soma.tenant_id', one.id::text, true);
    INSERT INTO blob (tenant_id, owner_id, hash, size, deflated, lasting, named_at, content)
    SELECT DISTINCT ON (conversation_id, content)
           one.id, conversation_id, sha256(convert_to(content, 'UTF8')), octet_length(content), false, true,
           now(), convert_to(content, 'UTF8')
    FROM message
    ON CONFLICT DO NOTHING;
  END LOOP;
  PERFORM set_config('soma.tenant_id', '', true);
END $$
"""


class Migration(migrations.Migration):
    """Later turns name earlier messages by their hash, so that these have to be found under it."""

    dependencies = (("agent", "0003_turn_feedback"), ("events", "0008_blobs"))
    operations = (
        migrations.AddField("RLMIterationRow", "content_hash", models.TextField(null=True)),
        migrations.AlterField("ToolExecutionRow", "arguments", models.JSONField(null=True)),
        migrations.AddField("ToolExecutionRow", "arguments_hash", models.TextField(null=True)),
        migrations.AddField("ToolExecutionRow", "output_hash", models.TextField(null=True)),
        migrations.RunSQL(MESSAGES, migrations.RunSQL.noop),
    )
