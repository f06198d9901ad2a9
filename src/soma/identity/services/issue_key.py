"""Giving a user an API key."""

from uuid import UUID

from soma.identity.domain.api_key_token import ApiKeyToken
from soma.identity.models import ApiKey


def issue_key(tenant_id: UUID, user_id: UUID) -> str:
    """The text of a new key, inside the caller's transaction. Only its hash is kept."""
    token = ApiKeyToken.new(tenant_id)
    ApiKey.objects.create(tenant_id=tenant_id, user_id=user_id, prefix=token.prefix, digest=token.digest)
    return token.text
