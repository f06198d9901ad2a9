"""Who is asking, and for which tenant."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """An authenticated caller. Everything it does happens inside `tenant_id`."""

    tenant_id: UUID
    user_id: UUID
    session_id: UUID
    roles: tuple[str, ...]
    trace_id: str = ""
