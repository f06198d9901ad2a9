"""The record of what relations did not permit: the transaction that asked for it has gone with the denial."""

from soma.base.database import tenant_transaction
from soma.base.tenancy import Principal
from soma.events.api import Event, publish
from soma.policy.api import PermissionDecision


def record_denial(principal: Principal, decision: PermissionDecision) -> None:
    """Publish `gateway.request_decided` in a transaction of its own."""
    check = decision.check
    with tenant_transaction(principal.tenant_id):
        publish(
            Event(
                tenant_id=principal.tenant_id,
                type="gateway.request_decided",
                key=str(principal.session_id),
                payload={
                    "action": check.name,
                    "user_id": str(principal.user_id),
                    "session_id": str(principal.session_id),
                    "resource": {
                        "tenant_id": str(principal.tenant_id),
                        "type": check.resource.type,
                        "id": check.resource.id,
                    },
                    "allow": decision.allow,
                    "reasons": [decision.reason],
                    "policy_hash": None,
                    "relation": {
                        "permission": check.name,
                        "engine": decision.engine,
                        "latency_ms": round(decision.latency_ms, 3),
                    },
                },
                trace_id=principal.trace_id,
            )
        )
