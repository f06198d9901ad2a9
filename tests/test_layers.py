"""The contracts of .importlinter hold, and would notice if they did not; tests run the real parts."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Import-linter's verdict on the tree at `root`."""
    command = [
        str(Path(sys.executable).parent / "lint-imports"),
        "--config",
        str(root / ".importlinter"),
        "--no-cache",
    ]
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the source that a test may spoil."""
    shutil.copytree(
        ROOT / "src" / "soma", tmp_path / "src" / "soma", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


@pytest.mark.req("ARCH-001", "ARCH-002")
def test_contracts_are_kept(copy: Path) -> None:
    verdict = lint(copy)
    assert verdict.returncode == 0, verdict.stdout
    assert "ARCH-001, ARCH-002: memory is reached through the brain only KEPT" in verdict.stdout


@pytest.mark.parametrize(
    "importer",
    [
        pytest.param("agent/services/spoilt.py", marks=pytest.mark.req("ARCH-001")),
        pytest.param("interfaces/spoilt.py", marks=pytest.mark.req("ARCH-002")),
    ],
)
def test_reaching_past_the_brain_breaks_the_contract(copy: Path, importer: str) -> None:
    (copy / "src" / "soma" / importer).write_text("import soma.fractalmemory.api\n")
    verdict = lint(copy)
    assert verdict.returncode == 1
    assert "ARCH-001, ARCH-002: memory is reached through the brain only BROKEN" in verdict.stdout


@pytest.mark.req("QUAL-001")
def test_no_test_mocks() -> None:
    mocking = [
        path.name
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom) and "mock" in ast.unparse(node)
    ]
    assert mocking == []
