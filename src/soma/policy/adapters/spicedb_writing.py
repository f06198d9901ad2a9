"""Writing relations to SpiceDB, and bringing it level with the database where the two have parted."""

import logging
import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from authzed.api.v1 import (
    CheckBulkPermissionsRequest,
    Consistency,
    DeleteRelationshipsRequest,
    Precondition,
    ReadRelationshipsRequest,
    RelationshipFilter,
    RelationshipUpdate,
    WriteRelationshipsRequest,
)

from soma.base.errors import InvalidInput
from soma.base.ids import new_id
from soma.policy.adapters import spicedb_ledger as ledger
from soma.policy.adapters.relation_revisions import Revision
from soma.policy.adapters.relation_rows import row_of
from soma.policy.adapters.spicedb_messages import (
    DELETE,
    TOUCH,
    answer,
    remote_id,
    remote_row,
    row_there,
    updates,
)
from soma.policy.adapters.spicedb_server import CALL_SECONDS, SpiceDbFailed, SpiceDbServer
from soma.policy.domain.relationship import Relationship
from soma.policy.domain.synchronised import Synchronised
from soma.policy.relations.evaluation import Row
from soma.policy.relations.schema import Schema, SchemaRefused
from soma.policy.relations.schema_rules import require_valid
from soma.policy.relations.zed_parser import parse

logger = logging.getLogger(__name__)

BATCH = 1_000
"""Updates in one write: SpiceDB's own limit."""
LARGEST_STEP = BATCH - 4
"""Relationships in one write that is to be atomic, since four of its updates are the ledger's."""
DEFINITION = re.compile(r"^definition (\S+)", re.MULTILINE)
NEWEST = Consistency(fully_consistent=True)


