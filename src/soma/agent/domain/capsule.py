"""A capsule: the identity of an agent, as one signed document."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from soma.agent.domain.tool import ToolExample, ToolSpec


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


def document_of_capsule(capsule: Capsule) -> dict[str, Any]:
    """All of a capsule, as a JSON object."""
    tools = [{**asdict(tool), "triggers": list(tool.triggers)} for tool in capsule.tools]
    for tool in tools:
        tool["examples"] = list(tool["examples"])
    return {
        "id": str(capsule.id),
        "tenant_id": str(capsule.tenant_id),
        "name": capsule.name,
        "version": capsule.version,
        "system_prompt": capsule.system_prompt,
        "loop": asdict(capsule.loop),
        "tools": tools,
    }


def capsule_of_document(document: dict[str, Any]) -> Capsule:
    """The inverse of document_of_capsule."""
    return Capsule(
        id=UUID(document["id"]),
        tenant_id=UUID(document["tenant_id"]),
        name=document["name"],
        version=document["version"],
        system_prompt=document["system_prompt"],
        loop=LoopSettings(**document["loop"]),
        tools=tuple(_tool(each) for each in document["tools"]),
    )


def _tool(document: dict[str, Any]) -> ToolSpec:
    examples = tuple(ToolExample(**example) for example in document["examples"])
    return ToolSpec(**{**document, "triggers": tuple(document["triggers"]), "examples": examples})
