"""Payloads that keep every schema, and events made of them."""

from typing import Any
from uuid import UUID

from soma.base.canonical import json_bytes
from soma.base.ids import new_id
from soma.events.api import Event
from soma.events.event import PendingEvent
from soma.events.schema_catalogue import EventSchema, schema_of

HASH = "0f" * 32
WEIGHTS = {"alpha": 1.0, "beta": 0.2, "gamma": 0.1, "tau": 0.7, "lambda": 1.0, "mu": 0.1, "nu": 0.05}
NEUROMODULATORS = {"dopamine": 0.5, "serotonin": 0.5, "norepinephrine": 0.5, "acetylcholine": 0.5}
ID = "01980000-0000-7000-8000-000000000001"

PAYLOADS: dict[str, dict[str, Any]] = {
    "chat.turn_started": {
        "turn_id": ID,
        "conversation_id": ID,
        "user_id": ID,
        "agent_id": "default",
        "capsule_version": "1.0.0",
        "input_hash": HASH,
        "seed": 7,
        "model": "SmolLM2-135M",
    },
    "chat.iteration_completed": {
        "turn_id": ID,
        "conversation_id": ID,
        "agent_id": "default",
        "iteration": 0,
        "state": "completed",
        "confidence": 0.9,
        "confidence_source": "logprobs",
        "convergence_score": 0.9,
        "success_factor": 1.0,
        "tool_utility": 1.0,
        "decision": "continue",
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "output_hash": HASH,
        "prompt_hash": HASH,
        "tools_used": ["calculator"],
        "weights_before": WEIGHTS,
        "weights_after": WEIGHTS,
        "weight_deltas": WEIGHTS,
        "neuromodulators_before": NEUROMODULATORS,
        "neuromodulators_after": NEUROMODULATORS,
        "reward": -0.1,
        "prediction_error": 0.2,
        "salience": 0.4,
        "learning_applied": True,
        "latency_ms": 12.5,
    },
    "chat.turn_completed": {
        "turn_id": ID,
        "conversation_id": ID,
        "agent_id": "default",
        "message_id": ID,
        "input_hash": HASH,
        "output_hash": HASH,
        "iterations": 1,
        "exit_reason": "converged",
        "confidence": 0.9,
        "convergence_score": 0.9,
        "tools_used": [],
        "tool_success_rate": None,
        "weights_before": WEIGHTS,
        "weights_after": WEIGHTS,
        "neuromodulators_after": NEUROMODULATORS,
        "context_tokens": 100,
        "completion_tokens": 10,
        "latency_ms": 12.5,
        "first_token_ms": 3.5,
        "degraded_reasons": [],
        "capsule_version": "1.0.0",
        "model": "SmolLM2-135M",
    },
    "chat.turn_failed": {"turn_id": ID, "conversation_id": ID, "code": "model_failed", "detail": "no answer"},
    "tool.executed": {
        "turn_id": ID,
        "iteration": 0,
        "call_id": "call-1",
        "tool": "calculator",
        "arguments_hash": HASH,
        "status": "ok",
        "decision": "allow",
        "reasons": [],
        "policy_hash": HASH,
        "output_hash": HASH,
        "latency_ms": 1.5,
    },
    "gateway.request_decided": {
        "action": "conversation:write",
        "method": "POST",
        "path": "/api/v2/chat/conversations",
        "allow": True,
        "reasons": [],
        "policy_hash": HASH,
        "user_id": ID,
        "session_id": ID,
        "resource": {"kind": "conversation"},
    },
    "memory.remember_requested": {
        "turn_id": ID,
        "conversation_id": ID,
        "agent_id": "default",
        "namespace": "conversation",
        "evidence": [ID],
        "items": [
            {
                "key": "turn:1:user",
                "content": "The harbour opens at six.",
                "role": "user",
                "occurred_at": "2026-01-02T03:04:05.000006Z",
                "importance": 0.5,
                "input_hash": HASH,
            }
        ],
    },
    "memory.evidence_used": {
        "turn_id": ID,
        "conversation_id": ID,
        "agent_id": "default",
        "namespace": "conversation",
        "entries": [ID],
        "used": [ID],
    },
    "learning.feedback_given": {
        "turn_id": ID,
        "conversation_id": ID,
        "agent_id": "default",
        "user_id": ID,
        "feedback_id": ID,
        "revision": 0,
        "replaces": None,
        "thumb": "up",
        "rating": None,
        "score": 1.0,
        "corrected": False,
        "credited": {
            "evidence": {"relevant": [ID], "irrelevant": []},
            "tools": [{"tool": "calculator", "calls": 2, "ok": 1}],
            "models": [{"model": "SmolLM2-135M", "iterations": 1}],
        },
        "learning": {
            "checkpoint": 1,
            "reward": 0.9,
            "prediction_error": 0.4,
            "applied": True,
            "ranking_applied": True,
        },
    },
    "learning.rolled_back": {
        "agent_id": "default",
        "checkpoint": 3,
        "checkpoint_hash": HASH * 2,
        "returns_to": 1,
        "returns_to_hash": HASH * 2,
        "turn_id": ID,
        "reason": "asked",
        "user_id": ID,
    },
    "policy.relation_changed": {
        "change": "granted",
        "resource": f"conversation:{ID}",
        "relation": "viewer",
        "subject": f"user:{ID}",
        "user_id": ID,
        "session_id": ID,
        "engine": "postgres",
    },
    "memory.capsule.uploaded": {
        "capsule_id": ID,
        "version": 1,
        "name": "handbook",
        "issuer": HASH,
        "policy_hash": HASH,
        "digest": HASH,
        "blocks": 3,
        "bytes": 900,
        "user_id": ID,
    },
    "memory.capsule.revoked": {
        "capsule_id": ID,
        "version": 1,
        "digest": HASH,
        "reason": "out of date",
        "deleted": 3,
        "user_id": ID,
    },
    "chat.turn_replayed": {
        "turn_id": ID,
        "user_id": ID,
        "mode": "verify",
        "verdict": "diverged",
        "diverged_at": "iteration 1, learn",
    },
    "identity.session_minted": {"session_id": ID, "user_id": ID},
    "identity.session_revoked": {"session_id": ID, "user_id": ID},
    "constitution.updated": {"version": 2, "hash": HASH},
    "settings.changed": {"version": 2, "version_hash": HASH},
    "mode.changed": {"variable": "SOMAGENT_MODE", "mode": "PRODUCTION"},
    "conversation.created": {"conversation_id": ID, "agent_id": ID, "user_id": ID},
    "agent.routing_decided": {"provider": "local", "scores": {"local": 0.7}, "context_hash": HASH},
}

