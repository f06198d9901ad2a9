"""What does not fit its lane is named, with the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.agent.domain.fitting import fitted, texts_of
from soma.agent.domain.lanes import BASE_SHARES, LaneAllocation
from soma.agent.domain.prompt import PromptMode, compose
from tests.agent.domain.test_prompt import parts, words

pytestmark = pytest.mark.req("CTX-001", "CTXB-001")


def granted(**tokens: int) -> LaneAllocation:
    """Lanes of so many tokens; the others have none."""
    return LaneAllocation(budget=sum(tokens.values()), tokens=dict.fromkeys(BASE_SHARES, 0) | tokens)


def test_what_is_cut_is_named_with_its_tokens_and_why() -> None:
    everything = parts(["one", "two two", "three"], ["best", "second best of all", "third"])

    _, allocation = fitted(
        PromptMode.ANSWER, everything, granted(system=9, history=3, memory=9, buffer=5), words
    )

    first, second, third = everything.evidence
    assert [item.to_dict() for item in allocation.cut_items] == [
        {"lane": "history", "id": str(everything.history[0].id), "tokens": 1, "reason": "no_room"},
        {"lane": "memory", "id": second.id, "tokens": 8, "reason": "no_room"},
        {"lane": "memory", "id": third.id, "tokens": 5, "reason": "no_room"},
    ]
    assert allocation.cut == {"history": 1, "memory": 13}
    assert allocation.used == {"system": 8, "history": 3, "memory": words(first.sentence()), "tools": 0} | {
        "buffer": 0
    }


def test_what_would_have_fitted_behind_one_that_did_not_says_so() -> None:
    everything = parts([], ["best", "second best of all and very long", "third"])
    lanes = granted(system=9, memory=10)

    _, allocation = fitted(PromptMode.ANSWER, everything, lanes, words)

    assert [item.reason for item in allocation.cut_items] == ["no_room", "behind_cut"]


def test_instructions_beyond_their_lane_and_a_draft_come_out_of_the_buffer() -> None:
    everything = parts([], [])

    _, allocation = fitted(PromptMode.REVISE, everything, granted(system=1), words)

    assert allocation.used["system"] == 1
    assert allocation.used["buffer"] == 1 + words("so so") + words(
        "Check your answer for mistakes, then write only the improved answer."
    )


def test_a_prompt_for_a_call_holds_examples_alone() -> None:
    everything = parts(["one"], ["best"])

    kept, allocation = fitted(PromptMode.CALL, everything, granted(), words)

    assert compose(PromptMode.CALL, kept).messages == compose(PromptMode.CALL, everything).messages
    assert allocation.cut_items == ()
    assert allocation.used["tools"] > 0
    assert allocation.used["history"] == allocation.used["memory"] == 0


@given(
    history=st.lists(st.text(max_size=20), max_size=8),
    memories=st.lists(st.text(max_size=20), max_size=5),
    mode=st.sampled_from(list(PromptMode)),
    room=st.integers(0, 40),
)
def test_nothing_is_lost_between_kept_and_cut(
    history: list[str], memories: list[str], mode: PromptMode, room: int
) -> None:
    everything = parts(history, memories)
    counts = {text: words(text) for text in texts_of(mode, everything)}
    lanes = granted(**dict.fromkeys(BASE_SHARES, room))

    kept, allocation = fitted(mode, everything, lanes, counts.__getitem__)

    assert all(allocation.used[lane] <= room for lane in ("history", "memory"))
    if mode is not PromptMode.CALL:
        ids = {item.id for item in allocation.cut_items}
        assert ids.isdisjoint({block.id for block in kept.evidence})
        assert ids | {block.id for block in kept.evidence} | {str(each.id) for each in kept.history} == {
            *(block.id for block in everything.evidence),
            *(str(each.id) for each in everything.history),
        }
