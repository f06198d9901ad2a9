"""What the environment can say of learning."""

from pathlib import Path

import pytest

from soma.base.configuration import Configuration
from soma.base.errors import InvalidInput
from soma.brain.api import LearningSettings, LearningSignal
from soma.project.learning_settings import learning_settings

pytestmark = pytest.mark.req("LEARN-002")


def settings(tmp_path: Path, **environment: str) -> LearningSettings:
    """What `environment` says."""
    home = {"SOMAGENT_HOME": str(tmp_path)}
    return learning_settings(Configuration.from_environment({**home, **environment}))


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("", LearningSignal.PREDICTION_ERROR),
        ("reward_prediction_error", LearningSignal.PREDICTION_ERROR),
        ("raw", LearningSignal.RAW),
    ],
)
def test_the_signal_is_read_and_has_a_default(tmp_path: Path, text: str, signal: LearningSignal) -> None:
    assert settings(tmp_path, SOMAGENT_LEARNING_SIGNAL=text).signal is signal


def test_a_signal_that_there_is_not_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="SOMAGENT_LEARNING_SIGNAL is 'loud'"):
        settings(tmp_path, SOMAGENT_LEARNING_SIGNAL="loud")
