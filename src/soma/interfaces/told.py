"""What a caller tells memory directly, whichever face it came through."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from soma.base.clock import now
from soma.base.errors import InvalidInput
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.brain.api import DEFAULT, RESERVED, RememberItem, owned_namespace


def told(
    principal: Principal,
    content: str,
    *,
    namespace: str = DEFAULT,
    key: str | None = None,
    role: str = "user",
    speaker: str = "",
    session: str = "",
    importance: float | None = None,
    occurred_at: datetime | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> RememberItem:
    """The item to remember in the caller's own `namespace`; it names the request that it came with. Raises
    InvalidInput for a name that is none, and for a field of the provenance that is not the caller's."""
    given = dict(provenance or {})
    if taken := RESERVED.intersection(given):
        raise InvalidInput(f"The provenance's {', '.join(sorted(taken))} cannot be given")
    if session:
        given["session"] = session
    return RememberItem(
        namespace=owned_namespace(principal.user_id, namespace),
        key=key or f"told:{new_id()}",
        content=content,
        role=role,
        occurred_at=occurred_at or now(),
        importance=importance,
        speaker=speaker,
        session=session,
        provenance={**given, "trace_id": principal.trace_id, "source_request": principal.trace_id},
    )
