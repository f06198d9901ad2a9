"""soma.brain.kernels.calibration.reliability"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.calibration.isotonic import fit_isotonic, heights_at
from soma.brain.kernels.calibration.reliability import expected_calibration_error, reliability
from soma.brain.kernels.calibration.temperature import fit_temperature, scaled

judged = st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), max_size=60)


@settings(deadline=None)
@given(judged, st.integers(1, 20))
@pytest.mark.req("RHO-001")
def test_every_confidence_is_in_one_bin(judged: list[tuple[float, bool]], bins: int) -> None:
    confidences = np.array([confidence for confidence, _ in judged])
    outcomes = np.array([right for _, right in judged], np.float64)
    found = reliability(confidences, outcomes, bins)
    assert found.counts.sum() == len(judged)
    assert found.confidence @ found.counts == pytest.approx(confidences.sum())
    assert found.accuracy @ found.counts == pytest.approx(outcomes.sum())
    assert 0.0 <= expected_calibration_error(confidences, outcomes, bins) <= 1.0


@pytest.mark.req("RHO-001")
def test_by_hand() -> None:
    confidences = np.array([0.92, 0.98, 0.95, 0.55, 0.51, 1.0])
    outcomes = np.array([1.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    # Four from .9 up, of 3.85 in all and three right; two from .5 up, of 1.06 and one right.
    error = (4 * abs(3.85 / 4 - 3 / 4) + 2 * abs(1.06 / 2 - 1 / 2)) / 6
    assert expected_calibration_error(confidences, outcomes) == pytest.approx(error)
    assert expected_calibration_error(np.empty(0), np.empty(0)) == 0.0


@pytest.mark.req("RHO-001")
def test_confidence_that_is_what_happens_has_no_error_and_boasting_has() -> None:
    random = np.random.default_rng(1)
    confidences = random.uniform(0, 1, 50_000)
    outcomes = (random.random(50_000) < confidences).astype(np.float64)
    boasting = np.clip(confidences * 1.5, 0, 1)
    assert expected_calibration_error(confidences, outcomes) < 0.01
    assert expected_calibration_error(boasting, outcomes) > 0.1


@pytest.mark.req("RHO-001")
def test_both_fits_mend_confidence_on_outcomes_they_have_not_seen() -> None:
    random = np.random.default_rng(2)
    truth = random.uniform(0.05, 0.95, 4000)
    outcomes = (random.random(4000) < truth).astype(np.float64)
    sure = scaled(truth, 0.3)
    seen, unseen = slice(0, 2000), slice(2000, 4000)
    cooled = scaled(sure[unseen], fit_temperature(sure[seen], outcomes[seen]))
    curved = heights_at(fit_isotonic(sure[seen], outcomes[seen]), sure[unseen])
    before = expected_calibration_error(sure[unseen], outcomes[unseen])
    assert before > 0.15
    assert expected_calibration_error(cooled, outcomes[unseen]) < 0.04
    assert expected_calibration_error(curved, outcomes[unseen]) < 0.04
