"""`somagent relations`: list, check, grant, revoke, sync."""

import json
from typing import Any

import pytest

from tests.interfaces.cli.installation import Installation

pytestmark = [pytest.mark.req("AUTH-001"), pytest.mark.req("CLI-001")]


def listed(installation: Installation, *options: str) -> list[dict[str, str]]:
    ended = installation.run("relations", "list", "--json", *options)
    assert ended.returncode == 0, ended.stderr
    found: list[dict[str, str]] = json.loads(ended.stdout)
    return found


@pytest.fixture
def conversation(asked: dict[str, Any]) -> str:
    """The first conversation of the installation."""
    return f"conversation:{asked['conversation_id']}"


@pytest.fixture
def owner(installation: Installation, conversation: str) -> str:
    """Whose it is."""
    (found,) = listed(installation, "--resource", conversation, "--relation", "owner")
    assert found["resource"] == conversation
    return found["subject"]


def test_a_relation_is_listed_revoked_and_granted_again(
    installation: Installation, asked: dict[str, Any], conversation: str, owner: str
) -> None:
    check = ("relations", "check", conversation, "write", owner)
    allowed = installation.run(*check)
    assert (allowed.returncode, allowed.stdout.split(":")[0]) == (0, "allowed"), allowed.stderr

    revoked = installation.run("relations", "revoke", conversation, "owner", owner, "--json")
    assert revoked.returncode == 0, revoked.stderr
    assert json.loads(revoked.stdout)["change"] == "revoked"

    denied = installation.run(*check, "--json")
    decision = json.loads(denied.stdout)
    assert (denied.returncode, decision["allow"]) == (3, False)
    assert decision["reason"].startswith("relations.conversation:write: no relation")
    said = installation.run("ask", "Hello?", "--conversation", asked["conversation_id"])
    assert said.returncode == 3
    assert "relations.conversation:write" in said.stderr

    granted = installation.run("relations", "grant", conversation, "owner", owner)
    assert granted.stdout == f"granted: {conversation}#owner@{owner}\n"
    assert installation.run(*check).returncode == 0


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("grant", "nonsense", "owner", "user:1"), 2, "is not an object"),
        (("grant", "conversation:1", "owner", "nobody"), 2, "is not a subject"),
        (("grant", "tenant:1", "owner", "user:1"), 3, "not given by hand"),
        (("revoke", "conversation:1", "owner", "user:1"), 3, "conversation:share"),
        (("check", "conversation:1", "nonsense", "user:1"), 3, ""),
    ],
)
def test_what_is_refused(
    installation: Installation, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ended = installation.run("relations", *arguments)
    assert ended.returncode == code
    assert words in ended.stderr


@pytest.mark.usefixtures("asked")
def test_sync_without_a_server_has_nothing_to_do(installation: Installation) -> None:
    ended = installation.run("relations", "sync", "--json")
    assert ended.returncode == 0, ended.stderr
    done = json.loads(ended.stdout)
    assert done["relationships"] == len(listed(installation))
    assert (done["touched"], done["deleted"]) == (0, 0)
