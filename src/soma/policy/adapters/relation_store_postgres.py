"""Relations resolved in Postgres, by the same schema that SpiceDB is given."""

from collections.abc import Sequence
from uuid import UUID

from soma.policy.adapters import relation_revisions, relation_rows
from soma.policy.adapters.relation_answers import Answers
from soma.policy.domain.permission import PermissionCheck, PermissionDecision
from soma.policy.domain.relationship import ObjectRef, Relationship, RelationshipFilter
from soma.policy.domain.synchronised import Synchronised
from soma.policy.relations.evaluation import Evaluation
from soma.policy.relations.schema import Schema
from soma.policy.relations.schema_file import built_in_schema
from soma.policy.relations.schema_rules import writable

DEADLINE_MS = 100.0
TENANT = "tenant"


class PostgresRelationStore:
    """See RelationStore. A check costs one statement for each step from the resource to the subject; what
    the subject is in its tenant comes with the first."""

    engine = "postgres"
    fault: str | None = None

    def __init__(self, schema: Schema | None = None, *, deadline_ms: float = DEADLINE_MS) -> None:
        self._schema = schema or built_in_schema()
        self._deadline_ms = deadline_ms

    def check_bulk(
        self, tenant_id: UUID, checks: Sequence[PermissionCheck]
    ) -> tuple[PermissionDecision, ...]:
        """See RelationStore."""
        answers = Answers(self.engine, self._schema, checks)
        evaluation = Evaluation(self._schema, answers.sensible, foreseen=self._foreseen(tenant_id))
        while (needs := evaluation.needs()) and answers.elapsed_ms < self._deadline_ms:
            evaluation.learn(relation_rows.fetch(tenant_id, needs))
        endless = (
            f"no answer within {self._deadline_ms:.0f} ms"
            if needs
            else "the relations go round in a circle, or deeper than 50 steps"
        )
        return answers.decided(evaluation.answers(), otherwise=endless)

    def write(
        self,
        tenant_id: UUID,
        *,
        touch: Sequence[Relationship] = (),
        delete: Sequence[Relationship] = (),
    ) -> None:
        """See RelationStore."""
        relation_rows.change(tenant_id, *writable(self._schema, touch, delete))
        relation_revisions.forget(tenant_id)

    def read(self, tenant_id: UUID, wanted: RelationshipFilter, *, limit: int) -> tuple[Relationship, ...]:
        """See RelationStore."""
        return relation_rows.select(tenant_id, wanted, limit=limit)

    def synchronise(self, tenant_id: UUID) -> Synchronised:
        """See RelationStore. There is no server behind this one."""
        return Synchronised(relationships=relation_rows.count(tenant_id))

    def close(self) -> None:
        """See RelationStore."""

    def _foreseen(self, tenant_id: UUID) -> list[ObjectRef]:
        return [ObjectRef.of(TENANT, tenant_id)] if TENANT in self._schema.definitions else []