class SpiceDbWriting:
    """Every method but `ensure_schema` belongs under the lock of the tenant's revision."""

    def __init__(self, server: SpiceDbServer, schema: Schema) -> None:
        self._server = server
        self._rules = schema
        self._whole = parse(schema.text + ledger.SCHEMA)

    def ensure_schema(self) -> bool:
        """Have our schema there; whether it had to be written. Raises SpiceDbFailed."""
        there = self._server.schema()
        if self._is_ours(there):
            return False
        try:
            self._server.write_schema(self._whole.text)
        except SpiceDbFailed as failed:
            if not failed.answered:
                raise
            # What a relation that is gone still holds is in the way. Postgres gives back what is of use.
            logger.warning("SpiceDB's relationships are in the way of the new schema: %s", failed.detail)
            for name in DEFINITION.findall(there):
                everything = RelationshipFilter(resource_type=name)
                self._server.delete(DeleteRelationshipsRequest(relationship_filter=everything))
            self._server.write_schema(self._whole.text)
        logger.info("the relation schema is written to SpiceDB")
        return True

    def follow(
        self,
        tenant_id: UUID,
        leaving: UUID,
        before: UUID | None,
        *,
        touch: Sequence[Relationship],
        delete: Sequence[Relationship],
    ) -> Revision:
        """Write at most LARGEST_STEP relationships, in one step on from the revision `leaving`, which came
        after `before`.

        Raises SpiceDbFailed: `answered` where `leaving` is not what was reached, or the schema is not ours.
        """
        reached = new_id()
        old = [ledger.reached(tenant_id, leaving)]
        if before is not None:
            old.append(ledger.left(tenant_id, before))
        new = [ledger.reached(tenant_id, reached), ledger.left(tenant_id, leaving)]
        token = self._server.write(
            WriteRelationshipsRequest(
                updates=[
                    *updates(TOUCH, [*_there(tenant_id, touch), *new]),
                    *updates(DELETE, [*_there(tenant_id, delete), *old]),
                ],
                optional_preconditions=[ledger.demand(tenant_id, leaving)],
            )
        )
        return Revision(id=reached, previous=leaving, zed_token=token)

    def level(self, tenant_id: UUID, relationships: Iterable[Relationship]) -> tuple[Revision, Synchronised]:
        """Have exactly `relationships` there, whatever there was. Raises SpiceDbFailed."""
        ours = set(_there(tenant_id, filter(self._is_allowed, relationships)))
        try:
            return self._fill(tenant_id, ours)
        except SpiceDbFailed as failed:
            if not failed.answered:
                raise
        theirs = self._rows(tenant_id)
        steps = [*updates(TOUCH, ours - theirs), *updates(DELETE, theirs - ours)]
        revision = self._write(tenant_id, steps, leaving=self._ledger(tenant_id))
        done = Synchronised(relationships=len(ours), touched=len(ours - theirs), deleted=len(theirs - ours))
        return revision, done

    def _fill(self, tenant_id: UUID, ours: set[Row]) -> tuple[Revision, Synchronised]:
        """The same for a tenant of whom nothing was ever written there: it has no ledger."""
        empty = [ledger.demand_none(tenant_id)]
        revision = self._write(tenant_id, updates(TOUCH, ours), leaving=[], conditions=empty)
        return revision, Synchronised(relationships=len(ours), touched=len(ours))

    def standing(self, tenant_id: UUID, revision: Revision) -> str | None:
        """A token of now if `revision` is what SpiceDB has reached, otherwise None. Raises SpiceDbFailed."""
        if revision.id is None:
            return None
        question = CheckBulkPermissionsRequest(
            consistency=NEWEST, items=ledger.questions(tenant_id, revision)
        )
        response = self._server.check(question, CALL_SECONDS)
        reached, _ = map(answer, response.pairs)
        return response.checked_at.token if reached is True else None

    def reached(self) -> dict[str, set[str]]:
        """The revisions that the ledgers say were reached, by the ledger's id. Raises SpiceDbFailed."""
        wanted = RelationshipFilter(resource_type=ledger.LEDGER, optional_relation="reached")
        found: dict[str, set[str]] = {}
        for row in self._read(wanted):
            found.setdefault(row[1], set()).add(row[4])
        return found

    def _write(
        self,
        tenant_id: UUID,
        steps: Sequence[RelationshipUpdate],
        *,
        leaving: Sequence[Row],
        conditions: Sequence[Precondition] = (),
    ) -> Revision:
        """Take all `steps`, to a revision of its own, from whatever the ledger's rows in `leaving` say.

        Where that takes more than one write the ledger says in between that it is unfinished, so that
        nobody believes what is there by halves.
        """
        revision, unfinished = new_id(), ledger.unfinished(tenant_id)
        reached = updates(TOUCH, [ledger.reached(tenant_id, revision)])
        left = updates(DELETE, [row for row in leaving if row != unfinished])
        batches: list[Sequence[RelationshipUpdate]]
        if unfinished not in leaving and len(left) + len(steps) + len(reached) <= BATCH:
            batches = [[*left, *steps, *reached]]
        else:
            batches = [
                [*left, *updates(TOUCH, [unfinished])],
                *(steps[begin : begin + BATCH] for begin in range(0, len(steps), BATCH)),
                [*updates(DELETE, [unfinished]), *reached],
            ]
        token = ""
        for batch in batches:
            request = WriteRelationshipsRequest(updates=batch, optional_preconditions=conditions)
            token, conditions = self._server.write(request), ()
        return Revision(id=revision, zed_token=token)

    def _rows(self, tenant_id: UUID) -> set[Row]:
        """What is there of the tenant, of every type that we know."""
        return {
            row
            for name in self._rules.definitions
            for row in self._read(
                RelationshipFilter(resource_type=name, optional_resource_id_prefix=remote_id(tenant_id, ""))
            )
        }

    def _ledger(self, tenant_id: UUID) -> list[Row]:
        return self._read(
            RelationshipFilter(
                resource_type=ledger.LEDGER, optional_resource_id=remote_id(tenant_id, ledger.KEY)
            )
        )

    def _read(self, wanted: RelationshipFilter) -> list[Row]:
        request = ReadRelationshipsRequest(consistency=NEWEST, relationship_filter=wanted)
        return [row_there(each.relationship) for each in self._server.read(request)]

    def _is_ours(self, text: str) -> bool:
        try:
            return parse(text).same_as(self._whole)
        except SchemaRefused:
            return False

    def _is_allowed(self, relationship: Relationship) -> bool:
        """A relationship that an earlier schema allowed means nothing in this one."""
        try:
            require_valid(self._rules, relationship)
        except InvalidInput:
            return False
        return True


def _there(tenant_id: UUID, relationships: Iterable[Relationship]) -> list[Row]:
    return [remote_row(tenant_id, row_of(each)) for each in relationships]
