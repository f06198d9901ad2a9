"""What a session may be opened for."""

from typing import Any

import pytest

from soma.base.errors import InvalidInput
from soma.identity.domain.session_terms import SessionTerms

pytestmark = pytest.mark.req("AUTH-003")


def test_takes_the_terms_of_the_contract() -> None:
    terms = SessionTerms(
        persona_hash="sha256-" + "0" * 64,
        policy_hash="a" * 64,
        budgets={"tokens": 100_000, "tools_per_min": 60, "cost": 0.5},
    )
    assert terms.budgets["tokens"] == 100_000


@pytest.mark.parametrize(
    "terms",
    [
        {"persona_hash": "a b"},
        {"policy_hash": "x" * 200},
        {"policy_hash": "\0"},
        {"budgets": {"tokens": -1}},
        {"budgets": {"tokens": True}},
        {"budgets": {"tokens": "100"}},
        {"budgets": {"tokens": float("nan")}},
        {"budgets": {"tokens": float("inf")}},
        {"budgets": {"tokens": 2**53}},
        {"budgets": {"Tokens!": 1}},
        {"budgets": {"": 1}},
        {"budgets": {f"b{number}": 1 for number in range(33)}},
    ],
    ids=str,
)
def test_refuses_terms_that_mean_nothing(terms: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        SessionTerms(**terms)
