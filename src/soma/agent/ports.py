"""What the agent needs from outside its tier."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from soma.agent.domain.model import ModelDelta, ModelOutput, ModelRequest


class ModelPort(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """The model's name, as recorded with each turn."""

    @property
    def native_tools(self) -> bool:
        """Whether the model writes tool calls of its own accord."""

    @property
    def reproducible(self) -> bool:
        """Whether the same request, seed included, gives the same bytes again, at no cost."""

    @property
    def context_limit(self) -> int:
        """How many tokens prompt and output may have together."""

    def stream(self, request: ModelRequest, stop: asyncio.Event) -> AsyncIterator[ModelDelta | ModelOutput]:
        """Deltas as they come, then one ModelOutput. Ends early, with what there is, once `stop` is set.
        Raises ModelUnavailable."""

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, as this model counts them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolContext:
    """On whose behalf a tool runs."""

    tenant_id: UUID
    user_id: UUID
    agent_id: UUID
    conversation_id: UUID
    turn_id: UUID
    input_hash: str
    idempotency_key: str


class ToolPort(Protocol):
    """One tool."""

    @property
    def name(self) -> str:
        """The name that capabilities refer to."""

    async def execute(self, arguments: dict[str, Any], context: ToolContext) -> Any:
        """Do it; the result is a JSON value. Raises ToolFailed with a sentence the model can read."""
