"""How the namespaces of users are named: outside by a name of the user's own, inside with the user's id
before it, so that nobody can name another's."""

import re
from uuid import UUID

from soma.base.errors import InvalidInput

DEFAULT = "default"
"""What a user's memory is called that no other name is given to; chats remember and recall there."""

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
NAMESPACE_PATTERN = f"^{NAME.pattern}$"
"""NAME, for who checks documents."""
SEPARATOR = ":"
"""Stands in no id and in no name, so where one ends is never in doubt."""


def owned_namespace(owner_id: UUID, name: str = DEFAULT) -> str:
    """The namespace that `owner_id` calls `name`. Raises InvalidInput for what is no name."""
    if NAME.fullmatch(name) is None:
        raise InvalidInput(
            "A namespace is named by 1 to 64 of a-z, 0-9, dot, underscore and hyphen, the first of them a "
            "letter or a digit"
        )
    return str(owner_id) if name == DEFAULT else named_prefix(owner_id) + name


def owned_name(owner_id: UUID, namespace: str) -> str | None:
    """What `owner_id` calls `namespace`; None if it is not theirs."""
    if namespace == str(owner_id):
        return DEFAULT
    name = namespace.removeprefix(named_prefix(owner_id))
    return name if name not in {namespace, DEFAULT} and NAME.fullmatch(name) else None


def named_prefix(owner_id: UUID) -> str:
    """What all of the owner's namespaces but the default begin with."""
    return f"{owner_id}{SEPARATOR}"
