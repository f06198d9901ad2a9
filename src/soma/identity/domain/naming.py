"""What tenants and users may be called."""

import re

from soma.base.errors import InvalidInput

SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
MAXIMUM_NAME = 200


def checked_slug(slug: str) -> str:
    """`slug`, if it is one: a DNS label in lower case. Raises InvalidInput."""
    if not SLUG.fullmatch(slug):
        raise InvalidInput("a slug has 1 to 63 lower-case letters, digits and inner hyphens")
    return slug


def checked_name(name: str) -> str:
    """`name` without the space around it. Raises InvalidInput."""
    name = name.strip()
    if not 0 < len(name) <= MAXIMUM_NAME or not name.isprintable():
        raise InvalidInput(f"a name has 1 to {MAXIMUM_NAME} printable characters")
    return name
