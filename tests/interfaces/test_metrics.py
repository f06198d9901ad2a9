"""Phases of turns, counted and timed."""

import pytest

from soma.base.ids import new_id
from soma.interfaces.metrics import REGISTRY, MetricsObserver

pytestmark = pytest.mark.req("METRICS-001")


def value(name: str, phase: str) -> float:
    """A sample of the registry; 0 while there is none."""
    return REGISTRY.get_sample_value(name, {"phase": phase}) or 0.0


def test_phase_is_counted_and_its_time_runs_to_the_next() -> None:
    observer, turn, other = MetricsObserver(), new_id(), new_id()
    counted = value("soma_turn_phases_total", "recall")
    timed = value("soma_turn_phase_seconds_count", "recall")
    observer.phase("recall", turn, 0)
    observer.phase("recall", other, 0)
    assert value("soma_turn_phase_seconds_count", "recall") == timed
    observer.phase("plan", turn, 0)
    assert value("soma_turn_phases_total", "recall") == counted + 2
    assert value("soma_turn_phase_seconds_count", "recall") == timed + 1
