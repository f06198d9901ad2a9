"""The matrix of requirements and tests keeps its word."""

import json
from pathlib import Path

import pytest

from tests.requirements_matrix import main, read_matrix

pytestmark = pytest.mark.req("QUAL-001")

DOCUMENT = """
[[phase]]
number = 1
title = "first"
finished = true

[[phase]]
number = 2
title = "second"
finished = false

[[requirement]]
id = "ONE-001"
text = "now"
phase = 1
seed = "-"

[[requirement]]
id = "TWO-001"
text = "later"
phase = 2
seed = "-"
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "requirements.toml").write_text(DOCUMENT)
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    return tmp_path


def write_tests(tree: Path, source: str) -> None:
    (tree / "tests" / "deep" / "test_thing.py").write_text(source)


def test_this_tree_is_whole() -> None:
    assert read_matrix().faults() == []


def test_marks_are_found_on_functions_classes_modules_and_parameters(tree: Path) -> None:
    write_tests(
        tree,
        "pytestmark = [pytest.mark.req('ONE-001')]\n"
        "class TestIt:\n"
        "    @pytest.mark.req('TWO-001')\n"
        "    async def test_a(self): ...\n"
        "@pytest.mark.parametrize('n', [pytest.param(1, marks=pytest.mark.req('TWO-001'))])\n"
        "def test_b(n): ...\n"
        "def helper(): ...\n",
    )
    tests = {test.name: set(test.ids) for test in read_matrix(tree).tests}
    assert tests == {
        "tests/deep/test_thing.py::TestIt::test_a": {"ONE-001", "TWO-001"},
        "tests/deep/test_thing.py::test_b": {"ONE-001", "TWO-001"},
    }


def test_a_whole_tree_passes_with_later_phases_open(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tests(tree, "@pytest.mark.req('ONE-001')\ndef test_it(): ...\n")
    assert main([], root=tree) == 0
    printed = capsys.readouterr()
    assert "ONE-001  phase 1  now\n    tests/deep/test_thing.py::test_it\n" in printed.out
    assert "1 of 1 requirements of finished phases are proved; 1 belong to later phases." in printed.out
    assert printed.err == ""


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("", "ONE-001 belongs to a finished phase (1) and no test proves it"),
        (
            "@pytest.mark.req('ONE-001', 'SIX-001')\ndef test_it(): ...\n",
            "tests/deep/test_thing.py::test_it names SIX-001, which is no requirement",
        ),
        (
            "@pytest.mark.req('ONE-001')\ndef test_it(): ...\ndef test_more(): ...\n",
            "tests/deep/test_thing.py::test_more names no requirement",
        ),
    ],
)
def test_a_broken_tree_fails_and_says_why(
    tree: Path, capsys: pytest.CaptureFixture[str], source: str, fault: str
) -> None:
    write_tests(tree, source)
    assert main([], root=tree) == 1
    assert capsys.readouterr().err == f"{fault}\n"


def test_json_carries_the_same(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tests(tree, "@pytest.mark.req('ONE-001')\ndef test_it(): ...\n")
    assert main(["--json"], root=tree) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["faults"] == []
    assert [(row["id"], row["tests"]) for row in document["requirements"]] == [
        ("ONE-001", ["tests/deep/test_thing.py::test_it"]),
        ("TWO-001", []),
    ]
