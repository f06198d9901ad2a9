"""How often somebody may ask, in any minute."""

from dataclasses import dataclass

PERIOD_SECONDS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class RateRules:
    """Each a number a minute; 0 is no limit.

    `requests` and `turns` are one user's, `tenant_requests` those of all users of a tenant together. Of
    one network address, `sessions` are attempts to get one, and `requests` bounds those that are refused
    for want of a credential.
    """

    requests: int = 600
    tenant_requests: int = 6000
    turns: int = 120
    sessions: int = 60
