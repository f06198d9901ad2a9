"""Who an API key belongs to."""

from soma.base.database import tenant_transaction
from soma.base.tenancy import Principal
from soma.identity.domain.api_key_token import ApiKeyToken
from soma.identity.domain.session_token import refusal
from soma.identity.models import ApiKey


def authenticate_key(text: str) -> Principal:
    """The user whose key `text` is. The principal's session_id is the key's own id.

    Raises Unauthenticated, the same for every fault.
    """
    token = ApiKeyToken.parse(text)
    if token is None:
        raise refusal()
    with tenant_transaction(token.tenant_id):
        row = (
            ApiKey.objects.filter(prefix=token.prefix, revoked_at=None)
            .values_list("id", "digest", "user_id", "user__role")
            .first()
        )
    if row is None or not token.matches(row[1]):
        raise refusal()
    key_id, _, user_id, role = row
    return Principal(tenant_id=token.tenant_id, user_id=user_id, session_id=key_id, roles=(role,))
