"""soma.fractalmemory.kernels.posting_block"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.fractalmemory.kernels.posting_block import pack, unpack

pytestmark = pytest.mark.req("MEM-002")

POSTINGS = st.dictionaries(
    st.integers(0, 2**31),
    st.tuples(st.integers(1, 32_767), st.integers(1, 2**31 - 1)),
    min_size=1,
    max_size=50,
)


@given(postings=POSTINGS, base=st.integers(0, 2**40))
def test_what_is_packed_comes_out(postings: dict[int, tuple[int, int]], base: int) -> None:
    numbers = np.array(sorted(postings), np.int64) + base
    frequencies, lengths = np.array([postings[key] for key in sorted(postings)], np.int64).T

    found = unpack(base, pack(base, numbers, frequencies, lengths))

    for column, expected in zip(found, (numbers, frequencies, lengths), strict=True):
        assert column.tolist() == expected.tolist()


def test_a_rare_term_takes_four_bytes_and_a_frequent_one_three_a_record() -> None:
    one = np.array([7]), np.array([1]), np.array([20])
    many = np.arange(100, 1124), np.ones(1024, np.int64), np.full(1024, 20)

    assert len(pack(7, *one)) == 4
    assert len(pack(100, *many)) == 1 + 3 * 1024
