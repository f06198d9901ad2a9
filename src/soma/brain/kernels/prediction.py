"""What reward was expected, and how far off that was (decisions.md: signal = reward − running baseline)."""

BASELINE_COUPLING = 4.0
"""The baseline moves by this many times the weights' own learning rate: .14 to .24 of the error a step.

Tying the two rates is what keeps weights from wandering off. With rate k·lr of the baseline, the sum of
lr·error over any run is (last baseline − first baseline)/k, at most 1/k: a weight never leaves
[start − |gain|/4, start + |gain|/4], whatever the rewards, the dopamine and the gate did. An untied
baseline drifts: dopamine raises the rate just when the error is positive, and the gate lets large errors
of one sign pass, so that random rewards too would end at a corner of the bounds.
"""


def prediction_error(reward: float, baseline: float) -> float:
    """δ = r − r̂, in [−1, 1]."""
    return reward - baseline


def next_baseline(baseline: float, error: float, learning_rate: float) -> float:
    """The exponential moving average r̂ after an error, in [0, 1]."""
    return min(1.0, max(0.0, baseline + BASELINE_COUPLING * learning_rate * error))
