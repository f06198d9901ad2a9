"""An installation whose relations SpiceDB answers: it denies, it goes away, it comes back with nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from soma.project.stack.server import Server
from tests.interfaces.cli.installation import Installation
from tests.prepared_home import PrepareHome

pytestmark = pytest.mark.req("AUTH-001")


@pytest.mark.timeout(240)
def test_turns_stand_and_fall_with_spicedb(
    own_server: Callable[..., Server], prepare_home: PrepareHome, tmp_path: Path
) -> None:
    server = own_server("spicedb", engine="memory")
    prepare_home(tmp_path / "soma")
    installation = Installation(home=tmp_path, settings=server.environment)

    asked = installation.ask("Say hello.")
    conversation, go_on = (
        f"conversation:{asked['conversation_id']}",
        ("--conversation", asked["conversation_id"]),
    )
    listed = installation.run(
        "relations", "list", "--resource", conversation, "--relation", "owner", "--json"
    )
    owner = json.loads(listed.stdout)[0]["subject"]
    revoked = installation.run("relations", "revoke", conversation, "owner", owner)
    assert revoked.returncode == 0, revoked.stderr
    check = installation.run("relations", "check", conversation, "write", owner, "--json")
    decision = json.loads(check.stdout)
    assert (check.returncode, decision["allow"], decision["engine"]) == (3, False, "spicedb")
    assert installation.run("relations", "grant", conversation, "owner", owner).returncode == 0

    server.kill()
    away = installation.run("ask", "Hello?", *go_on)
    assert away.returncode == 3
    assert "spicedb cannot be reached" in away.stderr

    server.start()
    assert installation.ask("Hello again.", *go_on)["conversation_id"] == asked["conversation_id"]
