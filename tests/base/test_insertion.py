"""soma.base.insertion"""

from uuid import UUID

import pytest
from django.db import IntegrityError, ProgrammingError
from django.db.models import Model

from soma.agent.models import CapabilityRow
from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.base.insertion import insert
from soma.brain.models import LearnedCheckpointRow


def capability(tenant: UUID, name: str) -> CapabilityRow:
    """A capability with a JSON value of every kind."""
    return CapabilityRow(
        id=new_id(),
        tenant_id=tenant,
        name=name,
        description="It's 100 % “quoted”, \\ and all.",
        input_schema={"type": "object", "nested": [1, 2.5, None, True, "é"]},
        output_schema={},
        config={},
        idempotent=True,
        is_enabled=False,
    )


def checkpoint(tenant: UUID) -> LearnedCheckpointRow:
    """A row with a composite key, bytes and a null."""
    return LearnedCheckpointRow(
        tenant_id=tenant,
        agent_id="a",
        sequence=0,
        turn_id=None,
        last_iteration=-1,
        state=b"\x00\xff",
        previous_hash=b"",
        hash=b"\x01",
        created_at=now(),
        kind="turn",
        rankings={},
    )


def values(row: Model) -> dict[str, object]:
    """What the columns of `row` hold."""
    names = [field.attname for field in row._meta.concrete_fields if field.column]
    found = {name: getattr(row, name) for name in names}
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in found.items()}


@pytest.mark.req("PERSIST-002")
def test_rows_are_read_as_they_were_inserted(tenant: UUID) -> None:
    first, second, third = capability(tenant, "one"), capability(tenant, "two"), checkpoint(tenant)
    with tenant_transaction(tenant):
        insert(first, third, second)
        stored = [*CapabilityRow.objects.order_by("name"), LearnedCheckpointRow.objects.get()]
    assert [values(row) for row in stored] == [values(row) for row in (first, second, third)]


@pytest.mark.req("PERSIST-002")
def test_a_constraint_is_the_orms_error(tenant: UUID) -> None:
    with pytest.raises(IntegrityError, match="capability_name"), tenant_transaction(tenant):
        insert(capability(tenant, "same"), capability(tenant, "same"))
    with tenant_transaction(tenant):
        assert not CapabilityRow.objects.exists()


@pytest.mark.req("AUTH-004")
def test_a_row_of_another_tenant_is_refused(tenant: UUID) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), tenant_transaction(tenant):
        insert(capability(new_id(), "theirs"))
