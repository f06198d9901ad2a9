"""What the next iteration asks the model: mode, tools, lanes, prompt."""

from dataclasses import dataclass
from typing import Any

from soma.agent.domain.capabilities import required_capabilities
from soma.agent.domain.capsule import LoopSettings
from soma.agent.domain.fitting import fitted, texts_of
from soma.agent.domain.lanes import LaneAllocation, allocate
from soma.agent.domain.measures import Measures
from soma.agent.domain.model import ModelRequest
from soma.agent.domain.prompt import Prompt, PromptMode, PromptParts, calls_schema, compose
from soma.agent.domain.tool import ToolSpec
from soma.agent.ports import ModelPort
from soma.agent.services.candidates import Situation, candidates
from soma.agent.services.progress import Progress
from soma.base.errors import LimitExceeded
from soma.brain.api import LearnedState, Modulation, Weights, suggest

CALL_TOKENS = 128
FREE_REPETITION_PENALTY = 1.1
"""For text that is not to repeat anything: it took the default model from 46 % repeated word triples in a
free text to 1 %, and cost no right answer (ten plain questions: 7 either way)."""

INITIAL_WEIGHTS = Weights().to_dict()
MODEL_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A decided iteration, before the model is asked. `suggestions` are what else could be done, weighed;
    `counts` are the tokens that the model counted for it."""

    mode: PromptMode
    prompt: Prompt
    allocation: LaneAllocation
    offered: tuple[ToolSpec, ...]
    capabilities: tuple[str, ...]
    request: ModelRequest
    suggestions: tuple[dict[str, Any], ...]
    counts: tuple[int, ...]

    def lanes(self) -> dict[str, Any]:
        """The allocation as iterations keep it."""
        return self.allocation.to_dict()


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
    counts = await counted(model, parts, mode)
    loop, tokens = progress.capsule.loop, counts[parts.user_message]
    check_room(tokens, loop, loop.context_tokens, model)
    granted = _allocation(progress)
    kept, allocation = fitted(mode, parts, granted, counts.__getitem__)
    prompt = compose(mode, kept)
    return Plan(
        mode=mode,
        prompt=prompt,
        allocation=allocation,
        offered=offered,
        capabilities=required_capabilities(progress.message.content),
        request=_request(progress, prompt, offered),
        suggestions=_suggestions(progress, model, parts, granted, counts),
        counts=tuple(counts.values()),
    )


def _allocation(progress: Progress) -> LaneAllocation:
    if progress.number < len(progress.recorded):
        lanes = progress.recorded[progress.number].lanes
        return LaneAllocation(budget=lanes["budget"], tokens=lanes["tokens"], shares=lanes.get("shares", {}))
    return allocation_of(progress.capsule.loop.context_tokens, progress.learned, progress.modulation)


def allocation_of(budget: int, learned: LearnedState, modulation: Modulation) -> LaneAllocation:
    """The lanes of `budget` tokens as an agent that stands at `learned` shares them out, under the effects
    of its levels."""
    return allocate(
        budget,
        learned.weights.to_dict(),
        INITIAL_WEIGHTS,
        memory=modulation.memory_lane,
    )


def _suggestions(
    progress: Progress,
    model: ModelPort,
    parts: PromptParts,
    granted: LaneAllocation,
    counts: dict[str, int],
) -> tuple[dict[str, Any], ...]:
    """What could be done now, weighed. They are told and kept; what the model may call is `choose`'s."""
    if progress.number < len(progress.recorded):
        return progress.recorded[progress.number].suggestions
    top_k = progress.modulation.top_k(progress.capsule.loop.recall_top_k)
    found = situation(
        parts,
        granted,
        counts,
        more=top_k if len(progress.evidence) >= top_k else 0,
        tools=_callable(progress, model),
        loop=progress.capsule.loop,
        measures=progress.measures or Measures(),
    )
    return tuple(each.to_dict() for each in suggest(candidates(found), progress.learned.weights))


def situation(
    parts: PromptParts,
    granted: LaneAllocation,
    counts: dict[str, int],
    *,
    more: int,
    tools: tuple[ToolSpec, ...],
    loop: LoopSettings,
    measures: Measures,
) -> Situation:
    """What a message meets whose answer would be prompted with `parts`, fitted to the lanes `granted`."""
    kept, allocation = fitted(PromptMode.ANSWER, parts, granted, counts.__getitem__)
    return Situation(
        message=parts.user_message,
        shown=tuple(block.confidence for block in kept.evidence),
        more=more if len(kept.evidence) == len(parts.evidence) else 0,
        room=granted.tokens["memory"] - allocation.used["memory"],
        evidence_tokens=allocation.used["memory"],
        prompt_tokens=sum(allocation.used.values()) + counts[parts.user_message],
        tools=tools,
        results=parts.results,
        loop=loop,
        measures=measures,
    )


def choose(progress: Progress, model: ModelPort) -> tuple[PromptMode, tuple[ToolSpec, ...]]:
    """How to ask, and which tools to offer.

    A model with native tool calls is offered every tool. Another one is asked for a call, under a
    grammar, when the message looks like work for tools that were not asked for yet in this turn.
    """
    if progress.draft and progress.capsule.loop.refine:
        return PromptMode.REVISE, ()
    tools = _callable(progress, model)
    if model.native_tools:
        return PromptMode.NATIVE, tools
    open_tools = tuple(tool for tool in tools if tool.triggered_by(progress.message.content))
    return (PromptMode.CALL, open_tools) if open_tools else (PromptMode.ANSWER, ())


def _callable(progress: Progress, model: ModelPort) -> tuple[ToolSpec, ...]:
    """The tools that may be offered in this iteration, whatever the message is."""
    tools = progress.capsule.enabled_tools() if progress.turn.rlm else ()
    if model.native_tools:
        return tools
    if progress.number >= progress.capsule.loop.max_iterations - 1:
        return ()
    asked = {name for each in progress.iterations if each.mode == PromptMode.CALL for name in each.offered}
    return tuple(tool for tool in tools if tool.name not in asked)


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


async def counted(model: ModelPort, parts: PromptParts, mode: PromptMode) -> dict[str, int]:
    """The tokens of whatever may stand in a prompt of `mode`, or of an answer, from `parts`."""
    texts = dict.fromkeys((parts.user_message, *texts_of(mode, parts), *texts_of(PromptMode.ANSWER, parts)))
    return dict(zip(texts, await model.count_tokens(list(texts)), strict=True))


def check_room(tokens: int, loop: LoopSettings, budget: int, model: ModelPort) -> None:
    """Pass if a message of `tokens` fits the model beside `budget` tokens of context and an answer. Raises
    LimitExceeded."""
    room = model.context_limit - loop.max_output_tokens - budget
    if tokens > room:
        raise LimitExceeded("the message", maximum=room, actual=tokens, unit="tokens of this model")
