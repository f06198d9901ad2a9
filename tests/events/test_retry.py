"""The retry policy that decisions.md settles on."""

import pytest

from soma.events.retry import RetryPolicy


@pytest.mark.req("PERSIST-002")
def test_five_attempts_with_pauses_that_double() -> None:
    policy = RetryPolicy()
    assert [policy.delay(failures).total_seconds() for failures in (1, 2, 3, 4)] == [2, 4, 8, 16]
    assert [policy.exhausted(failures) for failures in range(1, 6)] == [False, False, False, False, True]
