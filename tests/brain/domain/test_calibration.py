"""soma.brain.domain.calibration and calibrator"""

import math
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.base.canonical import json_bytes
from soma.base.errors import InvalidInput
from soma.base.ids import new_id
from soma.brain.domain.calibration import Calibration, EvidenceMark, Marks, calibrated
from soma.brain.domain.calibrator import (
    SHIPPED,
    Calibrator,
    Method,
    by_rising_curve,
    by_temperature,
    shipped_confidence,
)
from soma.brain.kernels.calibration.reliability import expected_calibration_error
from soma.brain.kernels.scoring import logistic

pytestmark = pytest.mark.req("RHO-001")

marked = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20), st.booleans()), min_size=1, max_size=60)


def marks_of(told: list[tuple[int, int, bool]]) -> Marks:
    return Marks.of([(UUID(int=turn), cosine / 20, relevant) for turn, cosine, relevant in told])


def drawn(seed: int, count: int, *, slope: float, midpoint: float) -> Marks:
    """Marks of memories that are relevant with the probability that a logistic curve says."""
    draw = np.random.default_rng(seed)
    cosines = draw.beta(4.0, 4.0, count)
    relevant = draw.random(count) < logistic(cosines, slope, midpoint)
    return Marks(cosines=cosines, outcomes=relevant.astype(np.float64), folds=np.arange(count) % 5)


def error(calibrator: Calibrator, marks: Marks) -> float:
    return expected_calibration_error(calibrator.confidence(marks.cosines), marks.outcomes)


@pytest.mark.parametrize(
    ("count", "slope", "midpoint", "method", "at_most"),
    [
        (60, 6.0, 0.561, Method.TEMPERATURE, 0.7),
        (150, 6.0, 0.561, Method.TEMPERATURE, 0.25),
        (400, 12.0, 0.4, Method.ISOTONIC, 0.15),
        (2000, 10.0, 0.7, Method.ISOTONIC, 0.15),
    ],
)
def test_the_error_on_marks_never_seen_falls(
    count: int, slope: float, midpoint: float, method: Method, at_most: float
) -> None:
    chosen, report = calibrated(drawn(1, count, slope=slope, midpoint=midpoint))
    unseen = drawn(2, 5000, slope=slope, midpoint=midpoint)
    assert chosen.method is method
    assert error(chosen, unseen) <= at_most * error(SHIPPED, unseen)
    assert report.ece_after < report.ece_before


def test_what_the_shipped_curve_says_rightly_is_left_to_it() -> None:
    for count in (20, 60, 150, 400, 2000):
        chosen, report = calibrated(drawn(1, count, slope=16.7, midpoint=0.561))
        assert chosen == SHIPPED
        assert report.ece_after == report.ece_before
        assert report.method == "logistic-cosine-1"


def test_few_marks_and_marks_of_one_kind_fit_nothing() -> None:
    far = drawn(1, 29, slope=12.0, midpoint=0.2)
    assert calibrated(far)[0] == SHIPPED
    count = 500
    alike = Marks(cosines=np.full(count, 0.4), outcomes=np.ones(count), folds=np.arange(count) % 5)
    assert calibrated(alike)[0] == SHIPPED
    one_turn = drawn(1, 500, slope=12.0, midpoint=0.2)
    together = Marks(cosines=one_turn.cosines, outcomes=one_turn.outcomes, folds=np.zeros(500, np.intp))
    assert calibrated(together)[0] == SHIPPED


@settings(deadline=None, max_examples=50)
@given(marked, st.randoms())
def test_the_order_of_marks_tells_nothing(told: list[tuple[int, int, bool]], random: object) -> None:
    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = calibrated(marks_of(sorted(told))), calibrated(marks_of(sorted(shuffled)))
    assert json_bytes(one[0].to_dict()) == json_bytes(other[0].to_dict())
    assert one[1] == other[1]


@settings(deadline=None, max_examples=50)
@given(marked)
def test_confidence_rises_with_the_cosine_and_survives_its_document(
    told: list[tuple[int, int, bool]],
) -> None:
    marks = marks_of(told)
    asked = np.linspace(0.0, 1.0, 101)
    for fit in (by_temperature, by_rising_curve):
        calibrator = fit(marks.cosines, marks.outcomes)
        said = calibrator.confidence(asked)
        assert (np.diff(said) >= -1e-12).all()
        assert ((said >= 0.0) & (said <= 1.0)).all()
        again = Calibrator.from_dict(calibrator.to_dict()).confidence(asked)
        np.testing.assert_array_equal(again, said)


def test_a_few_lucky_marks_make_nothing_certain() -> None:
    lucky = by_rising_curve(np.full(5, 0.5), np.ones(5))
    assert lucky.confidence(np.array([0.5]))[0] < 0.95
    assert lucky.confidence(np.array([0.0]))[0] == pytest.approx(shipped_confidence(np.zeros(1))[0], abs=1e-3)


def test_a_mark_tells_the_larger_cosine() -> None:
    def cosine(**features: float) -> float:
        return EvidenceMark(record_id=new_id(), features=features, relevant=True).cosine

    assert cosine(similarity=0.4, best_sentence=0.6, dense=3.0) == 0.6
    assert cosine(similarity=0.4) == 0.4
    assert cosine(similarity=-0.2, best_sentence=-0.1) == 0.0


@pytest.mark.parametrize(
    "features", [{}, {"similarity": math.nan}, {"similarity": 0.5, "best_sentence": math.inf}]
)
def test_a_mark_without_a_cosine_is_refused(features: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        EvidenceMark(record_id=new_id(), features=features, relevant=True)


def test_a_report_survives_its_document() -> None:
    _, report = calibrated(drawn(1, 400, slope=12.0, midpoint=0.4))
    assert sum(each.count for each in report.bins) == 400
    assert Calibration.from_dict(report.to_dict(), pending=0) == report
