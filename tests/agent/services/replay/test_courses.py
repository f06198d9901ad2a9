"""Turns of every course there is, one after the other and at once, are rebuilt from the log: a small form of
`python -m benchmarks --only replay`."""

from collections.abc import Callable
from uuid import UUID

import pytest

from benchmarks.courses import COURSES, CourseModel, course_of
from soma.agent.api import Verdict
from tests.agent.bench import Bench

pytestmark = pytest.mark.req("REPLAY-003")

SEEDS = range(3 * len(COURSES))


def test_turns_of_every_course_are_rebuilt(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(CourseModel())

    turns = [bench.desk.portal.call(_taken, bench, seed) for seed in SEEDS]
    statuses = {course_of(seed): bench.turn(turn).status for seed, turn in zip(SEEDS, turns, strict=True)}
    reports = [bench.replay(turn) for turn in turns]

    assert [str(each.first) for each in reports if each.verdict is not Verdict.IDENTICAL] == []
    assert statuses["the model goes"] == "failed"
    assert statuses["somebody stops it"] == "cancelled"
    assert statuses["a tool is denied"] == "completed"
    assert sum(each.iterations for each in reports) > 2 * len(SEEDS) - len(COURSES)


async def _taken(bench: Bench, seed: int) -> UUID:
    """The turn with this seed, to its end."""
    text = f"Question {seed}?"
    accepted = await bench.agent.send_message(bench.principal, bench.conversation, text, seed=seed)
    async for frame in bench.agent.stream(bench.principal, accepted.turn_id):
        if frame.event == "answer.delta" and course_of(seed) == "somebody stops it":
            await bench.agent.cancel(bench.principal, accepted.turn_id)
    return accepted.turn_id
