"""soma.brain.domain.guard"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from soma.brain.domain.guard import refusal
from soma.brain.domain.remember import RefusalReason, RememberItem

GOOD = RememberItem(
    namespace="conversations",
    key="turn-1/user",
    content="My dog is called Rex",
    role="user",
    occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
    provenance={"trace_id": "t", "source_turn": "turn-1"},
)


@pytest.mark.req("MEM-001")
@pytest.mark.parametrize("source", ["source_turn", "source_document", "source_request"])
def test_what_has_content_and_provenance_is_taken(source: str) -> None:
    assert refusal(replace(GOOD, provenance={"trace_id": "t", source: "x", "page": 3, "note": None})) is None


@pytest.mark.req("MEM-001")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"content": ""}, RefusalReason.EMPTY),
        ({"content": " \n\t "}, RefusalReason.EMPTY),
        ({"content": "x" * 32_769}, RefusalReason.OVERSIZE),
        ({"content": "é" * 16_385}, RefusalReason.OVERSIZE),
        ({"content": "a\0b"}, RefusalReason.NOT_TEXT),
        ({"content": "lone \ud800"}, RefusalReason.NOT_TEXT),
        ({"key": "a\0b"}, RefusalReason.NOT_TEXT),
        ({"key": ""}, RefusalReason.BAD_NAME),
        ({"key": "k" * 301}, RefusalReason.BAD_NAME),
        ({"namespace": "n" * 201}, RefusalReason.BAD_NAME),
        ({"namespace": "memory-capsule:0190-0000@1"}, RefusalReason.BAD_NAME),
        ({"role": "r" * 41}, RefusalReason.BAD_NAME),
        ({"importance": 1.1}, RefusalReason.BAD_IMPORTANCE),
        ({"importance": float("nan")}, RefusalReason.BAD_IMPORTANCE),
        ({"occurred_at": datetime(2026, 1, 1)}, RefusalReason.BAD_TIME),  # noqa: DTZ001 - the naive time is the point
        ({"provenance": {}}, RefusalReason.NO_PROVENANCE),
        ({"provenance": {"trace_id": "t"}}, RefusalReason.NO_PROVENANCE),
        ({"provenance": {"source_turn": "x"}}, RefusalReason.NO_PROVENANCE),
        ({"provenance": {"trace_id": "t", "source_turn": "a\0"}}, RefusalReason.BAD_PROVENANCE),
        ({"provenance": {"trace_id": "t", "source_turn": object()}}, RefusalReason.BAD_PROVENANCE),
        ({"provenance": {"trace_id": "t", "source_turn": float("inf")}}, RefusalReason.BAD_PROVENANCE),
        (
            {"provenance": {"trace_id": "t", "source_turn": "x", "recalled_from": "id"}},
            RefusalReason.RECALLED,
        ),
    ],
)
def test_the_rest_is_refused_with_its_reason(change: dict[str, Any], reason: RefusalReason) -> None:
    refused = refusal(replace(GOOD, **change))
    assert refused is not None
    assert refused.reason is reason
    assert refused.detail


@pytest.mark.req("MEM-001")
def test_a_message_of_the_greatest_length_is_taken() -> None:
    assert refusal(replace(GOOD, content="x" * 32_768)) is None
