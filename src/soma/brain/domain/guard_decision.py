"""What the guard decides of one thing to remember, and by which rule."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Stored as it is, stored with tokens in the place of personal data, or not stored."""

    STORE = "store"
    HASH = "hash"
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class GuardDecision:
    """The decision on the item of `namespace` and `key`.

    `rule` names what decided, as `stage.rule`: `form.oversize`, `personal_data.card`, `salience.trivial`,
    `policy.<rule of Rego>`, `recalled.whole`, `recalled.part`, `quota.<limit>`, or `guard.passed`. `hashed`
    are the classes that tokens stand for. `importance` in [0, 1] is None where it was not asked.
    """

    namespace: str
    key: str
    verdict: Verdict
    rule: str
    detail: str
    hashed: tuple[str, ...] = ()
    importance: float | None = None
