"""Prompts, and the recipes from which they can be made again.

A prompt is put together from parts that are stored already: the capsule, messages, evidence, tool
results. Its recipe names the parts that went in, so an iteration keeps a few ids and the prompt's hash
instead of the text, and a conversation does not grow with the square of its length. Of the history it
names how many of the newest messages went in, since a lane keeps the newest; so it does of the results, whose
ids a model may give twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from soma.agent.domain.evidence import EvidenceBlock
from soma.agent.domain.message import Message
from soma.agent.domain.model import ModelMessage
from soma.agent.domain.tool import ToolExecution, ToolSpec, ToolStatus, plain
from soma.base.canonical import canonical_bytes, json_bytes, sha256_hex

CALL_INSTRUCTION = "Turn the request into one tool call as JSON."
EVIDENCE_HEADING = "What you know from earlier conversations:"
REVISE_INSTRUCTION = "Check your answer for mistakes, then write only the improved answer."
HISTORY_LIMIT = 20


class PromptMode(StrEnum):
    """ANSWER speaks to the user; CALL must produce one tool call; NATIVE may do either, with the model's
    own tool calls; REVISE improves the draft."""

    ANSWER = "answer"
    CALL = "call"
    NATIVE = "native"
    REVISE = "revise"


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptParts:
    """Everything that may go into a prompt."""

    system_prompt: str
    user_message: str
    history: tuple[Message, ...]
    evidence: tuple[EvidenceBlock, ...]
    results: tuple[ToolExecution, ...]
    tools: tuple[ToolSpec, ...]
    draft: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What is sent to the model, and how to make it again."""

    mode: PromptMode
    messages: tuple[ModelMessage, ...]
    recipe: dict[str, Any]

    @property
    def hash(self) -> str:
        """SHA-256 of the messages as JSON: of flat texts, so that the quick encoder gives canonical bytes."""
        return sha256_hex(json_bytes([message.to_dict() for message in self.messages]))


def compose(mode: PromptMode, parts: PromptParts) -> Prompt:
    """The prompt of `mode` from `parts`."""
    messages = _call_messages(parts) if mode is PromptMode.CALL else _dialogue(mode, parts)
    return Prompt(mode=mode, messages=tuple(messages), recipe=_recipe(mode, parts))


def from_recipe(recipe: dict[str, Any], everything: PromptParts) -> Prompt:
    """The prompt that `recipe` describes, out of all the parts of its turn."""
    newest, latest = recipe["history"], len(recipe["results"])
    evidence = set(recipe["evidence"])
    tools = set(recipe["tools"])
    return compose(
        PromptMode(recipe["mode"]),
        replace(
            everything,
            history=everything.history[len(everything.history) - newest :],
            evidence=tuple(b for b in everything.evidence if b.id in evidence),
            results=everything.results[len(everything.results) - latest :],
            tools=tuple(t for t in everything.tools if t.name in tools),
            draft=everything.draft if recipe["draft"] else "",
        ),
    )


def calls_schema(tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """JSON Schema of a call of one of `tools`."""
    schemas = [tool.call_schema() for tool in tools]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def call_examples(tools: Sequence[ToolSpec]) -> list[tuple[str, str]]:
    """Requests, and the calls of `tools` that answer them, as a model is shown them."""
    return [
        (example.request, canonical_bytes({"tool": tool.name, "arguments": example.arguments}).decode())
        for tool in tools
        for example in tool.examples
    ]


def _call_messages(parts: PromptParts) -> list[ModelMessage]:
    messages = [ModelMessage(role="system", content=CALL_INSTRUCTION)]
    for request, call in call_examples(parts.tools):
        messages.append(ModelMessage(role="user", content=request))
        messages.append(ModelMessage(role="assistant", content=call))
    messages.append(ModelMessage(role="user", content=parts.user_message))
    return messages


def _dialogue(mode: PromptMode, parts: PromptParts) -> list[ModelMessage]:
    messages = [ModelMessage(role="system", content=_system(parts))]
    messages += [ModelMessage(role=message.role, content=message.content) for message in parts.history]
    messages.append(ModelMessage(role="user", content=_question(mode, parts)))
    if mode is PromptMode.REVISE:
        messages.append(ModelMessage(role="assistant", content=parts.draft))
        messages.append(ModelMessage(role="user", content=REVISE_INSTRUCTION))
    return messages


def _system(parts: PromptParts) -> str:
    if not parts.evidence:
        return parts.system_prompt
    return "\n".join([parts.system_prompt, EVIDENCE_HEADING, *(block.sentence() for block in parts.evidence)])


def _question(mode: PromptMode, parts: PromptParts) -> str:
    """The user's message with what the tools gave.

    A model with native tool calls gets the results beside the question. A small one gets the question
    answered: of 21 questions with their results, the default model's answer carried the result in all 21
    with this wording, in 15 with "[calculator(7 * 6) = 42]" after the question, in 11 with the result
    under the instructions.
    """
    if not parts.results:
        return parts.user_message
    given = [plain(one.output) for one in parts.results if one.status is ToolStatus.OK]
    if mode is PromptMode.ANSWER and given:
        return f'Put this into one sentence: the answer to "{parts.user_message}" is {" and ".join(given)}.'
    return f"{parts.user_message}\n\n{' '.join(execution.sentence() for execution in parts.results)}"


def _recipe(mode: PromptMode, parts: PromptParts) -> dict[str, Any]:
    return {
        "mode": mode.value,
        "history": len(parts.history),
        "evidence": [block.id for block in parts.evidence],
        "results": [execution.call.call_id for execution in parts.results],
        "tools": [tool.name for tool in parts.tools],
        "draft": bool(parts.draft),
    }
