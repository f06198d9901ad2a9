"""Row-level security for migrations: the one place that writes its SQL.

The ORM has no vocabulary for policies, triggers and grants, so the migrations of each tier say these
in SQL through the functions here.
"""

from django.db import migrations

TENANT = "nullif(current_setting('soma.tenant_id', true), '')::uuid"
"""The tenant of the open transaction, null outside one: a null matches no row."""


def tenant_table(
    table: str, *, column: str = "tenant_id", privileges: str = "SELECT, INSERT, UPDATE, DELETE"
) -> migrations.RunSQL:
    """FORCE row-level security on `table`: soma_app sees and writes rows of its own tenant only."""
    return migrations.RunSQL(
        f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant_only ON {table} USING ({column} = {TENANT}) WITH CHECK ({column} = {TENANT});
        GRANT {privileges} ON {table} TO soma_app;
        """,
        f"DROP POLICY tenant_only ON {table};",
    )


def tenant_looked_up_once(table: str, *, column: str = "tenant_id") -> migrations.RunSQL:
    """Let statements on `table`, a tenant_table, compare its rows with the tenant as it is when they begin,
    and not look it up for each, which takes a microsecond a row."""
    using = "ALTER POLICY tenant_only ON {} USING ({} = {});"
    return migrations.RunSQL(
        using.format(table, column, f"(SELECT {TENANT})"), using.format(table, column, TENANT)
    )


def worker_access(table: str, *, privileges: str) -> migrations.RunSQL:
    """Let soma_worker, which serves every tenant, use `privileges` on all rows of `table`."""
    return migrations.RunSQL(
        f"""
        CREATE POLICY worker_all ON {table} TO soma_worker USING (true) WITH CHECK (true);
        GRANT {privileges} ON {table} TO soma_worker;
        """,
        f"DROP POLICY worker_all ON {table};",
    )


def worker_columns(table: str, columns: list[str]) -> migrations.RunSQL:
    """Let soma_worker update `columns` of `table`, whose rows it reaches by worker_access."""
    listed = ", ".join(columns)
    return migrations.RunSQL(
        f"GRANT UPDATE ({listed}) ON {table} TO soma_worker;",
        f"REVOKE UPDATE ({listed}) ON {table} FROM soma_worker;",
    )
