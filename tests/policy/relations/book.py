"""A store of relations as tests speak to it: in the schema's own notation."""

import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from soma.base.database import tenant_transaction
from soma.policy.api import PermissionCheck, PermissionDecision, Relationship, RelationStore
from soma.policy.relations.schema import Schema
from soma.policy.relations.schema_file import BUILT_IN
from soma.policy.relations.zed_parser import parse

PATIENT_MS = 10_000.0
"""What a store answers is tested with this limit; that it keeps its own is tested apart."""
LEVEL_SECONDS = 20.0


def whole_schema() -> Schema:
    """The schema that is delivered, and the definitions of things.zed."""
    return parse(BUILT_IN.read_text() + (Path(__file__).parent / "things.zed").read_text())


def asked(text: str) -> PermissionCheck:
    """The check that `conversation:1#write@user:ann` asks for."""
    relationship = Relationship.parse(text)
    return PermissionCheck(
        resource=relationship.resource, permission=relationship.relation, subject=relationship.subject
    )


class Book:
    """The relations of one tenant in a store. `{tenant}` in a text stands for the tenant's id."""

    def __init__(self, store: RelationStore, tenant: UUID) -> None:
        self.store = store
        self.tenant = tenant

    def write(self, *texts: str, delete: Sequence[str] = ()) -> None:
        """Write and delete, in a transaction of their own."""
        with tenant_transaction(self.tenant):
            self.store.write(self.tenant, touch=self.parsed(*texts), delete=self.parsed(*delete))

    def decide(self, *texts: str) -> list[PermissionDecision]:
        """What becomes of these checks, in one bulk."""
        with tenant_transaction(self.tenant):
            return self.decide_here(*texts)

    def decide_here(self, *texts: str) -> list[PermissionDecision]:
        """The same inside the transaction that is open."""
        checks = [asked(self._whole(text)) for text in texts]
        return list(self.store.check_bulk(self.tenant, checks))

    def may(self, text: str) -> bool:
        """Whether one check is allowed."""
        return self.decide(text)[0].allow

    def reason(self, text: str) -> str:
        """Why one check is denied."""
        decision = self.decide(text)[0]
        assert not decision.allow, text
        return decision.reason

    def decide_until_level(self, text: str) -> PermissionDecision:
        """What becomes of one check, once the store has noticed what a rolled-back transaction left."""
        deadline = time.monotonic() + LEVEL_SECONDS
        while True:
            decision = self.decide(text)[0]
            if not decision.failed or time.monotonic() > deadline:
                return decision

    def parsed(self, *texts: str) -> list[Relationship]:
        """The relationships that the texts spell."""
        return [Relationship.parse(self._whole(text)) for text in texts]

    def _whole(self, text: str) -> str:
        return text.replace("{tenant}", str(self.tenant))
