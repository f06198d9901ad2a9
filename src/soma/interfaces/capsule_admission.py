"""Whether the policy lets a genuine memory capsule in, whichever face it came through."""

from collections.abc import Callable

from soma.base.tenancy import Principal
from soma.brain.api import SignedCapsule
from soma.interfaces.audit import record_decision
from soma.interfaces.grant import grant
from soma.interfaces.runtime import Runtime


def admission(runtime: Runtime, principal: Principal, *, face: str) -> Callable[[SignedCapsule], None]:
    """Has the policy decide `memory:write` with what the capsule says of itself in the resource (capsule_id,
    capsule_version, capsule_issuer, capsule_policy_hash), and records what it decided. Raises Denied."""

    def admit(signed: SignedCapsule) -> None:
        capsule = signed.capsule
        names = {
            "capsule_id": capsule.id,
            "capsule_version": capsule.version,
            "capsule_issuer": capsule.issuer,
            "capsule_policy_hash": capsule.policy_hash,
        }
        granted = grant(runtime, principal, "memory:write", face=face, names=names)
        record_decision(granted.asked, granted.decision)

    return admit
