"""What a memory was said in."""

from collections.abc import Mapping
from typing import Any

FIELDS = ("session", "conversation_id", "source_document")
"""Fields of a provenance that name a session; the first that is there does."""


def session_of(provenance: Mapping[str, Any]) -> str:
    """The session that `provenance` names; "" for none."""
    return next((str(provenance[name]) for name in FIELDS if provenance.get(name)), "")
