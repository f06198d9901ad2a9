"""soma.brain.kernels.salience"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels.salience import novelty, opens_gate, salience

share = st.floats(0.0, 1.0)


@given(share, st.floats(-1.0, 1.0))
@pytest.mark.req("LEARN-001")
def test_salience_is_a_share_and_ignores_the_sign_of_the_error(new: float, error: float) -> None:
    assert 0.0 <= salience(new, error) <= 1.0
    assert salience(new, error) == salience(new, -error)


@pytest.mark.req("LEARN-001")
@pytest.mark.parametrize(
    ("new", "error", "opened"),
    [(0.0, 0.0, False), (0.0, 1.0, True), (0.0, 0.74, False), (0.49, 0.0, False), (0.5, 0.0, True)],
)
def test_the_gate_closes_on_what_is_neither_new_nor_unexpected(
    new: float, error: float, opened: bool
) -> None:
    assert opens_gate(salience(new, error)) is opened


@pytest.mark.req("LEARN-001")
@pytest.mark.parametrize(
    ("cosine", "new"), [(0.0, 1.0), (1.0, 0.0), (0.25, 0.75), (-0.2, 1.0), (1.0001, 0.0)]
)
def test_novelty_is_the_distance_to_what_was_recalled(cosine: float, new: float) -> None:
    assert novelty(cosine) == new
