"""`somagent memory links`."""

import json
from typing import Any

import pytest

from soma.base.ids import new_id
from tests.interfaces.cli.installation import Installation

pytestmark = [pytest.mark.req("MEM-004"), pytest.mark.req("CLI-001"), pytest.mark.usefixtures("asked")]

LINES: tuple[dict[str, Any], ...] = (
    {"line": "namespace", "format": 1, "namespace": "linked"},
    {"line": "record", "key": "dog", "content": "My dog is called Rex"},
    {"line": "record", "key": "tax", "content": "Form 730 is due in September"},
    {"line": "link", "source": "dog", "target": "tax", "kind": "about", "conductance": 0.5},
)
COMMON: dict[str, dict[str, Any]] = {
    "record": {
        "role": "user",
        "speaker": "",
        "occurred_at": "2026-01-01T00:00:00Z",
        "importance": 0.5,
        "provenance": {"trace_id": "t", "source_document": "d"},
        "created_at": "2026-01-01T00:00:00Z",
    },
    "link": {"created_at": "2026-01-01T00:00:00Z"},
    "namespace": {},
}


def test_links_around_a_memory_are_shown(installation: Installation) -> None:
    lines = "\n".join(json.dumps({**COMMON[line["line"]], **line}) for line in LINES)
    brought = installation.run("memory", "import", "-", "--namespace", "linked", "--json", stdin=lines)
    assert json.loads(brought.stdout)["links"] == 1, brought.stderr
    asked = installation.run("memory", "recall", "What is my dog's name?", "--namespace", "linked", "--json")
    first, second = json.loads(asked.stdout)["evidence"]
    dog, tax = first["record_id"], second["record_id"]

    told = json.loads(installation.run("memory", "links", dog, "--json").stdout)
    assert [(each["source_id"], each["target_id"], each["hop"]) for each in told] == [(dog, tax, 1)]
    shown = installation.run("memory", "links", tax, "--hops", "2").stdout
    assert "0.500" in shown
    assert "about" in shown
    assert json.loads(installation.run("memory", "links", dog, "--hops", "0", "--json").stdout) == []
    assert "nothing" in installation.run("memory", "links", dog, "--hops", "0").stdout


def test_what_is_no_memory_has_no_links(installation: Installation) -> None:
    assert installation.run("memory", "links", "x").returncode == 2
    ended = installation.run("memory", "links", str(new_id()))
    assert ended.returncode == 2
    assert "you have no memory" in ended.stderr
    assert installation.run("memory", "links", str(new_id()), "--hops", "4").returncode == 2
