"""soma.brain.kernels.credit"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels.credit import REMEMBERED, Floats, differences, newton_step

pytestmark = pytest.mark.req("LEARN-004")
K = 4
PRIOR = 2.0 * np.eye(K)
LOW, HIGH = np.full(K, -3.0), np.full(K, 3.0)


def questions(seed: int, wanted: Floats, count: int) -> list[Floats]:
    """Differences as judged by somebody who weighs by `wanted`, with logistic noise."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        scores = rng.normal(size=(12, K))
        relevant = rng.random(12) < 1.0 / (1.0 + np.exp(-scores @ wanted))
        if relevant.any() and not relevant.all():
            found.append(differences(scores[relevant], scores[~relevant]))
    return found


def test_differences_are_of_every_relevant_one_to_every_other() -> None:
    relevant, other = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0]])
    assert differences(relevant, other).tolist() == [[0.0, 1.0], [2.0, 3.0]]


def test_weights_are_found_whose_order_is_the_wanted_one() -> None:
    wanted = np.array([2.0, -1.0, 0.5, 0.0])
    mean, precision = np.zeros(K), PRIOR
    for seen in questions(1, wanted, 300):
        mean, precision = newton_step(mean, precision, PRIOR, seen, LOW, HIGH)
    assert mean @ wanted / (np.linalg.norm(mean) * np.linalg.norm(wanted)) > 0.98


def test_the_mean_comes_near_the_best_that_all_questions_together_have() -> None:
    wanted = np.array([1.0, -0.5, 0.5, 0.0])
    asked = questions(2, wanted, 200)
    mean, precision = np.zeros(K), PRIOR
    for seen in asked:
        mean, precision = newton_step(mean, precision, PRIOR, seen, LOW, HIGH)

    best = np.zeros(K)
    for _ in range(50):
        wrong = [1.0 / (1.0 + np.exp(seen @ best)) for seen in asked]
        pairs = list(zip(wrong, asked, strict=True))
        slope = sum((share @ seen / len(seen) for share, seen in pairs), -PRIOR @ best)
        curve = sum(((share * (1 - share))[:, None] * seen).T @ seen / len(seen) for share, seen in pairs)
        best = best + np.linalg.solve(PRIOR + curve, slope)
    assert np.linalg.norm(mean - best) < 0.1 * np.linalg.norm(best)


@given(st.integers(0, 10_000), st.integers(1, 30), st.floats(0.0, 50.0))
def test_the_mean_stays_in_its_box_and_the_precision_between_its_bounds(
    seed: int, steps: int, size: float
) -> None:
    rng = np.random.default_rng(seed)
    mean, precision = np.zeros(K), PRIOR
    longest = 0.0
    for _ in range(steps):
        seen = size * rng.uniform(-1.0, 1.0, size=(5, K))
        longest = max(longest, float((seen**2).sum(axis=1).max()))
        mean, precision = newton_step(mean, precision, PRIOR, seen, LOW, HIGH)
        assert ((mean >= LOW) & (mean <= HIGH)).all()
        values = np.linalg.eigvalsh(precision)
        assert values.min() >= 2.0 * (1 - 1e-9)
        assert values.max() <= 2.0 + longest / (4.0 * (1.0 - REMEMBERED)) + 1e-6


@given(st.integers(0, 10_000))
def test_the_same_question_gives_the_same_bytes(seed: int) -> None:
    [seen] = questions(seed, np.ones(K), 1) or [np.ones((1, K))]
    first = newton_step(np.zeros(K), PRIOR, PRIOR, seen, LOW, HIGH)
    again = newton_step(np.zeros(K), PRIOR, PRIOR, seen.copy(), LOW, HIGH)
    assert [each.tobytes() for each in first] == [each.tobytes() for each in again]
