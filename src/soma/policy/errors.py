"""What can be wrong with a policy, which inside this tier becomes a denial; and a denial by relations."""

from soma.base.errors import Denied, InvalidInput, SomaError, Unavailable
from soma.policy.domain.permission import PermissionDecision


class PolicyUnusable(SomaError):
    """The policy cannot be read, does not compile, or gives no well-formed answer."""

    code = "policy_unusable"
    title = "The policy cannot be used"


class InputNotDecidable(InvalidInput):
    """The input holds something that a policy cannot be asked about."""

    code = "policy_input_invalid"
    title = "The policy input is not valid"


class PolicyUnreachable(Unavailable):
    """The policy server gives no answer that can be read, or not in time."""

    code = "policy_unreachable"
    title = "The policy server does not answer"


class PermissionDenied(Denied):
    """The relations do not give a permission, or could not be asked."""

    def __init__(self, decision: PermissionDecision) -> None:
        super().__init__(
            f"The relations do not permit {decision.check.name}.",
            reasons=[decision.reason],
            permission=decision.check.name,
            engine=decision.engine,
        )
        self.decision = decision
