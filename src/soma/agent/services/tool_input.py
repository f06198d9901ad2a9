"""What the policy is asked about a tool."""

from soma.agent.domain.capsule import Capsule
from soma.agent.domain.tool import ToolSpec
from soma.base.tenancy import Principal
from soma.policy.api import PolicyInput


def tool_input(principal: Principal, capsule: Capsule, tool: ToolSpec, iteration: int) -> PolicyInput:
    """May `principal` have `tool` executed in this iteration, counted from 0, of a turn of `capsule`?"""
    return PolicyInput(
        action="tool:execute",
        principal=principal,
        resource={
            "type": "tool",
            "tenant_id": str(capsule.tenant_id),
            "tool": tool.name,
            "enabled": tool.enabled,
        },
        context={
            "agent_id": str(capsule.id),
            "capabilities": [each.name for each in capsule.tools],
            "iteration": iteration,
            "max_iterations": capsule.loop.max_iterations,
        },
    )
