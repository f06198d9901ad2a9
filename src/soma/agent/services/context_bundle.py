"""What a message would meet if it were sent now: the context bundle (brain.md)."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from soma.agent.domain.capsule import Capsule
from soma.agent.domain.fitting import fitted
from soma.agent.domain.lanes import LANE_WEIGHTS, CutItem, LaneAllocation
from soma.agent.domain.measures import Measures
from soma.agent.domain.message import Message
from soma.agent.domain.prompt import PromptMode, PromptParts
from soma.agent.domain.prompt_part import PromptPart, prompt_parts
from soma.agent.ports import ModelPort
from soma.agent.services.candidates import candidates
from soma.agent.services.capsules import UNUSED
from soma.agent.services.directives import Directive
from soma.agent.services.evidence_blocks import blocks
from soma.agent.services.plan import INITIAL_WEIGHTS, allocation_of, check_room, counted, situation
from soma.base.errors import LimitExceeded
from soma.brain.api import (
    Evidence,
    LearnedState,
    Modulation,
    Neuromodulators,
    Recall,
    Segment,
    Suggestion,
    Weights,
    suggest,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneBudget:
    """A lane: `weight` is that of its learned weight to the initial one (1 for the buffer, which has none),
    `share` what it gets of the budget, `tokens` how many these are, `used` how many are filled."""

    lane: str
    weight: float
    share: float
    tokens: int
    used: int
    cut: tuple[CutItem, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextBundle:
    """Evidence, directives, prompt, lanes, learned state, segment, and the planner's suggestions. `agent_id`
    is None for the default agent before its first use; `segment` before the conversation's first
    consolidated turn, and without a conversation."""

    agent_id: UUID | None
    agent: str
    model: str
    evidence: tuple[Evidence, ...]
    novelty: float
    directives: tuple[Directive, ...]
    prompts: tuple[PromptPart, ...]
    budget: int
    lanes: tuple[LaneBudget, ...]
    weights: Weights
    neuromodulators: Neuromodulators
    segment: Segment | None
    suggestions: tuple[Suggestion, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; ids and moments are left to whoever writes it."""
        shown = {name: getattr(self, name) for name in ("agent_id", "agent", "model", "novelty")}
        segment = self.segment
        return {
            **shown,
            "evidence": [asdict(each) for each in self.evidence],
            "directives": [asdict(each) for each in self.directives],
            "prompts": [asdict(each) for each in self.prompts],
            "lane_budget": {"budget": self.budget, "lanes": [asdict(each) for each in self.lanes]},
            "weights": self.weights.to_dict(),
            "neuromodulators": self.neuromodulators.to_dict(),
            "segment": None if segment is None else {**asdict(segment), "length": segment.length},
            "suggestions": [each.to_dict() for each in self.suggestions],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounds:
    """What stands before anything is recalled."""

    capsule: Capsule
    history: tuple[Message, ...]
    learned: LearnedState
    modulation: Modulation
    model: ModelPort
    measures: Measures
    directives: tuple[Directive, ...]
    top_k: int
    budget: int


async def context_bundle(
    query: str, grounds: Grounds, found: Recall, segment: Segment | None
) -> ContextBundle:
    """The bundle of `query`. Raises LimitExceeded where the model has no room for it."""
    capsule, learned, model = grounds.capsule, grounds.learned, grounds.model
    parts = PromptParts(
        system_prompt=capsule.system_prompt,
        user_message=query,
        history=grounds.history,
        evidence=blocks(found.evidence, grounds.history),
        results=(),
        tools=(),
    )
    counts = await counted(model, parts, PromptMode.ANSWER)
    _check_budget(counts[query], grounds, model)
    granted = allocation_of(grounds.budget, learned, grounds.modulation)
    kept, allocation = fitted(PromptMode.ANSWER, parts, granted, counts.__getitem__)
    allowed = {each.target for each in grounds.directives if each.action == "tool:execute" and each.allows}
    met = situation(
        parts,
        granted,
        counts,
        more=grounds.top_k if len(found.evidence) >= grounds.top_k else 0,
        tools=tuple(tool for tool in capsule.enabled_tools() if tool.name in allowed),
        loop=capsule.loop,
        measures=grounds.measures,
    )
    known = {block.id for block in parts.evidence}
    return ContextBundle(
        agent_id=None if capsule.id == UNUSED else capsule.id,
        agent=capsule.name,
        model=model.name,
        evidence=tuple(each for each in found.evidence if str(each.record_id) in known),
        novelty=found.novelty,
        directives=grounds.directives,
        prompts=tuple(prompt_parts(kept, counts.__getitem__)),
        budget=grounds.budget,
        lanes=_lanes(allocation, learned.weights),
        weights=learned.weights,
        neuromodulators=learned.neuromodulators,
        segment=segment,
        suggestions=suggest(candidates(met), learned.weights),
    )


def _check_budget(tokens: int, grounds: Grounds, model: ModelPort) -> None:
    loop = grounds.capsule.loop
    check_room(tokens, loop, min(grounds.budget, loop.context_tokens), model)
    room = model.context_limit - loop.max_output_tokens - tokens
    if grounds.budget > room:
        raise LimitExceeded("token_budget", maximum=room, actual=grounds.budget, unit="tokens of this model")


def _lanes(allocation: LaneAllocation, weights: Weights) -> tuple[LaneBudget, ...]:
    standing = weights.to_dict()
    named = {lane: standing[name] / INITIAL_WEIGHTS[name] for lane, name in LANE_WEIGHTS.items()}
    return tuple(
        LaneBudget(
            lane=lane,
            weight=named.get(lane, 1.0),
            share=allocation.shares[lane],
            tokens=tokens,
            used=allocation.used[lane],
            cut=tuple(item for item in allocation.cut_items if item.lane == lane),
        )
        for lane, tokens in allocation.tokens.items()
    )
