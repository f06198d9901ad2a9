"""A new tenant with its owner."""

from uuid import UUID

from django.db import IntegrityError

from soma.base.database import tenant_transaction
from soma.base.errors import Conflict
from soma.base.ids import new_id
from soma.identity.domain.credentials import NewUser
from soma.identity.domain.naming import checked_name, checked_slug
from soma.identity.domain.role import Role
from soma.identity.models import Tenant, User
from soma.identity.ports import TenantRoles
from soma.identity.services.issue_key import issue_key


def create_tenant(*, slug: str, name: str, owner_name: str, roles: TenantRoles) -> NewUser:
    """A tenant, its owner and the owner's key. Raises InvalidInput, Conflict (the slug is taken),
    Unavailable."""
    tenant_id = new_id()
    try:
        with tenant_transaction(tenant_id):
            owner = insert_tenant(tenant_id, slug=slug, name=name, owner_name=owner_name, roles=roles)
            token = issue_key(tenant_id, owner)
    except IntegrityError as error:
        raise Conflict("There is a tenant of that slug.") from error
    return NewUser(tenant_id=tenant_id, user_id=owner, token=token)


def insert_tenant(tenant_id: UUID, *, slug: str, name: str, owner_name: str, roles: TenantRoles) -> UUID:
    """The rows of a tenant and its owner, in the open transaction of `tenant_id`. The owner's id."""
    Tenant.objects.create(id=tenant_id, slug=checked_slug(slug), name=checked_name(name))
    owner = User.objects.create(tenant_id=tenant_id, name=checked_name(owner_name), role=Role.OWNER)
    roles.give_role(tenant_id, owner.id, Role.OWNER)
    return owner.id
