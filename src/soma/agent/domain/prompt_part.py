"""A prompt, part by part, with the lane that each part is in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from soma.agent.domain.prompt import EVIDENCE_HEADING, PromptParts


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptPart:
    """A text of a prompt. `id` is the message's or the memory's that it is; the question itself, which stands
    beside the lanes, is in none (""). `role` is whose message it stands in."""

    lane: str
    role: str
    id: str
    text: str
    tokens: int


def prompt_parts(kept: PromptParts, tokens: Callable[[str], int]) -> Iterator[PromptPart]:
    """The parts of the prompt of an answer, in its order."""
    yield _part("system", "system", "", kept.system_prompt, tokens)
    if kept.evidence:
        yield _part("system", "system", "", EVIDENCE_HEADING, tokens)
    for block in kept.evidence:
        yield _part("memory", "system", block.id, block.sentence(), tokens)
    for message in kept.history:
        yield _part("history", message.role, str(message.id), message.content, tokens)
    yield _part("", "user", "", kept.user_message, tokens)


def _part(lane: str, role: str, identity: str, text: str, tokens: Callable[[str], int]) -> PromptPart:
    return PromptPart(lane=lane, role=role, id=identity, text=text, tokens=tokens(text))
