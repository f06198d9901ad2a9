"""The step of a weight (seed 000, 4.5, with the signal of decisions.md)."""

BASE_RATE = 0.05


def learning_rate(dopamine: float) -> float:
    """.05·clamp(.5 + dopamine, .5, 1.2): .035 to .06 for dopamine in [.2, .8]."""
    return BASE_RATE * min(1.2, max(0.5, 0.5 + dopamine))


def step(value: float, gain: float, rate: float, error: float, low: float, high: float) -> float:
    """clamp(value + rate·gain·error, low, high)."""
    return min(high, max(low, value + rate * gain * error))
