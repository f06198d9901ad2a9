"""soma.brain.domain.segment, on conversations put together from talks about known things."""

from itertools import pairwise

import numpy as np
import pytest

from soma.brain.api import Embedder
from soma.brain.domain.segment import KEPT, SegmentState
from soma.brain.kernels.changepoint.sphere import Doubles
from tests.brain.topics import TOPICS

pytestmark = pytest.mark.req("MEM-006")


def stitched(embedder: Embedder, seed: int) -> tuple[list[Doubles], list[int]]:
    """The vectors of each turn of a conversation, a question with its answer, and which turns, counted from
    1, begin a subject: all the talks in some order, each from three turns on."""
    random = np.random.default_rng(seed)
    turns, starts = list[Doubles](), list[int]()
    for topic in random.permutation(sorted(TOPICS)):
        pairs = list(zip(TOPICS[topic][::2], TOPICS[topic][1::2], strict=True))
        starts.append(len(turns) + 1)
        for pair in pairs[: random.integers(3, len(pairs) + 1)]:
            turns.append(embedder.embed(pair).astype(np.float64))
    return turns, starts


def found(turns: list[Doubles]) -> list[int]:
    """Where segments began, as it was told turn by turn, each once it was told."""
    state, told = SegmentState.beginning(turns[0].shape[1]), list[int]()
    for said in turns:
        state = state.after(said)
        told.append(state.segment().start)
    return sorted(set(told))


def test_subjects_are_found_where_they_begin(embedder: Embedder) -> None:
    there = right = claimed = near = 0
    for seed in range(12):
        turns, starts = stitched(embedder, seed)
        told = found(turns)
        assert told[0] == 1
        there, claimed = there + len(starts) - 1, claimed + len(told) - 1
        right += sum(start in told for start in starts[1:])
        near += sum(any(abs(start - each) <= 1 for each in starts[1:]) for start in told[1:])
    print(f"boundaries: recall {right / there:.3f} exact, precision {near / claimed:.3f} within a turn")
    assert right / there >= 0.7
    assert near / claimed >= 0.7


def test_one_subject_is_one_segment(embedder: Embedder) -> None:
    for talk in TOPICS.values():
        turns = [embedder.embed(pair).astype(np.float64) for pair in zip(talk[::2], talk[1::2], strict=True)]
        assert len(found(turns)) <= 2


def test_going_on_from_what_was_kept_changes_nothing(embedder: Embedder) -> None:
    turns, _ = stitched(embedder, 1)
    straight = kept = SegmentState.beginning(turns[0].shape[1])
    for said in turns:
        straight, kept = straight.after(said), SegmentState.from_bytes(kept.to_bytes()).after(said)
        assert kept.to_bytes() == straight.to_bytes()
        assert kept.segment() == straight.segment()


def test_however_long_the_conversation_its_state_is_bounded() -> None:
    random = np.random.default_rng(1)
    state, sizes = SegmentState.beginning(32), list[int]()
    for _ in range(3 * KEPT):
        vector = random.normal(size=(1, 32))
        state = state.after(vector / np.linalg.norm(vector))
        sizes.append(len(state.to_bytes()))
    assert all(one <= other for one, other in pairwise(sizes))
    assert sizes[-1] == sizes[KEPT] == max(sizes)
    assert state.segment().turns == 3 * KEPT


def test_a_turn_without_direction_is_taken_as_it_is() -> None:
    opposite = np.array([[1.0, 0.0, 0.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0, 0.0]])
    segment = SegmentState.beginning(5).after(opposite).segment()
    assert (segment.start, segment.turns) == (1, 1)
    assert segment.change_probability == pytest.approx(1.0)
