"""What can be wrong with a policy. Inside this tier each of these becomes a denial."""

from soma.base.errors import InvalidInput, SomaError


class PolicyUnusable(SomaError):
    """The policy cannot be read, does not compile, or gives no well-formed answer."""

    code = "policy_unusable"
    title = "The policy cannot be used"


class InputNotDecidable(InvalidInput):
    """The input holds something that a policy cannot be asked about."""

    code = "policy_input_invalid"
    title = "The policy input is not valid"
