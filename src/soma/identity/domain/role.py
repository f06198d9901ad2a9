"""What a user is in a tenant."""

from enum import StrEnum


class Role(StrEnum):
    """What a role may do stands in the policy; here they only have names."""

    OWNER = "owner"
    OPERATOR = "operator"
    OBSERVER = "observer"
    GUEST = "guest"
