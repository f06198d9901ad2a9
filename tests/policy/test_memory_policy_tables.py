"""policies/memory.rego on tables of an operator's own: who writes what kind into which namespace."""

import json
from typing import Any

import pytest

from soma.policy.adapters.policy_files import BUILT_IN
from soma.policy.api import PolicyEngine
from tests.policy.desks import OpaDesk, RegoDesk
from tests.policy.questions import OTHER_USER, USER
from tests.policy.test_memory_policy import question

pytestmark = pytest.mark.req("MEM-001", "AUTH-002")


@pytest.fixture(params=["rego_desk", "opa_desk"])
def narrow(request: pytest.FixtureRequest) -> PolicyEngine:
    """Guests may remember statements of their own."""
    desk: RegoDesk | OpaDesk = request.getfixturevalue(request.param)
    tables = json.loads((BUILT_IN / "data.json").read_text())
    tables["roles"]["guest"]["memory:remember"] = True
    tables["memory"]["kinds"]["guest"] = {"statement": True}
    files: dict[str, str | bytes] = {path.name: path.read_text() for path in BUILT_IN.glob("*.rego")}
    return desk.engine({**files, "data.json": json.dumps(tables)})


def test_a_role_writes_its_own_namespaces_and_its_kinds(narrow: PolicyEngine) -> None:
    for namespace in (str(USER), f"{USER}:notes"):
        assert narrow.decide(question("guest", resource={"namespaces": [namespace]})).allow
    barred: list[list[Any]] = [[str(OTHER_USER)], [f"{USER}x"], [str(USER), str(OTHER_USER)], [None], [{}]]
    for namespaces in barred:
        denied = narrow.decide(question("guest", resource={"namespaces": namespaces}))
        assert [each.partition(":")[0] for each in denied.reasons] == ["memory.namespaces_reached"]
    for kinds in (["reply"], ["statement", "reply"], [None], [["statement"]]):
        denied = narrow.decide(question("guest", resource={"kinds": kinds}))
        assert [each.partition(":")[0] for each in denied.reasons] == ["memory.kinds_granted"]
