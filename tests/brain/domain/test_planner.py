"""soma.brain.domain.planner"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.domain.planner import Candidate, Estimate, Source, suggest
from soma.brain.domain.weights import Weights

pytestmark = pytest.mark.req("CTXB-001")
share = st.floats(0.0, 1.0)


def candidate(action: str, confidence: float, cost: float, latency: float) -> Candidate:
    values = (
        Estimate(value=confidence, source=Source.MEASURED, samples=3, parts={"success": confidence}),
        Estimate(value=cost, source=Source.PRIOR, amount=100.0 * cost, unit="tokens"),
        Estimate(value=latency, source=Source.PRIOR),
    )
    return Candidate(action=action, confidence=values[0], cost=values[1], latency=values[2])


@given(st.lists(st.tuples(share, share, share), max_size=6))
def test_the_best_comes_first_and_each_is_the_sum_of_its_terms(rows: list[tuple[float, ...]]) -> None:
    found = suggest([candidate(str(place), *row) for place, row in enumerate(rows)], Weights())
    utilities = [each.utility for each in found]
    assert utilities == sorted(utilities, reverse=True)
    assert sorted(each.action for each in found) == [str(place) for place in range(len(rows))]
    for each in found:
        assert each.utility == pytest.approx(each.confidence.adds + each.cost.adds + each.latency.adds)


def test_of_equals_the_first_stays_first() -> None:
    found = suggest([candidate(name, 0.5, 0.1, 0.1) for name in "cab"], Weights())
    assert [each.action for each in found] == ["c", "a", "b"]


def test_the_weights_decide() -> None:
    quick, sure = candidate("quick", 0.5, 0.1, 0.0), candidate("sure", 0.9, 0.1, 1.0)
    assert suggest([quick, sure], Weights())[0].action == "sure"
    assert suggest([quick, sure], Weights(nu=2.0))[0].action == "quick"


def test_a_suggestion_tells_its_terms() -> None:
    [found] = suggest([candidate("answer", 0.8, 0.5, 0.25)], Weights())
    assert found.to_dict() == {
        "action": "answer",
        "target": "",
        "utility": 0.7375,
        "terms": {
            "confidence": {
                "value": 0.8,
                "weight": 1.0,
                "adds": 0.8,
                "source": "measured",
                "samples": 3,
                "parts": {"success": 0.8},
            },
            "cost": {
                "value": 0.5,
                "weight": 0.1,
                "adds": -0.05,
                "source": "prior",
                "samples": 0,
                "amount": 50.0,
                "unit": "tokens",
            },
            "latency": {"value": 0.25, "weight": 0.05, "adds": -0.0125, "source": "prior", "samples": 0},
        },
    }
