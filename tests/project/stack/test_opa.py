"""OPA decides by our policies, says which, and logs each decision."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from soma.base.errors import Unavailable
from soma.policy.adapters.policy_files import BUILT_IN, PolicyFiles
from tests.project.stack.hosts import hosts
from tests.servers import OpenServer

pytestmark = pytest.mark.req("STACK-001")
INPUT = {"action": "nothing", "principal": {"roles": ["ünknown"]}, "resource": {}, "context": {}}


def decide(address: str) -> dict[str, Any]:
    """OPA's answer with its provenance."""
    answer = httpx.post(
        f"{address}/v1/data/soma/decision", params={"provenance": "true"}, json={"input": INPUT}, timeout=10
    )
    decided: dict[str, Any] = answer.raise_for_status().json()
    return decided


def revisions(decided: dict[str, Any]) -> list[str]:
    """The revisions of the bundles that an answer is from."""
    return [bundle["revision"] for bundle in decided["provenance"]["bundles"].values()]


def test_it_decides_and_logs_by_the_policy_of_this_revision(own_server: OpenServer) -> None:
    server = own_server("opa")
    assert hosts(server) == {"127.0.0.1"}

    decided = decide(server.address)

    assert decided["result"]["allow"] is False
    assert revisions(decided) == [PolicyFiles.read(BUILT_IN).digest]
    assert server.stop()
    logged = [json.loads(line) for line in server.log.read_text().splitlines()]
    (decision,) = [line for line in logged if line.get("decision_id") == decided["decision_id"]]
    assert decision["input"] == INPUT and decision["result"] == decided["result"]


def test_a_changed_policy_is_taken_up_at_the_next_start(own_server: OpenServer, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(BUILT_IN, policies)
    server = own_server("opa", policies=policies)
    before = revisions(decide(server.address))
    (policies / "more.rego").write_text("package soma.more\n\nanswer := 42\n")

    server.start()

    assert revisions(decide(server.address)) == [PolicyFiles.read(policies).digest] != before
    answer = httpx.post(f"{server.address}/v1/data/soma/more/answer", timeout=10)
    assert answer.json()["result"] == 42


def test_policies_that_do_not_compile_are_said(own_server: OpenServer, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(BUILT_IN, policies)
    server = own_server("opa", policies=policies)
    (policies / "decision.rego").write_text("package soma\n\nallow if {\n")

    with pytest.raises(Unavailable, match=r"opa ended while starting: .*decision\.rego"):
        server.start()


def test_a_directory_without_policies_is_said(own_server: OpenServer, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(BUILT_IN, policies)
    server = own_server("opa", policies=policies)
    shutil.rmtree(policies)

    with pytest.raises(Unavailable, match=r"There is no \.rego file"):
        server.start()
