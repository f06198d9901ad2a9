"""The record of what the policy answered at the edge."""

from soma.base.database import tenant_transaction
from soma.events.api import Event, publish
from soma.policy.api import Decision, PolicyInput


def record_decision(asked: PolicyInput, decision: Decision) -> None:
    """Publish `gateway.audit` in a transaction of its own. Blocking: call it on a database thread."""
    principal = asked.principal
    with tenant_transaction(principal.tenant_id):
        publish(
            Event(
                tenant_id=principal.tenant_id,
                type="gateway.request_decided",
                key=str(principal.session_id),
                payload={
                    "action": asked.action,
                    "user_id": str(principal.user_id),
                    "session_id": str(principal.session_id),
                    "resource": dict(asked.resource),
                    "allow": decision.allow,
                    "reasons": list(decision.reasons),
                    "policy_hash": decision.policy_hash or None,
                    "decision_id": decision.decision_id,
                },
                trace_id=principal.trace_id,
            )
        )
