"""What a policy answered."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Allowed or not, and why.

    `reasons` are sentences that begin with the name of the rule. `policy_hash` is the SHA-256 of the
    policy that decided (hex), empty when none could be read. `latency_ms` is wall time in milliseconds.
    `decision_id` is the entry in the engine's own decision log, where it keeps one.
    """

    allow: bool
    reasons: tuple[str, ...]
    policy_hash: str
    latency_ms: float
    decision_id: str | None = None
