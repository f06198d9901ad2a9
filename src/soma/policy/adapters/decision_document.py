"""The one form of an answer that counts as a decision."""

from typing import Any

from soma.policy.errors import PolicyUnusable


def read_decision(answer: Any) -> tuple[bool, tuple[str, ...]]:
    """Whether `data.soma.decision` allows, and its reasons. Raises PolicyUnusable."""
    match answer:
        case {"allow": bool(allow), "reasons": list(reasons)} if all(isinstance(r, str) for r in reasons):
            return allow, tuple(reasons)
    raise PolicyUnusable('data.soma.decision is not {"allow": boolean, "reasons": [sentences]}.')
