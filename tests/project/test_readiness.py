"""soma.project.readiness"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from soma.base.clock import now
from soma.base.errors import Unavailable
from soma.events.api import Consumer, ConsumerBacklog, ConsumerRunner, ConsumerStatus, PostgresEventLog
from soma.project.readiness import LATE, memory_check

pytestmark = pytest.mark.req("MEM-003")
NAME = "brain.consolidation"


class Consumers(ConsumerRunner):
    """One that tells what it is told to."""

    def __init__(self, tell: Callable[[], ConsumerBacklog], error: str = "") -> None:
        super().__init__(PostgresEventLog(), [Consumer(name=NAME, types=(), handler=print)])
        self._tell, self._error = tell, error

    def backlogs(self) -> list[ConsumerBacklog]:
        return [ConsumerBacklog(name="another", waiting=99, oldest=None), self._tell()]

    def status(self) -> list[ConsumerStatus]:
        return [ConsumerStatus(name=NAME, running=True, active=True, last_error=self._error)]


def waits(count: int, seconds: float | None) -> Callable[[], ConsumerBacklog]:
    oldest = None if seconds is None else now() - timedelta(seconds=seconds)
    return lambda: ConsumerBacklog(name=NAME, waiting=count, oldest=oldest)


@pytest.mark.parametrize(("count", "seconds"), [(0, None), (3, 0.0)])
def test_what_has_just_been_said_may_wait(count: int, seconds: float | None) -> None:
    check = memory_check(Consumers(waits(count, seconds)), NAME)()
    assert (check.ok, check.essential) == (True, False)
    assert check.detail == f"memory: {count} events wait"


def test_what_waits_for_long_or_for_something_that_is_down_is_a_degradation() -> None:
    late = memory_check(Consumers(waits(7, LATE.total_seconds() + 5)), NAME)()
    assert (late.ok, late.essential, late.detail) == (False, False, "memory: 7 events wait")
    down = memory_check(Consumers(waits(7, 0.0), "RememberUnavailable: no answer"), NAME)()
    assert (down.ok, down.essential) == (False, False)
    assert down.detail == "memory: 7 events wait (RememberUnavailable: no answer)"


def test_where_nobody_knows_it_says_so() -> None:
    def unknown() -> ConsumerBacklog:
        raise Unavailable("Kafka does not answer")

    check = memory_check(Consumers(unknown), NAME)()
    assert (check.ok, check.essential) == (False, False)
    assert "Kafka does not answer" in check.detail
