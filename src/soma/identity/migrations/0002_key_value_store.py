"""The key-value store on PostgreSQL, its sliding windows, and the epoch that ends cached sessions.

What may be lost is in unlogged tables: writing costs no WAL and no wait for the disk, and a crash of the
server empties them. The epoch must not be lost and is a table like any other.
"""

from django.db import migrations, models

from soma.base.rls import tenant_table, worker_access

# Windows and their hits have no models: nothing but the function below reads or writes them.
RATE_TABLES = """
CREATE UNLOGGED TABLE rate_window (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    key text COLLATE "C" NOT NULL,
    first bigint NOT NULL DEFAULT 1,
    last bigint NOT NULL DEFAULT 0,
    last_at timestamptz NOT NULL DEFAULT '-infinity',
    expires_at timestamptz NOT NULL,
    UNIQUE (tenant_id, key)
) WITH (fillfactor = 50);
CREATE UNLOGGED TABLE rate_hit (
    tenant_id uuid NOT NULL,
    window_id bigint NOT NULL,
    number bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (window_id, number)
);
"""

NO_RATE_TABLES = "DROP TABLE rate_hit; DROP TABLE rate_window;"

# All windows of a request in one statement. A window's hits are numbered from `first` to `last` and their
# times never fall, so the first that still counts is found by halving. The row of the window is locked for
# as long as the transaction lasts; each statement of the function sees what was committed before it, which
# one statement with subqueries would not after waiting for the lock. The caller gives the keys in order, so
# that no two callers wait for each other.
RATE_HIT = """
CREATE FUNCTION soma_rate_hit(the_tenant uuid, keys text[], limits bigint[], spans interval[])
    RETURNS TABLE (allowed boolean, remaining bigint, retry_after double precision)
    LANGUAGE plpgsql VOLATILE SECURITY INVOKER
AS $$
DECLARE
    found_window rate_window%ROWTYPE;
    states rate_window[];
    clock timestamptz;
    moment timestamptz;
    counted bigint[];
    waits double precision[];
    low bigint;
    high bigint;
    middle bigint;
    seen timestamptz;
    room boolean := true;
BEGIN
    PERFORM set_config('soma.tenant_id', the_tenant::text, true);

    FOR i IN 1 .. cardinality(keys) LOOP
        LOOP
            SELECT * INTO found_window FROM rate_window w
                WHERE w.tenant_id = the_tenant AND w.key = keys[i] FOR UPDATE;
            EXIT WHEN FOUND;
            INSERT INTO rate_window (tenant_id, key, expires_at)
                VALUES (the_tenant, keys[i], clock_timestamp() + spans[i]) ON CONFLICT DO NOTHING;
        END LOOP;
        states[i] := found_window;
    END LOOP;

    clock := clock_timestamp();
    FOR i IN 1 .. cardinality(keys) LOOP
        found_window := states[i];
        IF found_window.last_at > clock + spans[i] THEN
            -- The clock was set back by more than the window: what stands here lies in the future.
            DELETE FROM rate_hit h WHERE h.window_id = found_window.id;
            found_window.first := found_window.last + 1;
            found_window.last_at := '-infinity';
        END IF;
        moment := greatest(clock, found_window.last_at);
        low := found_window.first;
        high := found_window.last + 1;
        IF found_window.last_at <= moment - spans[i] THEN
            low := high;
        END IF;
        middle := low;
        WHILE low < high LOOP
            SELECT h.at INTO STRICT seen FROM rate_hit h
                WHERE h.window_id = found_window.id AND h.number = middle;
            IF seen > moment - spans[i] THEN high := middle; ELSE low := middle + 1; END IF;
            middle := (low + high) / 2;
        END LOOP;
        counted[i] := found_window.last + 1 - low;
        waits[i] := 0;
        IF counted[i] >= limits[i] THEN
            room := false;
            SELECT h.at INTO STRICT seen FROM rate_hit h
                WHERE h.window_id = found_window.id AND h.number = low + counted[i] - limits[i];
            waits[i] := extract(epoch FROM seen + spans[i] - moment);
        END IF;
        -- A few at a time, so that the hit after a long rest does not pay for all of them.
        middle := least(low - 1, found_window.first + 15);
        IF middle >= found_window.first THEN
            DELETE FROM rate_hit h WHERE h.window_id = found_window.id
                AND h.number BETWEEN found_window.first AND middle;
            found_window.first := middle + 1;
        END IF;
        states[i] := found_window;
    END LOOP;

    FOR i IN 1 .. cardinality(keys) LOOP
        found_window := states[i];
        IF room THEN
            found_window.last := found_window.last + 1;
            found_window.last_at := greatest(clock, found_window.last_at);
            INSERT INTO rate_hit VALUES
                (the_tenant, found_window.id, found_window.last, found_window.last_at);
            counted[i] := counted[i] + 1;
        END IF;
        UPDATE rate_window w SET first = found_window.first, last = found_window.last,
            last_at = found_window.last_at, expires_at = greatest(clock, found_window.last_at) + spans[i]
            WHERE w.id = found_window.id;
        allowed := waits[i] = 0;
        remaining := greatest(limits[i] - counted[i], 0);
        retry_after := waits[i];
        RETURN NEXT;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION soma_rate_hit(uuid, text[], bigint[], interval[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION soma_rate_hit(uuid, text[], bigint[], interval[]) TO soma_app;
"""

NO_RATE_HIT = "DROP FUNCTION soma_rate_hit(uuid, text[], bigint[], interval[]);"


class Migration(migrations.Migration):
    """Tables, policies, grants, and the function that counts."""

    dependencies = (("identity", "0001_initial"),)
    operations = (
        migrations.CreateModel(
            name="KeyValue",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("key", models.TextField(db_collation="C")),
                ("value", models.BinaryField()),
                ("expires_at", models.DateTimeField(db_index=True, null=True)),
            ],
            options={"db_table": "key_value"},
        ),
        migrations.CreateModel(
            name="SessionEpoch",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("epoch", models.UUIDField()),
            ],
            options={"db_table": "session_epoch"},
        ),
        migrations.RunSQL("ALTER TABLE key_value SET UNLOGGED", "ALTER TABLE key_value SET LOGGED"),
        migrations.RunSQL(RATE_TABLES, NO_RATE_TABLES),
        tenant_table("key_value"),
        tenant_table("rate_window"),
        tenant_table("rate_hit"),
        tenant_table("session_epoch", privileges="SELECT, INSERT, UPDATE"),
        # To lock a row is to be allowed to update something of it.
        worker_access("key_value", privileges="SELECT, DELETE, UPDATE (expires_at)"),
        worker_access("rate_window", privileges="SELECT, DELETE, UPDATE (expires_at)"),
        worker_access("rate_hit", privileges="SELECT, DELETE"),
        migrations.RunSQL(RATE_HIT, NO_RATE_HIT),
    )
