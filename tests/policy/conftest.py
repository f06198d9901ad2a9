"""The engines on our own policies, and on whatever a test writes.

OPA gets more time here than in service: what is tested with these is what it answers. How it keeps its
deadline is tested in adapters/test_policy_engine_opa.py.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soma.policy.adapters.policy_engine_opa import OpaPolicyEngine
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.ports import PolicyEngine
from soma.project.stack.server import Server
from tests.policy.desks import OpaDesk, RegoDesk

PATIENT_S = 10.0


@pytest.fixture(scope="session")
def rego() -> RegoPolicyEngine:
    """Rego in this process, on the policies that are delivered."""
    return RegoPolicyEngine()


@pytest.fixture(scope="session")
def opa(shared_server: Callable[[str], Server]) -> Iterator[OpaPolicyEngine]:
    """An OPA server, on the policies that are delivered."""
    engine = OpaPolicyEngine(shared_server("opa").address, deadline_s=PATIENT_S)
    yield engine
    engine.close()


@pytest.fixture(scope="session", params=["rego", "opa"])
def engine(request: pytest.FixtureRequest) -> PolicyEngine:
    """Each engine on the policies that are delivered."""
    engine: PolicyEngine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture
def rego_desk(tmp_path: Path) -> RegoDesk:
    """Policies of the test's own, in process."""
    return RegoDesk(tmp_path / "policies")


@pytest.fixture
def opa_desk(tmp_path: Path, opa: OpaPolicyEngine) -> Iterator[OpaDesk]:
    """Policies of the test's own, on a server of its own."""
    desk = OpaDesk(tmp_path, deadline_s=PATIENT_S)
    yield desk
    desk.close()
