"""Where `developer-full` finds its servers."""

from pathlib import Path

import pytest

from soma.base.configuration import DeploymentMode
from soma.base.errors import InvalidInput
from soma.project.addresses import with_servers
from soma.project.stack.state import Entry, write_stack

MODE = {"SOMAGENT_DEPLOYMENT_MODE": "developer-full"}
NOTED = {
    "postgres": {"SOMAGENT_DATABASE_URL": "postgresql://somebody:secret@127.0.0.1:1/soma"},
    "redis": {"SOMAGENT_REDIS_URL": "redis://127.0.0.1:2/0"},
    "kafka": {"SOMAGENT_KAFKA_SERVERS": "127.0.0.1:3"},
    "opa": {"SOMAGENT_OPA_URL": "http://127.0.0.1:4"},
    "spicedb": {"SOMAGENT_SPICEDB_ADDRESS": "127.0.0.1:5", "SOMAGENT_SPICEDB_TOKEN": "key"},
    "milvus": {"SOMAGENT_MILVUS_URL": "http://127.0.0.1:6"},
}


def note(home: Path, *names: str) -> dict[str, str]:
    """A home whose stack consists of `names`; the environment that means it."""
    entries = [Entry(name=each, address="", origin="started", environment=NOTED[each]) for each in names]
    write_stack(home, entries)
    return {"SOMAGENT_HOME": str(home)}


@pytest.mark.req("STACK-001")
def test_the_light_mode_takes_no_server_that_is_not_named(tmp_path: Path) -> None:
    configuration = with_servers(note(tmp_path, *NOTED))
    assert configuration.deployment_mode is DeploymentMode.DEVELOPER_LIGHT
    assert not configuration.database_url and not configuration.kafka_servers


@pytest.mark.req("STACK-001")
def test_the_full_mode_takes_the_servers_of_the_stack(tmp_path: Path) -> None:
    configuration = with_servers(MODE | note(tmp_path, *NOTED))
    assert configuration.database_url.endswith("127.0.0.1:1/soma")
    assert configuration.kafka_servers == "127.0.0.1:3"
    assert configuration.spicedb_token == "key"
    assert configuration.milvus_url == "http://127.0.0.1:6"


@pytest.mark.req("STACK-001")
def test_what_the_environment_names_goes_before_the_stack(tmp_path: Path) -> None:
    named = {"SOMAGENT_KAFKA_SERVERS": "kafka.example:9092", "SOMAGENT_REDIS_URL": ""}
    configuration = with_servers(MODE | note(tmp_path, *NOTED) | named)
    assert configuration.kafka_servers == "kafka.example:9092"
    assert configuration.redis_url == "redis://127.0.0.1:2/0"


@pytest.mark.req("STACK-001")
def test_a_server_that_is_lacking_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="needs kafka, milvus: start all of them with `make stack`"):
        with_servers(MODE | note(tmp_path, "postgres", "redis", "opa", "spicedb"))
