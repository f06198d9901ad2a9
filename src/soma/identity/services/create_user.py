"""A new user of a tenant."""

from django.db import IntegrityError

from soma.base.database import tenant_transaction
from soma.base.errors import Conflict, Denied, InvalidInput
from soma.base.tenancy import Principal
from soma.identity.domain.credentials import NewUser
from soma.identity.domain.naming import checked_name
from soma.identity.domain.role import Role
from soma.identity.models import User
from soma.identity.ports import TenantRoles
from soma.identity.services.issue_key import issue_key


def create_user(principal: Principal, *, name: str, role: str, roles: TenantRoles) -> NewUser:
    """A user of the caller's tenant, with a key. Raises Denied, InvalidInput, Conflict (the name is taken),
    Unavailable.

    Only an owner makes users, whatever the policy says: nobody hands out more than they have.
    """
    if Role.OWNER not in principal.roles:
        raise Denied("Only an owner makes users.")
    if role not in list(Role):
        raise InvalidInput(f"role takes one of {', '.join(Role)}")
    try:
        with tenant_transaction(principal.tenant_id):
            user = User.objects.create(tenant_id=principal.tenant_id, name=checked_name(name), role=role)
            roles.give_role(principal.tenant_id, user.id, role)
            token = issue_key(principal.tenant_id, user.id)
    except IntegrityError as error:
        raise Conflict("There is a user of that name.") from error
    return NewUser(tenant_id=principal.tenant_id, user_id=user.id, token=token)
