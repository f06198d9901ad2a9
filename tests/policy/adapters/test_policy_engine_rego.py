"""Rego in process: the contract, and what only an engine in our own process can do wrong."""

from pathlib import Path

import pytest

from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.api import PolicyEngine
from tests.policy.contract_policy_engine import ALLOW_ALL, BROKEN, DENY_ALL, PolicyEngineContract
from tests.policy.desks import Desk, RegoDesk
from tests.policy.questions import request

pytestmark = pytest.mark.req("AUTH-002")


class TestRego(PolicyEngineContract):
    """The contract."""

    @pytest.fixture
    def desk(self, rego_desk: RegoDesk) -> Desk:
        return rego_desk

    @pytest.fixture
    def delivered(self, rego: RegoPolicyEngine) -> PolicyEngine:
        return rego


@pytest.mark.parametrize("what", [name for name in BROKEN if name != "undefined for some"])
def test_the_reason_is_that_the_policy_cannot_be_used(rego_desk: RegoDesk, what: str) -> None:
    decision = rego_desk.engine(BROKEN[what]).decide(request("chat:read", "owner"))
    assert decision.reasons[0].startswith("engine.policy_unusable: ")


def test_nothing_is_printed_by_the_engine(rego_desk: RegoDesk, capfd: pytest.CaptureFixture[str]) -> None:
    rego_desk.engine(BROKEN["syntax error"]).decide(request("chat:read", "owner"))
    assert capfd.readouterr() == ("", "")


def test_a_missing_directory_denies_everything(tmp_path: Path) -> None:
    engine = RegoPolicyEngine(tmp_path / "absent")
    decision = engine.decide(request("chat:read", "owner"))
    assert not decision.allow
    assert "no .rego file" in decision.reasons[0]
    assert (engine.policy_hash, decision.policy_hash) == ("", "")


def test_files_are_read_anew_by_reload_and_not_before(tmp_path: Path) -> None:
    (tmp_path / "a.rego").write_text(ALLOW_ALL)
    engine = RegoPolicyEngine(tmp_path)
    (tmp_path / "a.rego").write_text(DENY_ALL)
    assert engine.decide(request("chat:read", "owner")).allow
    engine.reload()
    assert not engine.decide(request("chat:read", "owner")).allow


def test_a_reload_that_breaks_denies_and_one_that_mends_allows(rego_desk: RegoDesk) -> None:
    engine = rego_desk.engine({"a.rego": ALLOW_ALL})
    rego_desk.replace(BROKEN["syntax error"])
    assert not engine.decide(request("chat:read", "owner")).allow
    rego_desk.replace({"a.rego": ALLOW_ALL})
    assert engine.fault is None
    assert engine.decide(request("chat:read", "owner")).allow
