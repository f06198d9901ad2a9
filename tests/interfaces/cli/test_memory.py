"""`somagent memory`: remember, recall, namespaces, export, import, forget."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.interfaces.cli.installation import Installation

pytestmark = [pytest.mark.req("MEM-002"), pytest.mark.req("CLI-001"), pytest.mark.usefixtures("asked")]


def ran(installation: Installation, *arguments: str, stdin: str = "") -> str:
    ended = installation.run("memory", *arguments, stdin=stdin)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def recalled(installation: Installation, query: str, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran(installation, "recall", query, "--json", *options))
    return found


def test_what_is_told_is_recalled_with_bars(installation: Installation) -> None:
    told = ran(
        installation, "remember", "My dog is called Rex.", "--namespace", "pets", "--speaker", "Ada",
        "--session", "first", "--key", "dog",
    )  # fmt: skip
    assert told.startswith("remembered: ")
    (evidence,) = recalled(installation, "What is my dog called?", "--namespace", "pets")["evidence"]
    assert told.split()[1] == evidence["record_id"]
    assert evidence["provenance"]["session"] == "first"

    shown = ran(installation, "recall", "What did Ada call her dog?", "--namespace", "pets", "--explain")
    assert "█" in shown
    assert "Rex" in shown
    assert "speaker" in shown
    assert "about       Ada" in shown


def test_a_key_names_a_memory(installation: Installation) -> None:
    ran(installation, "remember", "The car is red.", "--namespace", "keys", "--key", "car")
    assert ran(
        installation, "remember", "The car is blue.", "--namespace", "keys", "--key", "car"
    ).startswith("rewritten")
    (evidence,) = recalled(installation, "car", "--namespace", "keys")["evidence"]
    assert evidence["content"] == "The car is blue."


def test_what_needs_no_language_model_works_without_one(installation: Installation) -> None:
    without = replace(installation, settings={"SOMAGENT_LOCAL_MODEL": "/nowhere/model.gguf"})
    assert ran(without, "remember", "The gate is green.", "--namespace", "gate").startswith("remembered")
    asked = without.run("ask", "Is anybody there?")
    assert asked.returncode != 0
    assert "/nowhere/model.gguf" in asked.stderr


def test_memory_moves_by_file(installation: Installation, tmp_path: Path) -> None:
    lines = tmp_path / "facts.txt"
    lines.write_text("The bridge opened in 1932.\n\nThe tower has 312 steps.\nThe ferry leaves at noon.\n")
    ran(installation, "remember", "--file", str(lines), "--namespace", "town")
    exported = tmp_path / "town.jsonl"
    assert ran(installation, "export", "--namespace", "town", "-o", str(exported)) == ""
    header, *records = [json.loads(line) for line in exported.read_text().splitlines()]
    assert header["namespace"] == "town"
    assert len(records) == 3

    done = json.loads(ran(installation, "import", str(exported), "--namespace", "copy", "--json"))
    assert done["stored"] == 3
    again = ran(installation, "import", "-", "--namespace", "copy", "--json", stdin=exported.read_text())
    assert json.loads(again)["unchanged"] == 3
    evidence = recalled(installation, "How many steps has the tower?", "--namespace", "copy", "--explain")
    assert evidence["evidence"][0]["content"] == "The tower has 312 steps."
    assert evidence["evidence"][0]["explanation"]["lexical"] > 0
    assert "tower" in evidence["understood"]["terms"]


def test_it_works_beside_a_server_on_the_same_home(installation: Installation) -> None:
    with installation.start("up", "--port", "0") as server:
        server.until(lambda text: "Open http" in text)
        ran(installation, "remember", "-", "--namespace", "beside", stdin="The kiln is at 900 degrees.")
        (evidence,) = recalled(installation, "kiln", "--namespace", "beside")["evidence"]
        assert evidence["content"] == "The kiln is at 900 degrees."
        server.process.terminate()
        assert server.end() == 0


def test_namespaces_are_listed_and_forgotten(installation: Installation) -> None:
    ran(installation, "remember", "Only this.", "--namespace", "brief")
    told = json.loads(ran(installation, "remember", "And that.", "--namespace", "brief", "--json"))
    sizes = {each["name"]: each["memories"] for each in json.loads(ran(installation, "namespaces", "--json"))}
    assert sizes["brief"] == 2
    assert "brief" in ran(installation, "namespaces")

    assert ran(installation, "forget", told["stored"][0]["record_id"]) == "forgotten: 1\n"
    assert ran(installation, "forget", "--namespace", "brief") == "forgotten: 1\n"
    assert recalled(installation, "this", "--namespace", "brief")["evidence"] == []
    assert "Nothing known" in ran(installation, "recall", "this", "--namespace", "brief")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("remember",), "either TEXT or --file"),
        (("remember", " "), "no content"),
        (("recall", "x", "--namespace", "Not:mine"), "namespace is named by"),
        (("recall", " "), "query is empty"),
        (("forget",), "either IDs or --namespace"),
        (("forget", "0198c0de-0000-7000-8000-000000000000"), "no memories of yours"),
        (("import", "-"), "Line 1"),
    ],
)
def test_what_is_refused_ends_with_2(
    installation: Installation, arguments: tuple[str, ...], words: str
) -> None:
    ended = installation.run("memory", *arguments, stdin="nonsense\n")
    assert ended.returncode == 2
    assert words in ended.stderr
