"""soma.events.loop"""

from itertools import pairwise

import pytest

from soma.events.loop import LONGEST_PAUSE_SECONDS, pause_after

pytestmark = [pytest.mark.req("PERSIST-002"), pytest.mark.req("MEM-003")]


def test_pauses_double_up_to_the_longest() -> None:
    assert [pause_after(failures) for failures in range(1, 7)] == pytest.approx([0.4, 0.8, 1.6, 3.2, 5, 5])


def test_an_outage_of_days_is_waited_for_like_one_of_minutes() -> None:
    pauses = [pause_after(failures) for failures in range(1, 100_000)]
    assert all(one <= other for one, other in pairwise(pauses))
    assert pauses[-1] == LONGEST_PAUSE_SECONDS
