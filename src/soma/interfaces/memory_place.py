"""In which namespace memories of a caller's own are."""

from collections.abc import Sequence
from uuid import UUID

from soma.base.errors import InvalidInput, NotFound
from soma.base.tenancy import Principal
from soma.brain.api import Brain, owned_namespace


def namespace_of(brain: Brain, principal: Principal, ids: Sequence[UUID]) -> str:
    """The one namespace that all of `ids`, at least one, are in. Raises NotFound for what is no memory of the
    caller's, InvalidInput for memories of several namespaces."""
    found = brain.get(principal.tenant_id, principal.user_id, ids)
    known = {memory.record_id for memory in found}
    for record_id in ids:
        if record_id not in known:
            raise NotFound(f"you have no memory {record_id}")
    names = {memory.namespace for memory in found}
    if len(names) != 1:
        raise InvalidInput(f"these memories are in several namespaces: {', '.join(sorted(names))}")
    return owned_namespace(principal.user_id, names.pop())
