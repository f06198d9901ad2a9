"""soma.brain.domain.density"""

import pytest

from soma.brain.domain.density import BATCH, is_due, is_stale

pytestmark = pytest.mark.req("RHO-001")


def test_a_sketch_follows_in_batches() -> None:
    assert not is_due(None, 0)
    assert is_due(None, 1)
    assert not is_due(1000, 1000 + BATCH - 1)
    assert is_due(1000, 1000 + BATCH)


def test_what_is_gone_is_borne_within_a_bound_only() -> None:
    assert not is_stale(1000, 960)
    assert is_stale(1000, 940)
    assert is_stale(1, 0)
    assert is_due(1000, 940)
    assert not is_due(1000, 960)
