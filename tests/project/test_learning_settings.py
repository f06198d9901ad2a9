"""What the environment can say of learning."""

from pathlib import Path

import pytest

from soma.base.configuration import Configuration
from soma.base.errors import InvalidInput
from soma.brain.api import LearningSettings, LearningSignal, RegretSettings
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


def test_the_watch_is_read_and_has_defaults(tmp_path: Path) -> None:
    assert settings(tmp_path).watch == RegretSettings()
    told = settings(tmp_path, SOMAGENT_REGRET_TURNS="50", SOMAGENT_REGRET_MARGIN="0.2")
    assert told.watch == RegretSettings(turns=50, margin=0.2)
    assert settings(tmp_path, SOMAGENT_REGRET_TURNS="0").watch.turns == 0


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        *(("SOMAGENT_REGRET_TURNS", text) for text in ("-1", "201", "few")),
        *(("SOMAGENT_REGRET_MARGIN", text) for text in ("0", "1.5", "nan", "some")),
    ],
)
def test_a_watch_that_makes_no_sense_is_refused_by_name(tmp_path: Path, variable: str, text: str) -> None:
    with pytest.raises(InvalidInput, match=variable):
        settings(tmp_path, **{variable: text})


def test_one_turn_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="compares 1 turns"):
        settings(tmp_path, SOMAGENT_REGRET_TURNS="1")


def test_a_signal_that_there_is_not_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="SOMAGENT_LEARNING_SIGNAL is 'loud'"):
        settings(tmp_path, SOMAGENT_LEARNING_SIGNAL="loud")
