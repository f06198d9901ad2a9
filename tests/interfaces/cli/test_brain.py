"""`somagent brain`: what a message would meet."""

import json
import re
from typing import Any

import pytest

from tests.interfaces.cli.installation import Installation

pytestmark = pytest.mark.req("CLI-001", "CTXB-001")


@pytest.mark.usefixtures("asked")
def test_a_bundle_is_shown_with_bars(installation: Installation) -> None:
    ended = installation.run("brain", "evaluate", "What is 6 times 7?")
    assert ended.returncode == 0, ended.stderr
    for word in (
        "Lanes of 768 tokens",
        "system",
        "memory",
        "Suggestions",
        "call_tool calculator",
        "prior",
        "█",
    ):
        assert word in ended.stdout
    assert "\x1b" not in ended.stdout


@pytest.mark.usefixtures("asked")
def test_a_bundle_as_json(installation: Installation) -> None:
    told = installation.run("memory", "remember", "My heron is called Otto.", "--namespace", "birds")
    assert told.returncode == 0, told.stderr
    ended = installation.run(
        "brain",
        "evaluate",
        "What is my heron called?",
        "--namespace",
        "birds",
        "--token-budget",
        "40",
        "--json",
    )
    assert ended.returncode == 0, ended.stderr
    bundle: dict[str, Any] = json.loads(ended.stdout)
    [evidence] = bundle["evidence"]
    assert evidence["content"] == "My heron is called Otto."
    [memory] = [lane for lane in bundle["lane_budget"]["lanes"] if lane["lane"] == "memory"]
    assert [item["id"] for item in memory["cut"]] == [evidence["record_id"]]
    assert bundle["suggestions"][0]["terms"].keys() == {"confidence", "cost", "latency"}


@pytest.mark.parametrize("options", [("--conversation", "nonsense"), ("--token-budget", "0")])
def test_wrong_usage_is_2(installation: Installation, options: tuple[str, ...]) -> None:
    ended = installation.run("brain", "evaluate", "Hello", *options)
    assert (ended.returncode, ended.stdout) == (2, "")


def test_the_trace_shows_lanes_and_suggestions(installation: Installation, asked: dict[str, Any]) -> None:
    shown = installation.run("trace", asked["turn_id"]).stdout
    for word in ("Lanes of 768 tokens", "used", "Suggestions", "recall_wider"):
        assert word in shown
    [asking] = [line for line in shown.splitlines() if line.split()[:1] == ["ask"]]
    confidence, cost, latency = re.findall(r"([+-][\d.]+) \(prior\)", asking)
    assert float(confidence) > 0 > float(cost) > float(latency)
