"""Relations answered by SpiceDB, which follows the relationships in the database.

Whatever keeps SpiceDB from a clear yes on the state that the database has is a no.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from soma.policy.adapters import relation_revisions, relation_rows
from soma.policy.adapters.relation_answers import Answers
from soma.policy.adapters.relation_revisions import Revision
from soma.policy.adapters.spicedb_asking import SpiceDbAsking
from soma.policy.adapters.spicedb_keeper import SpiceDbKeeper
from soma.policy.adapters.spicedb_server import SpiceDbFailed, SpiceDbServer
from soma.policy.adapters.spicedb_writing import LARGEST_STEP, SpiceDbWriting
from soma.policy.domain.permission import PermissionCheck, PermissionDecision
from soma.policy.domain.relationship import Relationship, RelationshipFilter
from soma.policy.domain.synchronised import Synchronised
from soma.policy.relations.schema import Schema
from soma.policy.relations.schema_file import built_in_schema
from soma.policy.relations.schema_rules import writable

DEADLINE_MS = 100.0
START_SECONDS = 10.0
BEHIND = "spicedb is not level with the database yet"


class SpiceDbRelationStore:
    """See RelationStore. A check costs one statement, for the revision to ask at, and one call."""

    engine = "spicedb"

    def __init__(
        self, address: str, token: str, schema: Schema | None = None, *, deadline_ms: float = DEADLINE_MS
    ) -> None:
        self._schema = schema or built_in_schema()
        self._deadline_ms = deadline_ms
        self._server = SpiceDbServer(address, token)
        self._writing = SpiceDbWriting(self._server, self._schema)
        self._keeper = SpiceDbKeeper(self._writing)
        self._asking = SpiceDbAsking(self._server, self._keeper, deadline_ms=deadline_ms)

    def start(self, *, wait_seconds: float = START_SECONDS) -> None:
        """Bring SpiceDB level, and keep it so. Waits for that, but not for ever: a server that is away is
        looked after when it is back."""
        self._keeper.start(wait_seconds=wait_seconds)

    @property
    def fault(self) -> str | None:
        """See RelationStore. Asks the server, which may have gone since the last check."""
        try:
            self._server.schema(self._deadline_ms / 1000)
        except SpiceDbFailed as failed:
            self._keeper.ask(fault=failed.detail)
        return self._keeper.fault

    def check_bulk(
        self, tenant_id: UUID, checks: Sequence[PermissionCheck]
    ) -> tuple[PermissionDecision, ...]:
        """See RelationStore."""
        answers = Answers(self.engine, self._schema, checks)
        if not answers.sensible:
            return answers.decided(())
        found: Sequence[bool | str | None]
        try:
            found = self._asking.found(tenant_id, answers)
        except SpiceDbFailed as failed:
            self._keeper.ask(fault=failed.detail)
            found = [failed.detail] * len(answers.sensible)
        return answers.decided(found, otherwise=BEHIND)

    def write(
        self,
        tenant_id: UUID,
        *,
        touch: Sequence[Relationship] = (),
        delete: Sequence[Relationship] = (),
    ) -> None:
        """See RelationStore."""
        wanted, unwanted = writable(self._schema, touch, delete)
        revision = relation_revisions.locked(tenant_id)
        relation_rows.change(tenant_id, wanted, unwanted)
        try:
            reached = self._follow(tenant_id, revision, wanted, unwanted)
        except SpiceDbFailed as failed:
            self._keeper.ask(tenant_id, fault=failed.detail)
            raise
        relation_revisions.keep(tenant_id, reached)

    def read(self, tenant_id: UUID, wanted: RelationshipFilter, *, limit: int) -> tuple[Relationship, ...]:
        """See RelationStore."""
        return relation_rows.select(tenant_id, wanted, limit=limit)

    def synchronise(self, tenant_id: UUID) -> Synchronised:
        """See RelationStore. Compares every relationship, whatever the revisions say."""
        schema_written = self._writing.ensure_schema()
        relation_revisions.locked(tenant_id)
        everything = relation_rows.select(tenant_id, RelationshipFilter())
        reached, done = self._writing.level(tenant_id, everything)
        relation_revisions.keep(tenant_id, reached)
        if schema_written:
            self._keeper.ask()
        return replace(done, schema_written=schema_written)

    def close(self) -> None:
        """See RelationStore."""
        self._keeper.stop()
        self._server.close()

    def _follow(
        self,
        tenant_id: UUID,
        leaving: Revision,
        touch: Sequence[Relationship],
        delete: Sequence[Relationship],
    ) -> Revision:
        if leaving.id is not None and len(touch) + len(delete) <= LARGEST_STEP:
            try:
                return self._writing.follow(
                    tenant_id, leaving.id, leaving.previous, touch=touch, delete=delete
                )
            except SpiceDbFailed as failed:
                if not failed.answered:
                    raise
        self._writing.ensure_schema()
        return self._writing.level(tenant_id, relation_rows.select(tenant_id, RelationshipFilter()))[0]
