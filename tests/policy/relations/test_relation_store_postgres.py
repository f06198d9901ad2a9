"""The resolver in Postgres."""

import pytest

from soma.policy.adapters.relation_store_postgres import PostgresRelationStore
from tests.policy.relations.contract_relation_store import RelationStoreContract


class TestPostgres(RelationStoreContract):
    @pytest.fixture
    def store(self, postgres_store: PostgresRelationStore) -> PostgresRelationStore:
        return postgres_store
