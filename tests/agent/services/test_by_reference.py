"""Long texts and values stand by their hash, and everything that reads a turn has them whole."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from soma.agent.models import RLMIterationRow, ToolExecutionRow
from soma.base.canonical import json_value, sha256_hex
from soma.base.database import APP, tenant_transaction
from soma.events.api import BlobMissing, read_blobs, release_blobs
from soma.events.models import Blob
from tests.agent.bench import Bench
from tests.agent.services.test_tools import Doing, spec
from tests.fakes.model import ScriptedModel, called, said

pytestmark = pytest.mark.req("REPLAY-003")

MakeBench = Callable[..., Bench]
PAGE = {"page": "word " * 40_000}
LETTER = {"letter": "dear " * 2_000}
SPEECH = "It says word a lot. " * 200


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    read = spec("read", idempotent=True)
    tool = Doing("read", lambda context: PAGE)
    return make_bench(ScriptedModel(called(("read", LETTER)), said(SPEECH)), specs=[read], tools=[tool])


def test_rows_stay_short_and_the_trace_whole(bench: Bench) -> None:
    turn = bench.ask("What does it say?")
    trace = bench.trace(turn.id)

    [tool] = trace["iterations"][0]["tools"]
    assert (tool["arguments"], tool["output"]) == (LETTER, PAGE)
    assert trace["iterations"][1]["content"] == SPEECH
    assert all(each["prompt"] for each in trace["iterations"])
    with tenant_transaction(bench.tenant):
        execution = ToolExecutionRow.objects.get(turn_id=turn.id)
        answer = RLMIterationRow.objects.get(turn_id=turn.id, number=1)
    assert (execution.arguments, execution.output, answer.content) == (None, None, "")
    assert _bytes_of_rows(bench, str(turn.id)) < 64 * 1024


def test_frames_are_made_again_from_what_was_put_aside(bench: Bench) -> None:
    turn = bench.ask("What does it say?")

    frames = bench.frames(turn.id)

    said_again = "".join(frame.data["text"] for frame in frames if frame.event == "answer.delta")
    assert said_again == SPEECH
    assert [frame.data["output"] for frame in frames if frame.event == "tool.done"] == [PAGE]


def test_the_event_names_a_record_without_which_nobody_knows_what_was_said(bench: Bench) -> None:
    bench.ask("A secret question?")
    completed = [payload for name, payload in bench.events() if name == "chat.iteration_completed"]

    with tenant_transaction(bench.tenant):
        found = read_blobs([bench.conversation], [each["record_hash"] for each in completed])
        message = read_blobs([bench.conversation], [sha256_hex(b"A secret question?")])
    records = [json_value(found[each["record_hash"]]) for each in completed]

    assert [each["iteration"]["number"] for each in records] == [0, 1]
    assert records[0]["beginning"]["message"]["hash"] in message
    told = str(bench.events())
    assert "secret" not in told
    assert "dear" not in told


def test_what_is_released_is_gone_for_good(bench: Bench) -> None:
    turn = bench.ask("What does it say?")

    with tenant_transaction(bench.tenant):
        assert release_blobs([bench.conversation]) > 0
        assert not Blob.objects.filter(owner_id=bench.conversation).exists()

    with pytest.raises(BlobMissing):
        bench.trace(turn.id)


def _bytes_of_rows(bench: Bench, turn_id: str) -> int:
    """Of the turn's own tables, as PostgreSQL would send them."""
    tables: dict[str, str] = {
        "turn": "id",
        "message": "turn_id",
        "rlm_iteration": "turn_id",
        "tool_execution": "turn_id",
        "learned_step": "turn_id",
    }
    with tenant_transaction(bench.tenant), connections[APP].cursor() as cursor:
        return sum(_size(cursor, table, column, turn_id) for table, column in tables.items())


def _size(cursor: Any, table: str, column: str, turn_id: str) -> int:
    cursor.execute(
        f"SELECT coalesce(sum(octet_length(row::text)), 0) FROM {table} AS row WHERE {column} = %s",
        [turn_id],
    )
    [size] = cursor.fetchone()
    return int(size)
