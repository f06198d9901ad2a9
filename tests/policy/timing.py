"""Decisions as in service: within 100 ms."""

import time

from soma.policy.api import Decision, PolicyEngine
from tests.policy.questions import request

DEADLINE_S = 0.1
SLACK_S = 0.5
"""What two busy cores may add."""
QUESTION = request("chat:read", "owner")


def decided(engine: PolicyEngine) -> Decision:
    """A decision, which must have come in time."""
    begun = time.perf_counter()
    decision = engine.decide(QUESTION)
    assert time.perf_counter() - begun < DEADLINE_S + SLACK_S
    return decision
