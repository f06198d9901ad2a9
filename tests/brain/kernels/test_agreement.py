"""soma.brain.kernels.agreement"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels.agreement import LIMIT, SENSELESS, SENSIBLE, agreement, next_trust

pytestmark = pytest.mark.req("LEARN-004")


def test_agreement_is_the_share_of_pairs_in_the_right_order() -> None:
    scores = np.array([4.0, 3.0, 2.0, 2.0])
    assert agreement(scores, np.array([True, False, False, False])) == 1.0
    assert agreement(scores, np.array([False, True, False, False])) == pytest.approx(2 / 3)
    assert agreement(scores, np.array([False, False, True, False])) == pytest.approx(1 / 6)


@given(st.integers(0, 10_000), st.integers(2, 30))
def test_the_opposite_order_agrees_as_much_less_than_half_as_this_one_more(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    scores, relevant = rng.normal(size=count), rng.random(count) < 0.5
    relevant[0], relevant[1] = True, False
    assert agreement(scores, relevant) + agreement(-scores, relevant) == pytest.approx(1.0)


@given(st.floats(-LIMIT, LIMIT), st.floats(0.0, 1.0))
def test_trust_rises_with_more_than_chance_and_a_margin_and_stays_within_its_limits(
    trust: float, agreed: float
) -> None:
    after = next_trust(trust, agreed)
    assert -LIMIT <= after <= LIMIT
    assert (after >= trust) if agreed >= (SENSIBLE + SENSELESS) / 2 else (after <= trust)


def test_a_few_senseless_questions_lose_all_trust_and_a_few_sensible_ones_win_it_back() -> None:
    trust = LIMIT
    for _ in range(20):
        trust = next_trust(trust, SENSELESS)
    assert trust == -LIMIT
    for _ in range(20):
        trust = next_trust(trust, 0.85)
    assert trust == LIMIT
