"""Relations: asking them, writing them, and changing them by hand."""

from collections.abc import Sequence
from uuid import UUID

from soma.base.database import tenant_transaction
from soma.base.tenancy import Principal
from soma.policy.domain.permission import PermissionCheck, PermissionDecision
from soma.policy.domain.relationship import ObjectRef, Relationship, RelationshipFilter, SubjectRef
from soma.policy.domain.synchronised import Synchronised
from soma.policy.errors import PermissionDenied
from soma.policy.ports import RelationObserver, RelationStore
from soma.policy.relations.schema_file import built_in_schema
from soma.policy.services.administer_relations import (
    announce,
    permission_to_change,
    require_known,
)

ROLES = tuple(built_in_schema().definitions["tenant"].relations)
"""What a user can be in a tenant."""


class Relations:
    """The store of relations. Methods that take a tenant's id run inside its open transaction; those that
    take a principal open one."""

    def __init__(self, store: RelationStore, observer: RelationObserver | None = None) -> None:
        self._store = store
        self._observer = observer

    @property
    def engine(self) -> str:
        """Who decides: "postgres" or "spicedb"."""
        return self._store.engine

    @property
    def fault(self) -> str | None:
        """Why everything is denied, or None while relations can be asked."""
        return self._store.fault

    def close(self) -> None:
        """Let go of connections and threads."""
        self._store.close()

    def check(self, tenant_id: UUID, check: PermissionCheck) -> PermissionDecision:
        """The decision, whichever way it goes."""
        return self.check_bulk(tenant_id, [check])[0]

    def check_bulk(
        self, tenant_id: UUID, checks: Sequence[PermissionCheck]
    ) -> tuple[PermissionDecision, ...]:
        """The decisions in order, made together."""
        decisions = self._store.check_bulk(tenant_id, checks)
        if self._observer is not None:
            for decision in decisions:
                self._observer.decided(decision)
        return decisions

    def require(self, tenant_id: UUID, check: PermissionCheck) -> PermissionDecision:
        """The decision if it allows. Raises PermissionDenied if it does not."""
        decision = self.check(tenant_id, check)
        if not decision.allow:
            raise PermissionDenied(decision)
        return decision

    def write(
        self,
        tenant_id: UUID,
        *,
        touch: Sequence[Relationship] = (),
        delete: Sequence[Relationship] = (),
    ) -> None:
        """Have the one and not the other. Raises InvalidInput, Unavailable."""
        self._store.write(tenant_id, touch=touch, delete=delete)

    def give_role(self, tenant_id: UUID, user_id: UUID, role: str) -> None:
        """Make `role` what the user is in the tenant, in place of anything else. Raises InvalidInput,
        Unavailable."""
        tenant, user = ObjectRef.of("tenant", tenant_id), SubjectRef.of("user", user_id)
        given = Relationship(resource=tenant, relation=role, subject=user)
        others = [Relationship(resource=tenant, relation=each, subject=user) for each in ROLES]
        self._store.write(tenant_id, touch=[given], delete=[each for each in others if each != given])

    def read(
        self, principal: Principal, wanted: RelationshipFilter, *, limit: int = 1000
    ) -> tuple[Relationship, ...]:
        """The first relationships of the caller's tenant that agree with `wanted`."""
        with tenant_transaction(principal.tenant_id):
            return self._store.read(principal.tenant_id, wanted, limit=limit)

    def decide(self, principal: Principal, check: PermissionCheck) -> PermissionDecision:
        """The decision on anything of the caller's tenant, for whoever explains it to a person."""
        with tenant_transaction(principal.tenant_id):
            return self.check(principal.tenant_id, check)

    def grant(self, principal: Principal, relationship: Relationship) -> None:
        """Relate by hand, and tell of it. Raises Denied, InvalidInput, Unavailable."""
        with tenant_transaction(principal.tenant_id):
            self.require(principal.tenant_id, permission_to_change(principal, relationship))
            require_known(self._store, principal.tenant_id, relationship.subject)
            self._store.write(principal.tenant_id, touch=[relationship])
            announce(principal, relationship, change="granted", engine=self.engine)

    def revoke(self, principal: Principal, relationship: Relationship) -> None:
        """The opposite of `grant`, with the same conditions."""
        with tenant_transaction(principal.tenant_id):
            self.require(principal.tenant_id, permission_to_change(principal, relationship))
            self._store.write(principal.tenant_id, delete=[relationship])
            announce(principal, relationship, change="revoked", engine=self.engine)

    def synchronise(self, principal: Principal) -> Synchronised:
        """Bring a server behind the store level with the caller's tenant. Raises Unavailable."""
        with tenant_transaction(principal.tenant_id):
            return self._store.synchronise(principal.tenant_id)
