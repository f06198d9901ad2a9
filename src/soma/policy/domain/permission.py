"""What is asked of relations, and what they answer."""

from dataclasses import dataclass

from soma.policy.domain.relationship import ObjectRef, SubjectRef


@dataclass(frozen=True, kw_only=True, slots=True)
class PermissionCheck:
    """Has `subject` the `permission` (or the relation) on `resource`?"""

    resource: ObjectRef
    permission: str
    subject: SubjectRef

    @property
    def name(self) -> str:
        """The permission with the type it is of: `conversation:write`."""
        return f"{self.resource.type}:{self.permission}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PermissionDecision:
    """Allowed or not, and why.

    `reason` is a sentence that begins with the name of the rule, as those of a policy do. `engine` names who
    decided. `failed` says that the question could not be decided, which is a denial all the same.
    `latency_ms` is wall time in milliseconds; checks of one bulk share it.
    """

    check: PermissionCheck
    allow: bool
    reason: str
    engine: str
    latency_ms: float
    failed: bool = False
