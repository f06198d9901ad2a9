"""How far recall's confidence can be trusted, asked over HTTP."""

import httpx
import pytest

from tests.interfaces.person import Person, problem

pytestmark = pytest.mark.req("RHO-001", "MEM-002")
CALIBRATION = "/v1/memory/calibration"


def test_without_marks_the_shipped_curve_is_in_use(person: Person) -> None:
    answer = person.client.get(CALIBRATION)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "method": "logistic-cosine-1",
        "marks": 0,
        "relevant": 0,
        "pending": 0,
        "ece_before": 0.0,
        "ece_after": 0.0,
        "bins": [],
    }


@pytest.mark.req("AUTH-002")
def test_nobody_asks_without_a_session(person: Person) -> None:
    with httpx.Client(base_url=person.client.base_url) as stranger:
        problem(stranger.get(CALIBRATION), 401, "unauthenticated")
