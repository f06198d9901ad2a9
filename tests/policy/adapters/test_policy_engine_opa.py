"""OPA as a server: the contract, and everything that can become of a server."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from soma.policy.adapters.policy_engine_opa import OpaPolicyEngine
from soma.policy.adapters.policy_files import BUILT_IN
from soma.policy.api import Decision, Policy, PolicyEngine
from soma.project.stack.server import Server
from tests.policy.contract_policy_engine import (
    ALLOW_ALL,
    BROKEN,
    DENY_ALL,
    ECHO,
    HEAD,
    PolicyEngineContract,
)
from tests.policy.desks import Desk, OpaDesk, OpenedEngine
from tests.policy.opa_server import BareOpa, TlsOpa, read_files, self_signed, write_bundle
from tests.policy.questions import request
from tests.policy.timing import DEADLINE_S, QUESTION, decided
from tests.standing_still import standing_still

pytestmark = pytest.mark.req("AUTH-002")


class TestOpa(PolicyEngineContract):
    """The contract."""

    @pytest.fixture
    def desk(self, opa_desk: OpaDesk) -> Desk:
        return opa_desk

    @pytest.fixture
    def delivered(self, opa: OpaPolicyEngine) -> PolicyEngine:
        return opa


@pytest.fixture
def server(opa_desk: OpaDesk) -> Server:
    """A server on the delivered policies that a test may stop and kill."""
    opa_desk.engine(read_files(BUILT_IN))
    return opa_desk.server


@pytest.fixture
def client(server: Server) -> Iterator[OpaPolicyEngine]:
    """An engine as in service: 100 ms."""
    with OpenedEngine(server.address, deadline_s=DEADLINE_S) as engine:
        yield engine


def echoed(engine: OpaPolicyEngine, text: str) -> bool:
    """Whether the policy was heard to say `text`; anything else than that or a denial in time is wrong."""
    reason = engine.decide(request(text, "owner")).reasons[0]
    assert reason == text or reason.startswith("engine.policy_unreachable: ")
    return reason == text


def logged(server: Server, decision_id: str) -> dict[str, Any]:
    """The entry of the server's decision log."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for line in server.log.read_text().splitlines():
            if decision_id in line:
                entry: dict[str, Any] = json.loads(line)
                return entry
    raise AssertionError(f"{decision_id} is not in {server.log}")


def heals(engine: OpaPolicyEngine) -> Decision:
    """The first decision that is allowed again, without any help."""
    until = time.monotonic() + 10
    while not (decision := engine.decide(QUESTION)).allow:
        assert time.monotonic() < until, decision
        assert decision.reasons[0].startswith("engine.policy_unreachable: ")
    return decision


def test_a_server_that_is_down_denies_and_heals(server: Server, client: OpaPolicyEngine) -> None:
    digest = heals(client).policy_hash
    assert Policy(client).fault is None
    server.stop()
    denied = decided(client)
    assert not denied.allow
    assert denied.reasons == (
        f"engine.policy_unreachable: OPA at {server.address} is not reached: Connection refused.",
    )
    assert denied.policy_hash == ""
    assert Policy(client).fault == f"OPA at {server.address} is not reached: Connection refused."
    server.start()
    assert heals(client).policy_hash == digest
    assert Policy(client).fault is None


def test_a_server_that_stands_still_denies_in_time_and_mixes_nothing_up(opa_desk: OpaDesk) -> None:
    opa_desk.engine({"a.rego": ECHO})
    with OpenedEngine(opa_desk.server.address, deadline_s=DEADLINE_S) as client:
        assert echoed(client, "before")
        with standing_still(opa_desk.server):
            denials = [decided(client) for _ in range(3)]
        assert [denial.allow for denial in denials] == [False] * 3
        assert denials[0].reasons == (
            f"engine.policy_unreachable: OPA at {opa_desk.server.address} gave no answer in time.",
        )
        # The server now answers what it was asked while it stood still, too.
        assert sum(echoed(client, f"after {number}") for number in range(50)) > 25


def test_killed_and_started_again_in_the_middle(server: Server, client: OpaPolicyEngine) -> None:
    over = Event()
    questions = {True: request("chat:read", "guest"), False: request("chat:write", "observer")}

    def ask(number: int) -> list[Decision]:
        expected = bool(number % 2)
        decisions = []
        while not over.is_set():
            decision = client.decide(questions[expected])
            engine_denies = decision.reasons[0].startswith("engine.policy_unreachable: ")
            assert engine_denies or decision.allow is expected, decision
            decisions.append(decision)
        return decisions

    with ThreadPoolExecutor(8) as threads:
        asking = [threads.submit(ask, number) for number in range(8)]
        try:
            for _ in range(3):
                heals(client)
                server.kill()
                assert not decided(client).allow
                server.start()
            heals(client)
        finally:
            over.set()
        given = [decision for thread in asking for decision in thread.result()]
    assert any(decision.allow for decision in given)
    assert any(not decision.policy_hash for decision in given)


