"""`somagent memory capsule`: from files and memories to a capsule and back, on a home of its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.brain.capsules import STRANGER, capsule, signed
from tests.interfaces.cli.installation import Installation

pytestmark = [
    pytest.mark.req("MEM-005", "CLI-001"),
    pytest.mark.usefixtures("asked"),
    pytest.mark.timeout(300),
]

MARKDOWN = "# Tools\n\nThe kettle is in the workshop.\n\n# House\n\nThe door is blue.\n"
FACTS = '{"content": "The ladder hangs behind the shed.", "key": "ladder"}\n'


def told(installation: Installation, *arguments: str) -> Any:
    ended = installation.run("memory", "capsule", *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture
def sources(tmp_path: Path) -> tuple[str, ...]:
    """The options that name two files."""
    (tmp_path / "tools.md").write_text(MARKDOWN)
    (tmp_path / "facts.jsonl").write_text(FACTS)
    return ("--from", str(tmp_path / "tools.md"), "--from", str(tmp_path / "facts.jsonl"))


def test_a_capsule_is_built_verified_taken_in_shown_and_revoked(
    installation: Installation, sources: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "a.capsule"
    options = ("--name", "Handbook", *sources, "--at", "2026-03-01T12:00:00Z")
    built = told(installation, "build", *options, "-o", str(file))
    assert (built["version"], built["blocks"]) == (1, 3)

    checked = told(installation, "verify", str(file))
    assert (checked["valid"], checked["digest"], checked["name"]) == (True, built["digest"], "Handbook")
    taken = told(installation, "upload", str(file))
    assert (taken["new"], taken["id"]) == (True, built["id"])
    assert told(installation, "upload", str(file)) == {**taken, "new": False}

    shown = told(installation, "show", built["id"])
    assert shown["intact"]
    assert [each["key"] for each in shown["blocks"]] == ["tools.md#1", "tools.md#2", "ladder"]

    (revoked,) = told(installation, "revoke", f"{built['id']}@1", "--reason", "out of date")
    assert revoked["revocation_reason"] == "out of date"
    refused = installation.run("memory", "capsule", "upload", str(file))
    assert refused.returncode == 2
    assert "is revoked" in refused.stderr
    listed = installation.run("memory", "capsule", "list")
    assert f"{built['id']}@1  Handbook  revoked: out of date\n" in listed.stdout


def test_what_is_not_genuine_has_its_reason_and_exit_code(installation: Installation, tmp_path: Path) -> None:
    strange = tmp_path / "strange.capsule"
    strange.write_bytes(signed(capsule("Nonsense.", issuer=STRANGER.public.hex()), STRANGER))
    for data, code, reason in (
        (strange.read_bytes(), 3, "unknown_issuer"),
        (strange.read_bytes() + b"\n", 2, "not_canonical"),
        (b"x" * 5_000_000, 2, "oversize"),
    ):
        file = tmp_path / "bad.capsule"
        file.write_bytes(data)
        ended = installation.run("memory", "capsule", "verify", str(file), "--json")
        said = json.loads(ended.stdout)
        assert (ended.returncode, said["valid"], said["reason"]) == (code, False, reason)


def test_a_stranger_is_taken_from_once_trusted(installation: Installation, tmp_path: Path) -> None:
    key, file = STRANGER.public.hex(), tmp_path / "theirs.capsule"
    file.write_bytes(signed(capsule("The neighbours' gate squeaks.", issuer=key), STRANGER))
    trusted = told(installation, "trust", key, "--label", "Neighbours")
    assert [each["own"] for each in trusted] == [True, False]
    assert told(installation, "upload", str(file))["issuer"] == key
    assert len(told(installation, "trust", key, "--remove")) == 1
    assert installation.run("memory", "capsule", "upload", str(file)).returncode == 3


def test_memories_become_a_capsule(installation: Installation, tmp_path: Path) -> None:
    installation.ask("My bicycle is called Hildegard.", "--seed", "7")
    file = tmp_path / "mine.capsule"
    told(installation, "build", "--name", "Mine", "--namespace", "default", "-o", str(file))
    blocks = json.loads(file.read_bytes())["blocks"]
    assert "My bicycle is called Hildegard." in {block["content"] for block in blocks}
    (one,) = [block for block in blocks if block["content"] == "My bicycle is called Hildegard."]
    told(
        installation, "build", "--name", "One", "--namespace", "default", "--key", one["key"], "-o", str(file)
    )
    assert json.loads(file.read_bytes())["blocks"] == [one]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("build", "--name", "x", "-o", "x"), "name what it is made of"),
        (("build", "--name", "x", "--namespace", "default", "--key", "none", "-o", "x"), "nothing to make"),
        (("show", "00000000-0000-0000-0000-000000000000"), "there is no memory capsule"),
        (("trust", "--remove"), "name the KEY"),
    ],
)
def test_what_is_refused(installation: Installation, arguments: tuple[str, ...], words: str) -> None:
    ended = installation.run("memory", "capsule", *arguments)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert not Path("x").exists()
