"""Whether an iteration is worth learning from (decisions.md, first fault)."""

NOVELTY_SHARE = 0.6
ERROR_SHARE = 0.4
GATE = 0.3


def novelty(max_cosine: float) -> float:
    """1 − the largest cosine of the turn to what was recalled, in [0, 1]; 1 when nothing was (cosine 0)."""
    return min(1.0, max(0.0, 1.0 - max_cosine))


def salience(novelty: float, error: float) -> float:
    """.6·novelty + .4·|error|, in [0, 1]. `novelty` in [0, 1], `error` the prediction error in [−1, 1]."""
    return NOVELTY_SHARE * novelty + ERROR_SHARE * abs(error)


def opens_gate(salience: float) -> bool:
    """Whether `salience` suffices to learn."""
    return salience >= GATE
