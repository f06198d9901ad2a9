"""The tenant and owner that every installation has."""

from uuid import UUID

from django.db import connection

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.identity.domain.credentials import BootstrapOwner
from soma.identity.domain.role import Role
from soma.identity.models import ApiKey, User
from soma.identity.ports import TenantRoles
from soma.identity.services.create_tenant import insert_tenant
from soma.identity.services.issue_key import issue_key
from soma.identity.services.tenant_by_slug import tenant_by_slug

BOOTSTRAP_LOCK = 0x50F7B
"""Advisory lock of the database: processes that start at once bootstrap one after the other."""


def bootstrap_owner(slug: str, roles: TenantRoles) -> BootstrapOwner:
    """The owner of the tenant `slug`, both made where they are missing.

    The first call gets the owner's first key; later ones, also those that run at the same time, get none.
    """
    tenant_id = ensure_tenant(slug, roles)
    with tenant_transaction(tenant_id):
        _lock()
        owner = first_owner()
        token = None if ApiKey.objects.filter(user_id=owner).exists() else issue_key(tenant_id, owner)
    return BootstrapOwner(tenant_id=tenant_id, user_id=owner, token=token)


def ensure_tenant(slug: str, roles: TenantRoles) -> UUID:
    """The tenant called `slug`; made, with an owner who has no key yet, if there is none."""
    return tenant_by_slug(slug) or _make_tenant(slug, roles)


def first_owner() -> UUID:
    """The longest-standing owner in the tenant of the open transaction."""
    return User.objects.filter(role=Role.OWNER).order_by("id").values_list("id", flat=True)[0]


def _make_tenant(slug: str, roles: TenantRoles) -> UUID:
    tenant_id = new_id()
    with tenant_transaction(tenant_id):
        _lock()
        made_meanwhile = tenant_by_slug(slug)
        if made_meanwhile is not None:
            return made_meanwhile
        insert_tenant(tenant_id, slug=slug, name=slug.capitalize(), owner_name=Role.OWNER, roles=roles)
    return tenant_id


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BOOTSTRAP_LOCK])
