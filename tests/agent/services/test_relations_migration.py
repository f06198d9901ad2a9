"""What was there before relations were gets them from its rows."""

import importlib
from collections.abc import Callable

import pytest
from django.db import connections

from soma.agent.models import CapabilityRow
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.identity.models import User
from soma.policy.api import ObjectRef, RelationshipFilter
from soma.policy.models import RelationRow
from tests.agent.bench import Bench
from tests.fakes.model import ScriptedModel, said

RELATE: str = importlib.import_module("soma.agent.migrations.0002_relations").RELATE
EVERY_TENANT = "SELECT id FROM tenant LOOP"


@pytest.mark.req("AUTH-001")
def test_rows_become_relations(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(ScriptedModel(said("Hello.")), roles=("guest",))
    strange = ("rechnen/ü", "a.b")
    with tenant_transaction(bench.tenant):
        User.objects.create(id=bench.principal.user_id, tenant_id=bench.tenant, name="Gus", role="guest")
        for name in strange:
            tool = CapabilityRow.objects.get(name="calculator")
            tool.id, tool.name = new_id(), name
            tool.save(force_insert=True)
    before = {str(each) for each in bench.desk.relations.read(bench.principal, RelationshipFilter())}
    with tenant_transaction(bench.tenant):
        RelationRow.objects.all().delete()
    assert bench.desk.relations.read(bench.principal, RelationshipFilter()) == ()

    assert EVERY_TENANT in RELATE
    ours = f"SELECT id FROM tenant WHERE id = '{bench.tenant}' LOOP"
    for _ in range(2):
        with connections["owner"].cursor() as cursor:
            cursor.execute(RELATE.replace(EVERY_TENANT, ours))

    found = {str(each) for each in bench.desk.relations.read(bench.principal, RelationshipFilter())}
    named = {f"{ObjectRef.named('capability', name)}#tenant@tenant:{bench.tenant}" for name in strange}
    assert found == before | named
    assert bench.ask("Hello").status == "completed"
