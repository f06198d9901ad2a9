"""A capsule: the identity of an agent, as one signed document."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from soma.agent.domain.tool import ToolSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopSettings:
    """How the loop of an agent behaves. Tokens are the model's own; `deadline_ms` is for a whole turn."""

    max_iterations: int = 10
    convergence_threshold: float = 0.9
    refine: bool = False
    temperature: float = 0.2
    max_output_tokens: int = 256
    context_tokens: int = 768
    turn_token_budget: int = 16_384
    deadline_ms: int = 12_500
    recall_top_k: int = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Capsule:
    """What an agent is: its instructions, its loop and the tools it holds."""

    id: UUID
    tenant_id: UUID
    name: str
    version: int
    system_prompt: str
    loop: LoopSettings
    tools: tuple[ToolSpec, ...]

    def enabled_tools(self) -> tuple[ToolSpec, ...]:
        """The tools that may be offered to the model."""
        return tuple(tool for tool in self.tools if tool.enabled)

    def tool(self, name: str) -> ToolSpec | None:
        """The tool called `name`, enabled or not."""
        return next((tool for tool in self.tools if tool.name == name), None)


def manifest(name: str, version: int, system_prompt: str, loop: dict[str, Any], tools: list[str]) -> Any:
    """The part of a capsule that its signature covers, as a JSON value."""
    return {"name": name, "version": version, "system_prompt": system_prompt, "loop": loop, "tools": tools}
