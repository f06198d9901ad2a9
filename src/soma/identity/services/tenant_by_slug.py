"""Finding a tenant before one is set."""

from uuid import UUID

from django.db import connection


def tenant_by_slug(slug: str) -> UUID | None:
    """The id of the tenant called `slug`.

    By a function of the database: row-level security shows this role no tenant but its transaction's.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT soma_tenant_by_slug(%s)", [slug])
        row = cursor.fetchone()
    tenant_id: UUID | None = row[0] if row else None
    return tenant_id