_ASKED = PAYLOADS["memory.remember_requested"]["items"]
LATER_VERSIONS: dict[tuple[str, int], dict[str, Any]] = {
    ("chat.iteration_completed", 2): {"attempt": 1, "record_hash": HASH},
    ("memory.remember_requested", 2): {
        "items": [
            {**{name: value for name, value in item.items() if name != "content"}, "content_hash": HASH}
            for item in _ASKED
        ]
    },
    ("chat.turn_completed", 2): {"checkpoint": 3, "checkpoint_hash": 2 * HASH},
}
"""What a payload has more than that of the first version."""


def sample(schema: EventSchema) -> dict[str, Any]:
    """A payload that keeps `schema`."""
    return {**PAYLOADS[schema.type], **LATER_VERSIONS.get((schema.type, schema.version), {})}


def failed_turn(tenant_id: UUID, detail: str, *, key: str = "turn-1") -> Event:
    """An event that is easy to tell from others: its detail is `detail`."""
    payload = {**PAYLOADS["chat.turn_failed"], "turn_id": str(new_id()), "detail": detail}
    return Event(tenant_id=tenant_id, type="chat.turn_failed", key=key, payload=payload)


def pending(event: Event) -> PendingEvent:
    """`event` as the relay takes it from the outbox."""
    return PendingEvent(
        outbox_id=0,
        event_id=event.event_id,
        tenant_id=event.tenant_id,
        topic=schema_of(event.type, event.version).topic,
        type=event.type,
        version=event.version,
        key=event.key,
        payload=json_bytes(event.payload).decode(),
        trace_id=event.trace_id,
        occurred_at=event.occurred_at,
        attempts=0,
    )
