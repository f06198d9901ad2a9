"""What learned weights follow."""

from enum import StrEnum


class LearningSignal(StrEnum):
    """PREDICTION_ERROR: the reward against the one that was expected. RAW: the confidence itself, as seed 000
    has it; it is never negative, so that weights end at their bounds: for comparison only."""

    PREDICTION_ERROR = "reward_prediction_error"
    RAW = "raw"
