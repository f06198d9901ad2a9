"""`somagent trace`: every phase of a turn."""

import json
from typing import Any

import pytest

from tests.interfaces.cli.installation import Installation

pytestmark = [pytest.mark.req("CLI-001"), pytest.mark.req("TRACE-001")]
PHASES = ("policy", "capsule", "recall", "plan", "model", "tools", "learn", "assess", "finish")


def test_trace_shows_every_phase_and_what_moved(installation: Installation, asked: dict[str, Any]) -> None:
    ended = installation.run("trace", asked["turn_id"])
    assert ended.returncode == 0, ended.stderr
    for word in (*PHASES, "alpha", "lambda", "dopamine", "before", "after", asked["turn_id"]):
        assert word in ended.stdout
    assert "\x1b" not in ended.stdout


def test_trace_as_json(installation: Installation, asked: dict[str, Any]) -> None:
    ended = installation.run("trace", asked["turn_id"], "--json")
    trace = json.loads(ended.stdout)
    assert trace["turn_id"] == asked["turn_id"]
    assert set(PHASES) <= {phase["phase"] for phase in trace["phases"]}
    assert len(trace["trace_id"]) == 32
    learning = trace["iterations"][0]["learning"]
    assert learning["weights_before"].keys() == learning["weights_after"].keys()


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("turn", ["nonsense", "0198a5ee-0000-7000-8000-000000000000"])
def test_trace_of_nothing_is_2(installation: Installation, turn: str) -> None:
    ended = installation.run("trace", turn)
    assert ended.returncode == 2
    assert "turn" in ended.stderr
