"""Lanes share out the context by the learned weights, and none ever starves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.agent.domain.lanes import BASE_SHARES, FLOOR, LANE_WEIGHTS, allocate, floored

INITIAL = {"alpha": 1.0, "beta": 0.2, "gamma": 0.1, "lambda": 1.0}
weights = st.fixed_dictionaries(
    {
        "alpha": st.floats(0.1, 5),
        "beta": st.floats(0, 2),
        "gamma": st.floats(0, 1),
        "lambda": st.floats(0.1, 5),
    }
)


@pytest.mark.req("CTX-001")
@given(weights=weights, memory=st.floats(0.5, 1.5), budget=st.integers(20, 200_000))
def test_every_lane_has_its_floor_and_together_they_are_the_budget(
    weights: dict[str, float], memory: float, budget: int
) -> None:
    tokens = allocate(budget, weights, INITIAL, memory=memory).tokens

    assert sum(tokens.values()) == budget
    assert all(count >= int(budget * FLOOR) for count in tokens.values())


@pytest.mark.req("CTX-001")
def test_at_the_initial_weights_the_base_shares_stand() -> None:
    assert allocate(1000, INITIAL, INITIAL).tokens == {
        lane: round(1000 * share) for lane, share in BASE_SHARES.items()
    }


@pytest.mark.req("CTX-001")
@pytest.mark.parametrize(("lane", "weight"), LANE_WEIGHTS.items())
def test_a_weight_widens_its_own_lane(lane: str, weight: str) -> None:
    before = allocate(1000, INITIAL, INITIAL).tokens[lane]
    after = allocate(1000, INITIAL | {weight: INITIAL[weight] * 2}, INITIAL).tokens[lane]

    assert after > before


@pytest.mark.req("CTX-001")
@given(st.dictionaries(st.sampled_from("abcde"), st.floats(0, 1e6), min_size=1, max_size=5))
def test_floored_shares_sum_to_one(raw: dict[str, float]) -> None:
    shares = floored(raw)

    assert sum(shares.values()) == pytest.approx(1)
    assert min(shares.values()) >= FLOOR - 1e-12


@pytest.mark.req("CTX-001")
@given(weights=weights, memory=st.floats(0.5, 1.5))
def test_shares_sum_to_one_and_none_is_below_the_floor(weights: dict[str, float], memory: float) -> None:
    shares = allocate(1000, weights, INITIAL, memory=memory).shares

    assert sum(shares.values()) == pytest.approx(1)
    assert min(shares.values()) >= FLOOR - 1e-12


@pytest.mark.req("CTX-001")
@pytest.mark.parametrize(("lane", "weight"), LANE_WEIGHTS.items())
@given(weights=weights, factor=st.floats(1, 4))
def test_a_larger_weight_never_narrows_its_own_lane_nor_widens_another(
    lane: str, weight: str, weights: dict[str, float], factor: float
) -> None:
    before = allocate(1000, weights, INITIAL).shares
    after = allocate(1000, weights | {weight: weights[weight] * factor}, INITIAL).shares

    assert after[lane] >= before[lane] - 1e-12
    assert all(after[other] <= before[other] + 1e-12 for other in before if other != lane)
