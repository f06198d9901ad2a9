"""`somagent learning` and `somagent rollback`."""

import json
from typing import Any

import pytest

from soma.base.ids import new_id
from soma.interfaces.cli.learning_report import WIDTH, line
from tests.interfaces.cli.installation import Installation

pytestmark = [pytest.mark.req("REVERSE-001"), pytest.mark.req("CLI-001")]
NAMES = ("alpha", "beta", "gamma", "tau", "lambda", "mu", "nu")
LEVELS = ("dopamine", "serotonin", "norepinephrine", "acetylcholine")


def learned(installation: Installation, *options: str) -> dict[str, Any]:
    ended = installation.run("learning", "show", "soma", "--json", *options)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.mark.usefixtures("asked")
def test_an_agent_is_drawn(installation: Installation) -> None:
    found = learned(installation)
    shown = installation.run("learning", "show", "soma")
    assert shown.returncode == 0, shown.stderr
    for name in (*NAMES, *LEVELS):
        [row] = [each for each in shown.stdout.splitlines() if each.strip().startswith(f"{name} ")]
        group = "weights" if name in NAMES else "neuromodulators"
        assert f"{found[group][name]:.3f}" in row
        assert line([each[group][name] for each in found["checkpoints"]]) in row
    assert "\x1b" not in shown.stdout


@pytest.mark.req("LEARN-004")
def test_feedback_moves_an_agent_and_a_rollback_takes_it_back(
    installation: Installation, asked: dict[str, Any]
) -> None:
    turn = asked["turn_id"]
    ended = installation.run("feedback", turn, "--down", "--json")
    assert ended.returncode == 0, ended.stderr
    done = json.loads(ended.stdout)
    assert (done["score"], done["repeated"]) == (0.0, False)
    assert "nothing has changed" in installation.run("feedback", turn, "--down").stdout
    told = installation.run("feedback", turn, "--rating", "5", "--correct", "It was fine as it was.").stdout
    assert f"Checkpoint {done['learning']['checkpoint'] + 1}" in told
    moved = learned(installation)

    ended = installation.run("rollback", turn, "--json")
    assert ended.returncode == 0, ended.stderr
    made = json.loads(ended.stdout)
    after = learned(installation)
    stood = next(each for each in after["checkpoints"] if each["turn_id"] == turn)
    assert (made["kind"], made["returns_to"]) == ("rollback", stood["sequence"])
    assert after["weights"] == stood["weights"] != moved["weights"]
    assert after["neuromodulators"] == stood["neuromodulators"] != moved["neuromodulators"]
    assert [each["kind"] for each in after["checkpoints"][-3:]] == ["feedback", "feedback", "rollback"]


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("arguments", [("x", "--up"), (str(new_id()),), (str(new_id()), "--rating", "6")])
def test_feedback_that_says_nothing_is_2(installation: Installation, arguments: tuple[str, ...]) -> None:
    assert installation.run("feedback", *arguments).returncode == 2


@pytest.mark.usefixtures("asked")
def test_what_is_not_there_is_2(installation: Installation) -> None:
    assert installation.run("rollback", "x").returncode == 2
    ended = installation.run("rollback", str(new_id()))
    assert ended.returncode == 2
    assert "turn" in ended.stderr


def test_a_line_rises_with_its_values_and_keeps_within_its_width() -> None:
    assert line([0.0, 0.5, 1.0]) == "▁▅█"
    assert line([0.5, 0.5001]) in {"▄▄", "▅▅", "▄▅"}
    assert line([0.3]) != ""
    long = line([float(number) for number in range(1000)])
    assert len(long) == WIDTH
    assert list(long) == sorted(long)
