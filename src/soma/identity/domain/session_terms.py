"""What a session is opened for."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from soma.base.errors import InvalidInput, LimitExceeded

HASH = re.compile(r"(sha256-)?[A-Za-z0-9+/=_-]{1,120}", re.ASCII)
BUDGET_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
MAXIMUM_BUDGETS = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionTerms:
    """The persona and policy that the caller expects (hashes), and what it may use up (budgets by name)."""

    persona_hash: str = ""
    policy_hash: str = ""
    budgets: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises InvalidInput, naming the field."""
        for name, text in (("persona_hash", self.persona_hash), ("policy_hash", self.policy_hash)):
            if text and not HASH.fullmatch(text):
                raise InvalidInput(f"{name} is not a hash")
        if len(self.budgets) > MAXIMUM_BUDGETS:
            raise LimitExceeded("budgets", maximum=MAXIMUM_BUDGETS, actual=len(self.budgets), unit="entries")
        for name, amount in self.budgets.items():
            _check_budget(name, amount)


def _check_budget(name: str, amount: float) -> None:
    if not BUDGET_NAME.fullmatch(name):
        raise InvalidInput("budgets: a name is a lower-case word of up to 64 letters, digits and underscores")
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise InvalidInput(f"budgets.{name} is not a number")
    if not (math.isfinite(amount) and 0 <= amount < 2**53):
        raise InvalidInput(f"budgets.{name} is not a number from 0 to 2^53")
