"""The reward of one iteration, from what is known of it."""

CONFIDENCE_SHARE = 4.0
VERIFICATION_SHARE = 2.0
TOOL_SHARE = 2.0
USER_SHARE = 4.0
LATENCY_SHARE = 1.0
COST_SHARE = 0.5
"""Shares of the parts. What a person or a check said of the answer weighs as much as all that the model
says of itself; speed and cost decide between answers that are equally good."""


def used_share(spent: float, allowed: float) -> float:
    """How much of what was allowed is spent, in [0, 1]; all of it where nothing was allowed."""
    if allowed <= 0.0:
        return 1.0
    return min(1.0, max(0.0, spent / allowed))


def compose_reward(
    *,
    confidence: float,
    tool_success: float | None,
    verification: float | None,
    user: float | None,
    latency: float,
    cost: float,
) -> float:
    """The weighted mean of the parts that are known, in [0, 1].

    Every part is in [0, 1]; None is a part that was not measured, and counts neither way. `latency` and
    `cost` are used shares of the deadline and of the budget: 0 is best.
    """
    parts = (
        (CONFIDENCE_SHARE, confidence),
        (TOOL_SHARE, tool_success),
        (VERIFICATION_SHARE, verification),
        (USER_SHARE, user),
        (LATENCY_SHARE, 1.0 - latency),
        (COST_SHARE, 1.0 - cost),
    )
    known = [(share, value) for share, value in parts if value is not None]
    total = sum(share for share, _ in known)
    return min(1.0, max(0.0, sum(share * value for share, value in known) / total))