def test_a_connection_that_ended_while_idle_denies_nothing(server: Server, client: OpaPolicyEngine) -> None:
    heals(client)
    for _ in range(3):
        server.stop()
        server.start()
        patient = [decided(client) for _ in range(2)]
        assert any(decision.allow for decision in patient), patient


def test_a_broken_bundle_leaves_the_one_before_in_force_and_says_so(opa_desk: OpaDesk) -> None:
    """Unlike in process: the server keeps what it has, and the decision names it."""
    engine = opa_desk.engine({"a.rego": ALLOW_ALL})
    before = engine.decide(QUESTION)
    write_bundle(opa_desk.bundle, {"a.rego": HEAD + "decision := {"})
    opa_desk.replace({"a.rego": DENY_ALL})
    write_bundle(opa_desk.bundle, {"a.rego": HEAD + "decision := {"})
    denied = engine.decide(QUESTION)
    assert (before.allow, denied.allow) == (True, False)
    assert denied.policy_hash not in {"", before.policy_hash}


def test_a_decision_is_found_in_the_servers_log(server: Server, client: OpaPolicyEngine) -> None:
    decision = heals(client)
    assert decision.decision_id
    entry = logged(server, decision.decision_id)
    assert entry["path"] == "soma/decision"
    assert entry["input"]["action"] == "chat:read"
    assert entry["result"]["allow"] is True
    assert [bundle["revision"] for bundle in entry["bundles"].values()] == [decision.policy_hash]


def test_a_policy_that_gives_no_decision_is_named_all_the_same(opa_desk: OpaDesk) -> None:
    engine = opa_desk.engine(BROKEN["undefined for some"])
    decision = engine.decide(QUESTION)
    assert not decision.allow
    assert decision.policy_hash
    assert decision.decision_id


def test_without_a_revision_the_policy_is_known_by_its_contents(opa: OpaPolicyEngine, tmp_path: Path) -> None:
    bare = Server(BareOpa(), tmp_path / "opa")
    bare.start()
    try:
        with OpenedEngine(bare.address, deadline_s=5) as engine, httpx.Client(base_url=bare.address) as api:
            assert "data.soma.decision has no value" in engine.decide(QUESTION).reasons[0]
            seen = []
            for policy, table in ((ALLOW_ALL, {}), (DENY_ALL, {}), (DENY_ALL, {"a": 1}), (ALLOW_ALL, {})):
                assert api.put("/v1/policies/a.rego", content=policy).is_success
                assert api.put("/v1/data/table", json=table).is_success
                engine.reload()
                decision = engine.decide(QUESTION)
                assert decision.allow is (policy == ALLOW_ALL)
                assert decision.policy_hash == engine.policy_hash
                seen.append(decision.policy_hash)
    finally:
        bare.kill()
    assert seen[0] == seen[3]
    assert len({*seen}) == 3
    assert all(len(digest) == 64 for digest in seen)


def test_a_change_without_a_revision_is_seen_within_a_second(opa: OpaPolicyEngine, tmp_path: Path) -> None:
    bare = Server(BareOpa(), tmp_path / "opa")
    bare.start()
    try:
        with OpenedEngine(bare.address, deadline_s=5) as engine, httpx.Client(base_url=bare.address) as api:
            assert api.put("/v1/policies/a.rego", content=ALLOW_ALL).is_success
            before = heals(engine).policy_hash
            assert api.put("/v1/policies/a.rego", content=DENY_ALL).is_success
            changed = time.monotonic()
            while engine.decide(QUESTION).policy_hash == before:
                assert time.monotonic() < changed + 2
            assert not engine.decide(QUESTION).allow
    finally:
        bare.kill()


def test_over_tls_only_a_server_that_is_trusted_decides(
    opa: OpaPolicyEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    write_bundle(tmp_path / "bundle.tar.gz", read_files(BUILT_IN))
    server = Server(TlsOpa(tmp_path / "bundle.tar.gz", certificate), tmp_path / "opa")
    server.start()
    try:
        with OpenedEngine(server.address, deadline_s=5) as engine:
            assert "is not reached" in engine.decide(QUESTION).reasons[0]
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with OpenedEngine(server.address, deadline_s=5) as engine:
            assert [engine.decide(QUESTION).allow for _ in range(3)] == [True] * 3
    finally:
        server.kill()
