"""`somagent replay`: a turn rebuilt from the log, or run again."""

import json
from typing import Any

import pytest

from tests.interfaces.cli.installation import Installation

pytestmark = [pytest.mark.req("CLI-001"), pytest.mark.req("REPLAY-003")]


def test_a_turn_is_verified(installation: Installation, asked: dict[str, Any]) -> None:
    ended = installation.run("replay", asked["turn_id"])
    assert ended.returncode == 0, (ended.stdout, ended.stderr)
    for word in ("rebuilt from the log: identical", "weights", "neuromodulators", "message", "as stored"):
        assert word in ended.stdout
    assert "\x1b" not in ended.stdout


def test_a_turn_is_run_again(installation: Installation, asked: dict[str, Any]) -> None:
    ended = installation.run("replay", asked["turn_id"], "--mode", "reexecute", "--json")
    assert ended.returncode == 0, (ended.stdout, ended.stderr)
    told = json.loads(ended.stdout)
    assert (told["mode"], told["verdict"], told["divergence"]) == ("reexecute", "identical", None)


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["0198a5ee-0000-7000-8000-000000000000"], ["x", "--mode", "rewrite"]]
)
def test_what_cannot_be_replayed_is_2(installation: Installation, arguments: list[str]) -> None:
    ended = installation.run("replay", *arguments)
    assert ended.returncode == 2
    assert not ended.stdout
