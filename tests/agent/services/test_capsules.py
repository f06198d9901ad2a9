"""soma.agent.services.capsules"""

import asyncio
from uuid import UUID

import pytest

from soma.agent.domain.builtin_tools import BUILTIN_TOOLS
from soma.agent.models import CapsuleRow
from soma.agent.services.capsules import Capsules
from soma.base.crypto import SigningKey
from soma.base.database import DatabaseThreads, tenant_transaction
from soma.policy.adapters.relation_store_postgres import PostgresRelationStore
from soma.policy.api import Relations

AT_ONCE = 8


@pytest.mark.req("CAPS-001")
def test_of_many_first_conversations_at_once_one_certifies_the_capsule(tenant: UUID) -> None:
    capsules = Capsules(
        SigningKey.from_seed(b"k" * 32), BUILTIN_TOOLS, "Be brief.", Relations(PostgresRelationStore())
    )
    database = DatabaseThreads(AT_ONCE)

    async def ensured() -> list[UUID]:
        calls = (database.run(capsules.ensure_default, tenant) for _ in range(AT_ONCE))
        return list(await asyncio.gather(*calls))

    try:
        ids = asyncio.run(ensured())
    finally:
        database.close()
    with tenant_transaction(tenant):
        assert list(CapsuleRow.objects.values_list("id", flat=True)) == [ids[0]]
    assert set(ids) == {ids[0]}
