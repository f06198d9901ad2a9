"""compose.yaml is the same servers at the same addresses, and of the same versions where we pin them."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from soma.base.configuration import Configuration
from soma.project.stack.compose import PASSWORD, compose_environment
from soma.project.stack.opa import MODULE as OPA
from soma.project.stack.pins import go_version, maven_version
from soma.project.stack.servers import KINDS
from soma.project.stack.spicedb import MODULE as SPICEDB
from soma.project.stack.temporal import MODULE as TEMPORAL
from tests.shell import ROOT

pytestmark = pytest.mark.req("STACK-001")
TEXT = (ROOT / "compose.yaml").read_text()
SERVICE = re.compile(r"^  ([a-z-]+):\n((?:    .*\n|\n)+)", re.MULTILINE)
SERVICES = dict(SERVICE.findall(TEXT.split("\nconfigs:\n")[0]))


def image(service: str) -> str:
    """The image of a service."""
    match = re.search(r"image: (\S+)", SERVICES[service])
    assert match is not None
    return match[1]


def test_it_has_every_server_and_no_other() -> None:
    assert set(SERVICES) == {*KINDS, "spicedb-migrate"}


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"prometheus"}))
def test_a_server_is_published_where_the_stack_has_it_and_on_this_machine_only(name: str) -> None:
    published = re.findall(r'ports: \["([^"]+)"\]', SERVICES[name])
    assert len(published) == 1
    assert published[0].startswith(f"127.0.0.1:{KINDS[name].port}:")


def test_prometheus_listens_where_the_stack_has_it() -> None:
    assert "network_mode: host" in SERVICES["prometheus"]
    assert f"--web.listen-address=127.0.0.1:{KINDS['prometheus'].port}" in SERVICES["prometheus"]


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_server_is_checked_and_pinned(name: str) -> None:
    assert "healthcheck:" in SERVICES[name]
    assert re.search(r"\d", image(name).rpartition(":")[2])


def test_the_versions_are_those_of_the_stack() -> None:
    assert image("opa") == f"openpolicyagent/opa:{go_version('go.mod', OPA)}"
    assert image("spicedb") == image("spicedb-migrate") == f"authzed/spicedb:v{go_version('go.mod', SPICEDB)}"
    assert image("temporal") == f"temporalio/temporal:{go_version('temporal/go.mod', TEMPORAL)}"
    assert image("kafka") == f"apache/kafka:{maven_version('kafka/pom.xml', 'kafka_2.13')}"
    assert image("postgres").endswith("-pg18")


def test_the_application_is_told_where_they_are() -> None:
    environment = compose_environment()
    configuration = Configuration.from_environment(environment)
    for name, kind in KINDS.items():
        assert str(kind.port) in getattr(configuration, kind.setting), name
    assert configuration.spicedb_token == PASSWORD
    assert set(re.findall(r"\$\{SOMA_[A-Z_]+:-([^}]+)\}", TEXT)) == {PASSWORD}


def test_docker_compose_accepts_it() -> None:
    composed = configured()

    assert set(composed["services"]) == set(SERVICES)
    hosts = {
        port["host_ip"] for service in composed["services"].values() for port in service.get("ports", [])
    }
    assert hosts == {"127.0.0.1"}


def configured() -> dict[str, Any]:
    """What Docker Compose makes of the file."""
    for compose in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(compose[0]) is None:
            continue
        if subprocess.run([*compose, "version"], capture_output=True, check=False).returncode == 0:
            command = [*compose, "--file", str(ROOT / "compose.yaml"), "config", "--format", "json"]
            printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            read: dict[str, Any] = json.loads(printed)
            return read
    pytest.skip("Docker Compose is not installed here")
