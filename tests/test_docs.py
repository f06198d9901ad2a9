"""What the documents say is true: their commands run, their links lead somewhere, their table is complete."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from soma.interfaces.cli.exits import Exit
from tests.prepared_home import PrepareHome
from tests.servers import do_without, end_servers
from tests.shell import ROOT, bash, environment, free_port

pytestmark = [pytest.mark.req("QUAL-001"), pytest.mark.timeout(300)]

README = (ROOT / "README.md").read_text()
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
BLOCK = re.compile(r"(?:<!-- test: (?P<how>[a-z ]+) -->\n)?```sh\n(?P<script>.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
VARIABLE = re.compile(r"(?:SOMAGENT|SA01)_[A-Z_]+")
OPENED = re.compile(r"Open (?P<url>http://\S+?)/#token=(?P<token>\S+)")
HIDDEN = {"SOMAGENT_PHASE_OBSERVER"}
"""Variables for the tests of crashes, of no use to anybody else."""


def blocks(how: str) -> list[str]:
    """The README's commands that are to be tested in this way."""
    return [match["script"] for match in BLOCK.finditer(README) if match["how"] == how]


def test_every_block_of_the_readme_says_how_it_is_tested() -> None:
    assert {match["how"] for match in BLOCK.finditer(README)} == {
        "dry run",
        "run",
        "capsule",
        "stack",
        "served",
    }


@pytest.mark.parametrize("script", blocks("dry run"))
def test_make_knows_its_targets(script: str, tmp_path: Path) -> None:
    for line in script.splitlines():
        dry = bash(line.replace("make ", "make -n ", 1), environment(tmp_path))
        assert dry.returncode == 0, dry.stdout
        assert "requirements/install.py" in dry.stdout


@pytest.mark.req("CLI-001")
@pytest.mark.parametrize("script", blocks("run"))
def test_commands_run_as_shown(script: str, prepare_home: PrepareHome, tmp_path: Path) -> None:
    ran = bash(script, environment(prepare_home(tmp_path), SOMAGENT_PORT=str(free_port())))
    assert ran.returncode == 0, ran.stdout
    assert '"turn_id"' in ran.stdout or "somagent ask" not in script


@pytest.mark.req("MEM-005")
@pytest.mark.parametrize("script", blocks("capsule"))
def test_a_capsule_is_made_and_recalled_from_as_shown(
    script: str, prepare_home: PrepareHome, tmp_path: Path
) -> None:
    ran = bash(script, environment(prepare_home(tmp_path)))
    assert ran.returncode == 0, ran.stdout
    assert "The spare key is under the mat." in ran.stdout
    assert "revoked: We have moved" in ran.stdout


@pytest.mark.req("STACK-001")
@pytest.mark.parametrize("script", blocks("stack"))
def test_the_stack_runs_as_shown(script: str, tmp_path: Path) -> None:
    ran = bash(script, environment(tmp_path))
    left = end_servers(tmp_path / "stack")
    if ran.returncode == Exit.NOT_READY:
        do_without("one of the stack's servers", ran.stdout)
    assert ran.returncode == 0, ran.stdout
    assert left == []


@pytest.mark.req("CHAT-001", "CHAT-002")
@pytest.mark.parametrize("script", blocks("served"))
def test_requests_work_as_shown(script: str, prepare_home: PrepareHome, tmp_path: Path) -> None:
    with serving(prepare_home(tmp_path)) as (url, token):
        ran = bash(script, environment(tmp_path, SOMA=url, TOKEN=token))
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.count("event: turn.completed") == (2 if "/messages" in script else 0), ran.stdout
    assert '"problem' not in ran.stdout


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    missing = [link for link in LINK.findall((ROOT / document).read_text()) if not (ROOT / link).exists()]
    assert missing == []


def test_the_table_of_variables_is_complete() -> None:
    sources = [path.read_text() for path in (ROOT / "src/soma/base").glob("*.py")]
    read = set(VARIABLE.findall("\n".join(sources))) - HIDDEN
    table = "\n".join(line for line in README.splitlines() if line.startswith("| `S"))
    assert set(VARIABLE.findall(table)) == read


@contextmanager
def serving(home: Path) -> Iterator[tuple[str, str]]:
    """A server of its own: its address, and the token that it printed."""
    command = ["somagent", "up", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        printed: list[str] = []
        try:
            yield _opened(server.stdout, printed)
        finally:
            server.send_signal(signal.SIGINT)
            printed += server.stdout.readlines()
    assert server.returncode == 0, "".join(printed)


def _opened(lines: Iterator[str], printed: list[str]) -> tuple[str, str]:
    for line in lines:
        printed.append(line)
        if opened := OPENED.search(line):
            return opened["url"], opened["token"]
    raise AssertionError("the server ended before it served:\n" + "".join(printed))
