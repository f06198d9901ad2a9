"""Looking things up in memory, on the model's own wish."""

from typing import Any

from soma.agent.ports import ToolContext
from soma.base.database import DatabaseThreads
from soma.brain.api import Brain, RecallRequest


class MemoryRecallTool:
    """Recalls what was said before."""

    name = "memory_recall"

    def __init__(self, brain: Brain, database: DatabaseThreads) -> None:
        self._brain = brain
        self._database = database

    async def execute(self, arguments: dict[str, Any], context: ToolContext) -> Any:
        """{"query": text} -> {"memories": [text, …]}, best first, each with its date and who said it."""
        request = RecallRequest(
            tenant_id=context.tenant_id,
            agent_id=str(context.agent_id),
            namespace=str(context.user_id),
            query=arguments["query"],
            exclude_input_hash=context.input_hash,
            conversation_id=context.conversation_id,
        )
        found = await self._database.run(self._brain.recall, request)
        return {
            "memories": [
                f"{block.content} ({block.role}, {block.occurred_at:%Y-%m-%d})" for block in found.evidence
            ]
        }
