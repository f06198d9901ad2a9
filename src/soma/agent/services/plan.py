"""What the next iteration asks the model: mode, tools, lanes, prompt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from soma.agent.domain.capabilities import required_capabilities
from soma.agent.domain.lanes import LaneAllocation, allocate
from soma.agent.domain.model import ModelRequest
from soma.agent.domain.prompt import Prompt, PromptMode, PromptParts, calls_schema, compose, fitted
from soma.agent.domain.tool import ToolSpec
from soma.agent.ports import ModelPort
from soma.agent.services.progress import Progress
from soma.base.errors import LimitExceeded
from soma.brain.api import Weights

CALL_TOKENS = 128
FREE_REPETITION_PENALTY = 1.1
"""For text that is not to repeat anything: it took the default model from 46 % repeated word triples in a
free text to 1 %, and cost no right answer (ten plain questions: 7 either way)."""

INITIAL_WEIGHTS = Weights().to_dict()
MODEL_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A decided iteration, before the model is asked."""

    mode: PromptMode
    prompt: Prompt
    allocation: LaneAllocation
    offered: tuple[ToolSpec, ...]
    capabilities: tuple[str, ...]
    request: ModelRequest

    def lanes(self) -> dict[str, Any]:
        """The allocation as iterations keep it."""
        return {
            "budget": self.allocation.budget,
            "tokens": self.allocation.tokens,
            "cut": self.allocation.cut,
        }


async def plan(progress: Progress, model: ModelPort) -> Plan:
    """The plan of the next iteration. Raises LimitExceeded when the message alone fills the model."""
    mode, offered = choose(progress, model)
    parts = PromptParts(
        system_prompt=progress.capsule.system_prompt,
        user_message=progress.message.content,
        history=progress.history,
        evidence=progress.evidence,
        results=progress.executions,
        tools=offered,
        draft=progress.draft if mode is PromptMode.REVISE else "",
    )
    counts = await _counts(parts, model)
    _check_room(counts[parts.user_message], progress, model)
    allocation = _allocation(progress)
    kept, allocation = fitted(parts, allocation, counts.__getitem__)
    prompt = compose(mode, kept)
    return Plan(
        mode=mode,
        prompt=prompt,
        allocation=allocation,
        offered=offered,
        capabilities=required_capabilities(progress.message.content),
        request=_request(progress, prompt, offered),
    )


def _allocation(progress: Progress) -> LaneAllocation:
    if progress.number < len(progress.recorded):
        lanes = progress.recorded[progress.number].lanes
        return LaneAllocation(budget=lanes["budget"], tokens=lanes["tokens"])
    return allocate(
        progress.capsule.loop.context_tokens,
        progress.learned.weights.to_dict(),
        INITIAL_WEIGHTS,
        memory=progress.modulation.memory_lane,
    )


def choose(progress: Progress, model: ModelPort) -> tuple[PromptMode, tuple[ToolSpec, ...]]:
    """How to ask, and which tools to offer.

    A model with native tool calls is offered every tool. Another one is asked for a call, under a
    grammar, when the message looks like work for tools that were not asked for yet in this turn.
    """
    tools = progress.capsule.enabled_tools() if progress.turn.rlm else ()
    if progress.draft and progress.capsule.loop.refine:
        return PromptMode.REVISE, ()
    if model.native_tools:
        return PromptMode.NATIVE, tools
    asked = {name for each in progress.iterations if each.mode == PromptMode.CALL for name in each.offered}
    open_tools = tuple(
        tool for tool in tools if tool.name not in asked and tool.triggered_by(progress.message.content)
    )
    last = progress.number >= progress.capsule.loop.max_iterations - 1
    if open_tools and not last:
        return PromptMode.CALL, open_tools
    return PromptMode.ANSWER, ()


def _request(progress: Progress, prompt: Prompt, offered: tuple[ToolSpec, ...]) -> ModelRequest:
    loop = progress.capsule.loop
    calling = prompt.mode is PromptMode.CALL
    # Where tools or memory have answered, the model is to report and not to invent.
    reporting = bool(prompt.recipe["results"] or prompt.recipe["evidence"])
    return ModelRequest(
        messages=prompt.messages,
        seed=progress.turn.seed,
        temperature=0.0 if calling or reporting else loop.temperature,
        max_tokens=CALL_TOKENS if calling else loop.max_output_tokens,
        timeout_seconds=progress.modulation.deadline(MODEL_TIMEOUT_SECONDS),
        keep_partial=progress.modulation.haste < 1.0,
        repetition_penalty=1.0 if calling or reporting else FREE_REPETITION_PENALTY,
        schema=calls_schema(offered) if calling else None,
        tools=offered if prompt.mode is PromptMode.NATIVE else (),
    )


async def _counts(parts: PromptParts, model: ModelPort) -> dict[str, int]:
    texts: Sequence[str] = [
        parts.user_message,
        *(message.content for message in parts.history),
        *(block.sentence() for block in parts.evidence),
        *(execution.sentence() for execution in parts.results),
    ]
    return dict(zip(texts, await model.count_tokens(texts), strict=True))


def _check_room(tokens: int, progress: Progress, model: ModelPort) -> None:
    loop = progress.capsule.loop
    room = model.context_limit - loop.max_output_tokens - loop.context_tokens
    if tokens > room:
        raise LimitExceeded("the message", maximum=room, actual=tokens, unit="tokens of this model")
