"""Cutting what could go into a prompt to the lanes that it has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from soma.agent.domain.lanes import BASE_SHARES, CutItem, CutReason, LaneAllocation
from soma.agent.domain.prompt import (
    CALL_INSTRUCTION,
    EVIDENCE_HEADING,
    REVISE_INSTRUCTION,
    PromptMode,
    PromptParts,
    call_examples,
)

T = TypeVar("T")
Count = Callable[[str], int]
"""Tokens of a text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lane(Generic[T]):
    """What of a lane's items got in, the tokens they take, and what did not."""

    kept: tuple[T, ...]
    used: int
    cut: tuple[CutItem, ...]


def texts_of(mode: PromptMode, parts: PromptParts) -> list[str]:
    """The texts whose tokens `fitted` asks for."""
    if mode is PromptMode.CALL:
        return [CALL_INSTRUCTION, *(text for pair in call_examples(parts.tools) for text in pair)]
    return [
        parts.system_prompt,
        EVIDENCE_HEADING,
        *(message.content for message in parts.history),
        *(block.sentence() for block in parts.evidence),
        *(execution.sentence() for execution in parts.results),
        *((parts.draft, REVISE_INSTRUCTION) if mode is PromptMode.REVISE else ()),
    ]


def fitted(
    mode: PromptMode, parts: PromptParts, allocation: LaneAllocation, tokens: Count
) -> tuple[PromptParts, LaneAllocation]:
    """`parts` cut to their lanes, and the allocation with what was used and what was cut.

    History keeps the newest messages, evidence and results the best and first. What the system prompt
    needs beyond its lane comes out of the buffer: instructions are never cut. So does a draft that is
    revised. The user's message has its room beside the lanes. A prompt for a call shows examples alone, so
    nothing of the rest goes in, and nothing is cut.
    """
    if mode is PromptMode.CALL:
        bare = replace(parts, history=(), evidence=(), results=())
        return bare, _calling(bare, allocation, tokens)
    room = allocation.tokens
    history = _fit(
        "history",
        room["history"],
        [(each, str(each.id), tokens(each.content)) for each in parts.history[::-1]],
    )
    evidence = _fit(
        "memory", room["memory"], [(each, each.id, tokens(each.sentence())) for each in parts.evidence]
    )
    results = _fit(
        "tools",
        room["tools"],
        [(each, each.call.call_id, tokens(each.sentence())) for each in parts.results[::-1]],
    )
    instructions = tokens(parts.system_prompt) + (tokens(EVIDENCE_HEADING) if evidence.kept else 0)
    beyond = max(0, instructions - room["system"])
    draft = tokens(parts.draft) + tokens(REVISE_INSTRUCTION) if mode is PromptMode.REVISE else 0
    kept = replace(parts, history=history.kept[::-1], evidence=evidence.kept, results=results.kept[::-1])
    used = {
        "system": instructions - beyond,
        "history": history.used,
        "memory": evidence.used,
        "tools": results.used,
        "buffer": beyond + draft,
    }
    return kept, _with(allocation, used, (*history.cut, *evidence.cut, *results.cut))


def _calling(parts: PromptParts, allocation: LaneAllocation, tokens: Count) -> LaneAllocation:
    shown = sum(tokens(text) for pair in call_examples(parts.tools) for text in pair)
    used = dict.fromkeys(BASE_SHARES, 0) | {"system": tokens(CALL_INSTRUCTION), "tools": shown}
    return _with(allocation, used, ())


def _with(allocation: LaneAllocation, used: dict[str, int], cut: tuple[CutItem, ...]) -> LaneAllocation:
    lost = {lane: sum(item.tokens for item in cut if item.lane == lane) for lane in used}
    return replace(allocation, used=used, cut={lane: n for lane, n in lost.items() if n}, cut_items=cut)


def _fit(lane: str, room: int, items: Sequence[tuple[T, str, int]]) -> _Lane[T]:
    """The first of `items` (each with its id and its tokens) that fit into `room`."""
    kept: list[T] = []
    cut: list[CutItem] = []
    used = 0
    for item, identity, price in items:
        if not cut and used + price <= room:
            kept.append(item)
            used += price
        else:
            reason = CutReason.NO_ROOM if used + price > room else CutReason.BEHIND_CUT
            cut.append(CutItem(lane=lane, id=identity, tokens=price, reason=reason))
    return _Lane(kept=tuple(kept), used=used, cut=tuple(cut))
