"""Prompts fit their lanes and can be made again from their recipes."""

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.agent.api import BUILTIN_TOOLS
from soma.agent.domain.evidence import EvidenceBlock
from soma.agent.domain.fitting import fitted
from soma.agent.domain.lanes import BASE_SHARES, LaneAllocation
from soma.agent.domain.message import Message
from soma.agent.domain.prompt import PromptMode, PromptParts, compose, from_recipe
from soma.agent.domain.tool import ToolCall, ToolExecution, ToolStatus
from soma.base.ids import new_id

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def message(text: str) -> Message:
    """Something said before."""
    return Message(id=new_id(), turn_id=new_id(), role="user", content=text, created_at=NOW)


def evidence(text: str) -> EvidenceBlock:
    """Something remembered."""
    return EvidenceBlock(
        id=str(new_id()),
        content=text,
        role="user",
        occurred_at=NOW,
        score=0.5,
        confidence=0.5,
        features={},
        provenance={},
    )


def parts(history: list[str], memories: list[str]) -> PromptParts:
    """The parts of a prompt."""
    return PromptParts(
        system_prompt="Be brief.",
        user_message="And now?",
        history=tuple(map(message, history)),
        evidence=tuple(map(evidence, memories)),
        results=(),
        tools=BUILTIN_TOOLS[:1],
        draft="so so",
    )


def words(text: str) -> int:
    """A token a word."""
    return len(text.split())


@pytest.mark.req("CTX-001")
def test_history_keeps_the_newest_and_memory_the_best() -> None:
    everything = parts(["one", "two two", "three"], ["best", "second best of all", "third"])
    lanes = LaneAllocation(budget=20, tokens={"system": 2, "history": 3, "memory": 5, "tools": 0})

    kept, allocation = fitted(PromptMode.ANSWER, everything, lanes, words)

    assert [each.content for each in kept.history] == ["two two", "three"]
    assert [each.content for each in kept.evidence] == ["best"]
    assert allocation.cut == {"history": 1, "memory": 13}


@pytest.mark.req("PERSIST-001")
@given(
    history=st.lists(st.text(max_size=20), max_size=8),
    memories=st.lists(st.text(max_size=20), max_size=5),
    mode=st.sampled_from(list(PromptMode)),
    room=st.integers(0, 40),
)
def test_a_recipe_makes_the_same_prompt_again(
    history: list[str], memories: list[str], mode: PromptMode, room: int
) -> None:
    everything = parts(history, memories)
    lanes = LaneAllocation(budget=100, tokens=dict.fromkeys(BASE_SHARES, room))
    kept, _ = fitted(mode, everything, lanes, words)
    prompt = compose(mode, kept)

    assert from_recipe(prompt.recipe, everything) == prompt


@pytest.mark.req("CTX-001")
def test_evidence_stands_with_its_date_under_the_instructions() -> None:
    prompt = compose(PromptMode.ANSWER, parts([], ["My dog is called Rex."]))

    assert prompt.messages[0].content.splitlines() == [
        "Be brief.",
        "What you know from earlier conversations:",
        "- (2026-01-02) user said: My dog is called Rex.",
    ]


def result(output: object, status: ToolStatus = ToolStatus.OK) -> ToolExecution:
    """What a tool gave."""
    return ToolExecution(
        call=ToolCall(call_id="1", tool="calculator", arguments={}),
        status=status,
        output=output,
        reasons=(),
        policy_hash="",
        latency_ms=1.0,
        idempotency_key="k",
        started_at=NOW,
        completed_at=NOW,
    )


@pytest.mark.req("RLM-001")
@pytest.mark.parametrize(
    ("mode", "outcome", "question"),
    [
        (
            PromptMode.ANSWER,
            result({"result": "42"}),
            'Put this into one sentence: the answer to "And now?" is 42.',
        ),
        (PromptMode.NATIVE, result({"result": "42"}), "And now?\n\nThe calculator gave the result 42."),
        (
            PromptMode.ANSWER,
            result("broken", ToolStatus.ERROR),
            "And now?\n\nThe calculator gave no result: broken.",
        ),
        (
            PromptMode.ANSWER,
            result({"memories": ["a", "b"]}),
            'Put this into one sentence: the answer to "And now?" is a; b.',
        ),
    ],
)
def test_the_model_reads_what_the_tools_gave(mode: PromptMode, outcome: ToolExecution, question: str) -> None:
    prompt = compose(mode, dataclasses.replace(parts([], []), results=(outcome,)))

    assert prompt.messages[-1].content == question
