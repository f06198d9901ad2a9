"""`somagent memory ingest`."""

import json
from pathlib import Path
from typing import Any

import pytest

from soma.interfaces.cli.exits import Exit
from tests.brain.adapters.reading import pdf_file
from tests.interfaces.cli.installation import Installation

pytestmark = [
    pytest.mark.req("RAG-001"),
    pytest.mark.req("CLI-001"),
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("asked"),
]
ROOT = Path(__file__).parents[3]


def ingested(installation: Installation, *arguments: str, code: int = Exit.OK) -> list[dict[str, Any]]:
    ended = installation.run("memory", "ingest", "--json", *arguments)
    assert ended.returncode == code, ended.stderr
    became: list[dict[str, Any]] = json.loads(ended.stdout)
    return became


def test_real_files_are_taken_in_and_recalled(installation: Installation) -> None:
    paths = [str(ROOT / name) for name in ("CHANGELOG.md", "CONTRIBUTING.md")]
    became = ingested(installation, *paths, "--namespace", "handbook")
    assert [each["status"] for each in became] == ["done", "done"]
    assert became[1]["title"] == "Contributing" and became[1]["chunks"] > 5

    recalled = installation.run(
        "memory", "recall", "How do I add a requirement?", "--namespace", "handbook", "--json"
    )
    best = json.loads(recalled.stdout)["evidence"][0]
    assert best["provenance"]["source_document"] == became[1]["id"]
    assert "docs/requirements.toml" in best["content"]

    assert ingested(installation, *paths, "--namespace", "handbook") == became


def test_a_directory_is_taken_in_by_suffix_and_errors_stop_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a.pdf").write_bytes(pdf_file.pdf(pdf_file.paragraph("The blue lamp is lit.")))
    (tmp_path / "b.pdf").write_bytes(pdf_file.encrypted())
    (tmp_path / "below" / "c.html").write_text("<title>Lamps</title><p>The red lamp is not.")
    (tmp_path / "d.bin").write_bytes(b"\0")
    (tmp_path / ".hidden" / "e.txt").write_text("Unseen.")
    became = ingested(installation, str(tmp_path), "--namespace", "lamps", code=Exit.FAILED)

    assert [(Path(each["path"]).name, each["status"]) for each in became] == [
        ("a.pdf", "done"), ("b.pdf", "failed"), ("c.html", "done"),
    ]  # fmt: skip
    assert (became[0]["pages"], became[1]["reason"], became[2]["title"]) == (1, "encrypted", "Lamps")

    shown = installation.run("memory", "ingest", str(tmp_path / "b.pdf"), str(tmp_path / "a.pdf"))
    assert shown.returncode == Exit.FAILED
    assert "password" in shown.stderr
    assert shown.stdout.startswith("ingested: ") and "(1 chunks)" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--title", "One"), "--title names one document"), ((), "holds no text")],
)
def test_wrong_usage_ends_with_2(
    installation: Installation, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    if arguments:
        for name in ("a.txt", "b.txt"):
            (tmp_path / name).write_text("One.")
    ended = installation.run("memory", "ingest", str(tmp_path), *arguments)

    assert ended.returncode == Exit.USAGE
    assert words in ended.stderr


def test_a_file_that_is_no_document_is_named(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK")
    [became] = ingested(installation, str(tmp_path / "a.zip"), code=Exit.FAILED)

    assert (became["status"], "'.zip'" in became["detail"]) == ("refused", True)
