"""SpiceDB, on a server of its own."""

import pytest

from soma.policy.adapters.relation_store_spicedb import SpiceDbRelationStore
from tests.policy.relations.contract_relation_store import RelationStoreContract


class TestSpiceDb(RelationStoreContract):
    @pytest.fixture
    def store(self, spicedb_store: SpiceDbRelationStore) -> SpiceDbRelationStore:
        return spicedb_store
