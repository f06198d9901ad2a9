"""Four leaky integrators (decisions.md: dopamine follows the reward prediction error, serotonin stability,
norepinephrine urgency, acetylcholine attention; all fall back to the capsule's resting level)."""

LEAK = 0.1
"""The share of the distance to rest that is lost a step: half of an excursion is gone after 6.6 steps."""

DOPAMINE_GAIN = 0.2
OTHER_GAIN = 0.05
"""With a constant drive x a level settles at rest + gain/LEAK·x: half the range for the largest drive."""

DOPAMINE_RANGE = (0.2, 0.8)
OTHER_RANGE = (0.0, 1.0)


def integrate(level: float, rest: float, drive: float, low: float, high: float) -> float:
    """One step of a leaky integrator: level + LEAK·(rest − level) + drive, kept in [low, high]."""
    return min(high, max(low, level + LEAK * (rest - level) + drive))


def dopamine(level: float, rest: float, error: float) -> float:
    """Rises with a reward above expectation, falls with one below. `error` in [−1, 1]."""
    return integrate(level, rest, DOPAMINE_GAIN * error, *DOPAMINE_RANGE)


def serotonin(level: float, rest: float, error: float) -> float:
    """Rises while outcomes are as expected, falls with surprise of either sign. `error` in [−1, 1]."""
    return integrate(level, rest, OTHER_GAIN * (1.0 - 2.0 * abs(error)), *OTHER_RANGE)


def norepinephrine(level: float, rest: float, urgency: float) -> float:
    """Rises with urgency in [0, 1]."""
    return integrate(level, rest, OTHER_GAIN * urgency, *OTHER_RANGE)


def acetylcholine(level: float, rest: float, attention: float) -> float:
    """Rises with attention in [0, 1]."""
    return integrate(level, rest, OTHER_GAIN * attention, *OTHER_RANGE)


def urgency(latency: float, errors: int) -> float:
    """In [0, 1]: the used share of the deadline, or 1 − 2^−errors where that is more."""
    return max(latency, 1.0 - 0.5**errors)


def attention(novelty: float, tools_used: int) -> float:
    """In [0, 1]: .7·novelty, and .3 when a tool was used."""
    return 0.7 * novelty + (0.3 if tools_used > 0 else 0.0)
