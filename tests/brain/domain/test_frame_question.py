"""soma.brain.domain.frame_question"""

from datetime import UTC, datetime
from typing import Any

import pytest

from soma.base.errors import InvalidInput, LimitExceeded
from soma.base.ids import new_id
from soma.brain.domain.frame import Role
from soma.brain.domain.frame_question import FrameQuestion

pytestmark = pytest.mark.req("HRR-001")


def question(**changes: Any) -> FrameQuestion:
    values: dict[str, Any] = {
        "tenant_id": new_id(),
        "namespace": "n",
        "known": {"who": "Ada"},
        "wanted": "where",
    }
    return FrameQuestion(**values | changes)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"known": {}}, InvalidInput),
        ({"known": {"whom": "Ada"}}, InvalidInput),
        ({"wanted": "whither"}, InvalidInput),
        ({"known": {"who": "Ada\0"}}, InvalidInput),
        ({"known": {"who": "\ud800"}}, InvalidInput),
        ({"known": {"who": "..."}}, InvalidInput),
        ({"known": {"who": "a" * 201}}, LimitExceeded),
        ({"top_k": 0}, InvalidInput),
        ({"top_k": 101}, LimitExceeded),
    ],
)
def test_what_cannot_be_asked_is_refused(changes: dict[str, Any], error: type[InvalidInput]) -> None:
    with pytest.raises(error):
        question(**changes)


def test_cues_are_compared_as_frames_are() -> None:
    known = {"who": "I", "what": "visited", "when": "yesterday", "where": "the Old Museums"}
    assert question(known=known).cues(datetime(2026, 1, 14, tzinfo=UTC)) == (
        (Role.WHO, "user"),
        (Role.WHAT, "visit"),
        (Role.WHEN, "2026-01-13"),
        (Role.WHERE, "old museum"),
    )
    assert question(known={"when": "2026-01"}).cues(datetime(2026, 1, 14, tzinfo=UTC)) == (
        (Role.WHEN, "2026-01"),
    )
