"""What the configuration says of learning, as the brain takes it."""

from soma.base.configuration import Configuration
from soma.base.errors import InvalidInput
from soma.brain.api import LearningSettings, LearningSignal, RegretSettings


def learning_settings(configuration: Configuration) -> LearningSettings:
    """How agents learn. Raises InvalidInput for a signal that there is not, or a watch over one turn."""
    return LearningSettings(
        signal=_signal(configuration.learning_signal),
        watch=RegretSettings(turns=configuration.regret_turns, margin=configuration.regret_margin),
    )


def _signal(name: str) -> LearningSignal:
    try:
        return LearningSignal(name) if name else LearningSignal.PREDICTION_ERROR
    except ValueError:
        known = ", ".join(LearningSignal)
        raise InvalidInput(f"SOMAGENT_LEARNING_SIGNAL is {name!r}; it takes one of {known}") from None
