"""`somagent audit`: verify, checkpoint, export, key, verifier."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from soma.base.configuration import Configuration
from soma.interfaces.cli.exits import Exit
from soma.project.embedded_postgres import EmbeddedPostgres
from soma.project.postgres_location import postgres_location
from tests.interfaces.cli.installation import Installation
from tests.prepared_home import PrepareHome

pytestmark = [pytest.mark.req("AUDIT-001"), pytest.mark.req("CLI-001"), pytest.mark.timeout(300)]


def said(installation: Installation, *arguments: str) -> dict[str, Any]:
    ended = installation.run("audit", *arguments, "--json")
    assert ended.stdout, ended.stderr
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


@pytest.mark.usefixtures("asked")
def test_a_log_is_verified_signed_exported_and_verified_by_others(
    installation: Installation, tmp_path: Path
) -> None:
    checkpoint, export, program = (tmp_path / name for name in ("c.json", "a.jsonl", "v.py"))
    assert installation.run("audit", "checkpoint", "-o", str(checkpoint)).returncode == 0
    report = said(installation, "verify")
    assert (report["intact"], report["broken"]) == (True, None)
    assert report["proven"] >= json.loads(checkpoint.read_text())["sequence"] > 0
    since = said(installation, "verify", "--from-checkpoint", str(checkpoint))
    assert (since["intact"], since["after"]) == (True, json.loads(checkpoint.read_text())["sequence"])

    assert installation.run("audit", "export", "-o", str(export)).returncode == 0
    program.write_text(installation.run("audit", "verifier").stdout)
    key = installation.run("audit", "key").stdout.strip()
    assert key == said(installation, "key")["public"]
    secret = installation.home / "soma" / "secrets" / "audit_key"
    assert (secret.stat().st_mode & 0o777, secret.stat().st_size) == (0o600, 32)
    ended = subprocess.run(
        [sys.executable, "-I", "-S", program, export, "--key", key, "--checkpoint", checkpoint],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout[:3]) == (0, "OK:"), ended.stdout


@pytest.mark.usefixtures("asked")
def test_a_file_that_is_no_checkpoint_is_refused(installation: Installation, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    for text in ("", "{}", "[]", "null", '{"type": 1}', "\0"):
        path.write_text(text)
        ended = installation.run("audit", "verify", "--from-checkpoint", str(path))
        assert ended.returncode == Exit.USAGE
        assert "this is no audit checkpoint" in ended.stderr


@pytest.fixture
def tampered(tmp_path: Path, prepare_home: PrepareHome) -> Iterator[Installation]:
    """A home of its own, of whose log somebody has changed the second event."""
    installation = Installation(home=tmp_path)
    prepare_home(tmp_path / "soma")
    for _ in range(3):
        assert installation.run("audit", "checkpoint").returncode == 0
    home = installation.home / "soma"
    postgres = EmbeddedPostgres(home)
    postgres.start()
    try:
        location = postgres_location(Configuration(home=home))
        with psycopg.connect(**location.admin(None), autocommit=True) as connection:
            connection.execute("ALTER TABLE event_log DISABLE TRIGGER append_only")
            connection.execute("UPDATE event_log SET key = 'other' WHERE sequence = 2")
        yield installation
    finally:
        postgres.release()


def test_a_log_that_was_tampered_with_has_an_exit_code_of_its_own(tampered: Installation) -> None:
    ended = tampered.run("audit", "verify")
    assert ended.returncode == Exit.BROKEN, ended.stderr
    assert ended.stdout.startswith("BROKEN at event 2 (")
    assert "event changed" in ended.stdout
    broken = said(tampered, "verify")["broken"]
    assert (broken["sequence"], broken["fault"], broken["part"]) == (2, "changed", "event")
