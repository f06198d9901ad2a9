"""Stores on a SpiceDB server of the tests."""

from soma.policy.adapters.relation_store_spicedb import SpiceDbRelationStore
from soma.policy.relations.schema import Schema
from soma.project.stack.server import Server


def store_on(server: Server, schema: Schema, *, deadline_ms: float) -> SpiceDbRelationStore:
    """A store that has been started. Tenants that nobody asks about are of no interest here."""
    variables = server.environment
    store = SpiceDbRelationStore(
        variables["SOMAGENT_SPICEDB_ADDRESS"],
        variables["SOMAGENT_SPICEDB_TOKEN"],
        schema,
        deadline_ms=deadline_ms,
    )
    store.start()
    return store
