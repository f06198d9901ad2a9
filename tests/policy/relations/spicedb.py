"""SpiceDB servers of the tests, and stores on them."""

from dataclasses import replace

from soma.policy.adapters.relation_store_spicedb import SpiceDbRelationStore
from soma.policy.relations.schema import Schema
from soma.project.stack.kind import Program
from soma.project.stack.place import Place
from soma.project.stack.process import Launch
from soma.project.stack.server import Server
from soma.project.stack.spicedb import SpiceDb


class EagerSpiceDb(SpiceDb):
    """Where it is free to choose it answers from what it was told last, not from what it knew seconds ago."""

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        launch = super().launch(place, program)
        eager = ("--datastore-revision-quantization-interval", "0s")
        return replace(launch, command=(*launch.command, *eager))


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
