"""soma.fractalmemory.kernels.bm25"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.fractalmemory.kernels.bm25 import best, idf, scores

pytestmark = pytest.mark.req("MEM-002")


def columns(*postings: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    numbers, frequencies, lengths = np.array(postings, np.int64).reshape(-1, 3).T
    return numbers, frequencies, lengths


def test_it_is_the_published_formula() -> None:
    # N = 3, mean length 4; "cat" in records 5 (twice, of length 6) and 9 (once, of 2)
    numbers, values = scores([columns((5, 2, 6), (9, 1, 2))], records=3, mean_length=4.0, k1=1.2, b=0.75)

    weight = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    long = weight * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 6 / 4))
    short = weight * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 4))
    assert numbers.tolist() == [5, 9]
    assert values.tolist() == pytest.approx([long, short], rel=1e-12)


def test_terms_add_up_and_what_nobody_holds_adds_nothing() -> None:
    first, second = columns((3, 1, 5), (8, 1, 5)), columns((8, 2, 5))
    of: dict[str, Any] = {"records": 10, "mean_length": 5.0, "k1": 0.9, "b": 0.4}

    numbers, values = scores([first, columns(), second], **of)

    assert numbers.tolist() == [3, 8]
    alone = {n: v for term in (first, second) for n, v in zip(*scores([term], **of), strict=True)}
    assert values[1] == pytest.approx(scores([first], **of)[1][1] + alone[8], rel=1e-12)
    assert scores([columns()], **of)[0].tolist() == []


def test_a_term_that_everybody_holds_still_counts_for_something() -> None:
    assert idf(5, np.array([5.0, 1.0])).min() > 0.0


@given(values=st.lists(st.sampled_from([0.5, 1.0, 1.5, 2.0]), max_size=30), limit=st.integers(0, 12))
def test_the_best_are_those_that_sorting_gives(values: list[float], limit: int) -> None:
    numbers = np.arange(len(values), dtype=np.int64) * 3

    found = best(numbers, np.array(values), limit)

    assert (
        found.tolist() == sorted(numbers.tolist(), key=lambda number: (-values[number // 3], number))[:limit]
    )
