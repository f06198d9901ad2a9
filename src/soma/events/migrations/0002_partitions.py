"""A log of several partitions, and where its events stand when it is Kafka that keeps them."""

from django.db import migrations, models

from soma.base.rls import tenant_table, worker_access

APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_place
    FOR EACH STATEMENT EXECUTE FUNCTION soma_refuse_change();
-- ALWAYS: also where session_replication_role would silence ordinary triggers.
ALTER TABLE event_place ENABLE ALWAYS TRIGGER append_only;
REVOKE UPDATE, DELETE, TRUNCATE ON event_place FROM soma_owner;
"""

NOT_APPEND_ONLY = """
GRANT UPDATE, DELETE, TRUNCATE ON event_place TO soma_owner;
DROP TRIGGER append_only ON event_place;
"""

# Until now there was one partition. Forced row-level security would hide the rows from their owner too.
LETTERS_ARE_OF_THE_LOG = """
ALTER TABLE dead_letter NO FORCE ROW LEVEL SECURITY;
UPDATE dead_letter SET partition = 'log' WHERE position IS NOT NULL;
ALTER TABLE dead_letter FORCE ROW LEVEL SECURITY;
"""

# Django has no operation that changes a primary key.
OFFSETS_BY_PARTITION = """
ALTER TABLE consumer_offset ADD COLUMN partition varchar(300) NOT NULL DEFAULT 'log';
ALTER TABLE consumer_offset ALTER COLUMN partition DROP DEFAULT;
ALTER TABLE consumer_offset DROP CONSTRAINT consumer_offset_pkey;
ALTER TABLE consumer_offset ADD PRIMARY KEY (name, partition);
"""

OFFSETS_OF_THE_LOG = """
DELETE FROM consumer_offset WHERE partition <> 'log';
ALTER TABLE consumer_offset DROP CONSTRAINT consumer_offset_pkey;
ALTER TABLE consumer_offset DROP COLUMN partition;
ALTER TABLE consumer_offset ADD PRIMARY KEY (name);
"""


class Migration(migrations.Migration):
    """Partitions, and the index of Kafka's."""

    dependencies = (("events", "0001_initial"),)
    operations = (
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(OFFSETS_BY_PARTITION, OFFSETS_OF_THE_LOG)],
            state_operations=[
                migrations.DeleteModel("ConsumerOffset"),
                migrations.CreateModel(
                    name="ConsumerOffset",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "name",
                                "partition",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("partition", models.CharField(max_length=300)),
                        ("position", models.BigIntegerField()),
                        ("heartbeat_at", models.DateTimeField()),
                    ],
                    options={"db_table": "consumer_offset"},
                ),
            ],
        ),
        migrations.AddField(
            "ParkedEvent",
            "partition",
            models.CharField(max_length=300, default="log"),
            preserve_default=False,
        ),
        migrations.RemoveConstraint("ParkedEvent", "parked_event_once"),
        migrations.AddConstraint(
            "ParkedEvent",
            models.UniqueConstraint(fields=("consumer", "partition", "position"), name="parked_event_once"),
        ),
        migrations.RemoveIndex("ParkedEvent", "parked_event_head"),
        migrations.AddIndex(
            "ParkedEvent",
            models.Index(fields=["consumer", "partition", "tenant_id", "position"], name="parked_event_head"),
        ),
        migrations.AddField("DeadLetter", "partition", models.CharField(max_length=300, null=True)),
        migrations.RunSQL(LETTERS_ARE_OF_THE_LOG, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="EventPlace",
            fields=[
                ("event_id", models.UUIDField(primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("sequence", models.BigIntegerField()),
                ("type", models.CharField(max_length=200)),
                ("key", models.CharField(max_length=200)),
                ("partition", models.CharField(db_collation="C", max_length=300)),
                ("position", models.BigIntegerField()),
            ],
            options={
                "db_table": "event_place",
                "indexes": [models.Index(fields=["tenant_id", "key", "sequence"], name="event_place_key")],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "sequence"), name="event_place_sequence"),
                    models.UniqueConstraint(fields=("partition", "position"), name="event_place_position"),
                    models.CheckConstraint(
                        condition=models.Q(("sequence__gt", 0)), name="event_place_sequence_positive"
                    ),
                ],
            },
        ),
        tenant_table("event_place", privileges="SELECT"),
        worker_access("event_place", privileges="SELECT, INSERT"),
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
    )
