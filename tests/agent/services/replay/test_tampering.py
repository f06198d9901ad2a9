"""Whatever is altered in rows, contents or the log is found, and the first step that it shows in is named."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connections

from soma.agent.api import ReplayReport, TurnView, Verdict
from soma.base.canonical import json_bytes, json_value
from soma.base.database import tenant_transaction
from soma.events.api import Content, keep_blobs, read_blobs, release_blobs
from tests.agent.bench import Bench
from tests.events.own_database import superuser_of
from tests.fakes.model import ScriptedModel, called, said

pytestmark = [pytest.mark.req("REPLAY-003"), pytest.mark.req("REPLAY-002")]

MakeBench = Callable[..., Bench]
ADD = ("calculator", {"expression": "2 + 40"})


@pytest.fixture
def superuser() -> Iterator[psycopg.Connection]:
    with superuser_of(connections.settings["default"]["NAME"]) as connection:
        yield connection


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench(ScriptedModel(called(ADD), called(ADD), said("It is 42.")))


@pytest.fixture
def turn(bench: Bench) -> TurnView:
    asked = bench.ask("What is 2 + 40?")
    assert bench.replay(asked.id).verdict is Verdict.IDENTICAL
    return asked


ITERATION = "UPDATE rlm_iteration SET {} WHERE turn_id = %s AND number = {}"
RECORD = "record = jsonb_set(record, '{}', '{}')"
STEP = "UPDATE learned_step SET after = overlay(after placing '{}'::bytea from {} for 8) {}"
EVIDENCE: dict[str, Any] = {"id": "1", "content": "x", "role": "user", "occurred_at": "2026-01-01T00:00:00Z"}
EVIDENCE |= {"score": 1, "confidence": 1, "features": {}, "provenance": {}}
OTHER = RECORD.format("{evidence}", json_bytes([EVIDENCE]).decode())


@pytest.mark.parametrize(
    ("statement", "step", "path"),
    [
        ("UPDATE turn SET seed = seed + 1 WHERE id = %s", "start", "seed"),
        ("UPDATE message SET content = '?' WHERE turn_id = %s AND role = 'user'", "start", "message"),
        (ITERATION.format(RECORD.format("{lanes,budget}", 9), 1), "iteration 2, plan", "lanes.budget"),
        (
            ITERATION.format(OTHER, 0),
            "iteration 1, recall",
            "evidence[0]",
        ),
        (ITERATION.format("content = 'It is 43.'", 2), "iteration 3, model", "content"),
        (
            'UPDATE tool_execution SET output = \'{"result": "43"}\' WHERE turn_id = %s AND iteration = 1',
            "iteration 2, tools",
            "executions[0].output.result",
        ),
        (ITERATION.format(RECORD.format("{confidence}", 1), 0), "iteration 1, assess", "confidence"),
        (
            ITERATION.format(RECORD.format("{learning,weights_after,alpha}", 2), 0),
            "iteration 1, learn",
            "learning.weights_after.alpha",
        ),
        (
            STEP.format("\\x4000000000000000", 1, "WHERE turn_id = %s AND iteration = 1"),
            "iteration 2, learn",
            "weights_after.alpha",
        ),
        (
            STEP.format("\\x3fe0000000000001", 57, "WHERE turn_id = %s AND iteration = 2"),
            "iteration 3, learn",
            "neuromodulators_after.dopamine",
        ),
        ("DELETE FROM rlm_iteration WHERE turn_id = %s AND number = 1", "iteration 2, record", "row"),
        ("UPDATE message SET content = '43' WHERE turn_id = %s AND role = 'assistant'", "answer", "sha256"),
        (
            "UPDATE learned_checkpoint SET state = overlay(state placing '@' from 1) WHERE turn_id = %s",
            "checkpoint",
            "hash",
        ),
        (
            "UPDATE turn SET outcome = jsonb_set(outcome, '{exit_reason}', '\"converged\"') WHERE id = %s",
            "finish",
            "outcome.exit_reason",
        ),
    ],
)
def test_an_altered_row_is_found(
    bench: Bench, turn: TurnView, superuser: psycopg.Connection, statement: str, step: str, path: str
) -> None:
    assert superuser.execute(statement.encode(), [turn.id]).rowcount == 1

    told = found(bench.replay(turn.id))

    assert told["step"] == step
    assert told["between"] == "the log and the database"
    assert path in [each["path"] for each in told["differences"]]
    assert told["diff"][:2] == ["--- expected", "+++ found"]


def test_the_first_of_several_is_named(bench: Bench, turn: TurnView, superuser: psycopg.Connection) -> None:
    superuser.execute("UPDATE turn SET outcome = '{}' WHERE id = %s", [turn.id])
    superuser.execute("UPDATE tool_execution SET output = '0' WHERE turn_id = %s", [turn.id])

    report = bench.replay(turn.id).to_dict()

    assert report["divergence"]["step"] == "iteration 1, tools"
    assert report["divergent_steps"] == ["iteration 1, tools", "iteration 2, tools", "finish"]


@pytest.mark.parametrize(
    ("number", "path", "value", "step"),
    [
        (0, ("inputs", "sampling", "seed"), 1, "plan"),
        (0, ("inputs", "counts", 0), 10_000, "plan"),
        (1, ("inputs", "state"), "3ff0" + "0" * 268, "learn"),
        (1, ("iteration", "record", "prompt_hash"), "ab" * 32, "plan"),
        (1, ("iteration", "record", "lanes", "tokens", "memory"), 1, "plan"),
        (1, ("iteration", "record", "modulation", "recall"), 1.5, "plan"),
        (2, ("iteration", "record", "confidence"), 1.0, "assess"),
        (1, ("iteration", "record", "decision"), "converged", "assess"),
        (1, ("iteration", "record", "learning", "weights_after", "alpha"), 2.0, "learn"),
        (1, ("iteration", "record", "learning", "neuromodulators_after", "dopamine"), 0.8, "learn"),
        (1, ("iteration", "record", "latency_ms"), 12_000.0, "learn"),
    ],
)
def test_a_forged_record_is_found_by_running_the_loop_on_it(
    bench: Bench,
    turn: TurnView,
    superuser: psycopg.Connection,
    number: int,
    path: tuple[str | int, ...],
    value: Any,
    step: str,
) -> None:
    """Record and event name each other: only what the loop makes of them shows it."""
    _forge(bench, turn, superuser, number, path, value)

    divergences = bench.replay(turn.id).divergences
    places = [str(each.place) for each in divergences if each.between == "the record and the loop"]

    assert f"iteration {number + 1}, {step}" in places


def test_what_a_model_is_made_to_say_shows_in_what_follows(
    bench: Bench, turn: TurnView, superuser: psycopg.Connection
) -> None:
    """Its output is what the loop was given: it is held against its hash, and against what came of it."""
    _forge(bench, turn, superuser, 2, ("iteration", "content"), "It is 43.")

    steps = bench.replay(turn.id).to_dict()["divergent_steps"]

    assert {"iteration 3, model", "iteration 3, assess"} <= set(steps)


def test_an_altered_content_is_found(bench: Bench, turn: TurnView, superuser: psycopg.Connection) -> None:
    name = _names(bench, turn)[1]
    superuser.execute(
        "UPDATE blob SET content = '{}', deflated = false WHERE hash = %s", [bytes.fromhex(name)]
    )

    told = found(bench.replay(turn.id))

    assert (told["step"], told["between"]) == ("iteration 2, record", "a content and its hash")
    assert told["differences"][0]["expected"] == name


def test_an_altered_event_is_found(bench: Bench, turn: TurnView, superuser: psycopg.Connection) -> None:
    with unguarded(superuser):
        superuser.execute(
            "UPDATE event_log SET payload = jsonb_set(payload, '{reward}', '0.123') "
            "WHERE key = %s AND type = 'chat.iteration_completed' AND payload->>'iteration' = '1'",
            [str(turn.id)],
        )

    told = found(bench.replay(turn.id))

    assert (told["step"], told["between"]) == ("iteration 2, record", "the log's events and its records")
    assert [each["path"] for each in told["differences"]] == ["reward"]


@pytest.mark.parametrize(
    ("condition", "missing"),
    [
        ("type = 'chat.turn_started'", "no chat.turn_started"),
        ("type = 'chat.turn_completed'", "neither chat.turn_completed nor chat.turn_failed"),
        ("payload->>'iteration' = '1' AND type <> 'tool.executed'", "iteration 2 0 times"),
        ("payload->>'iteration' = '0' AND type = 'tool.executed'", "0 of 1 tool calls of iteration 1"),
    ],
)
def test_a_gap_in_the_log_is_named(
    bench: Bench,
    turn: TurnView,
    superuser: psycopg.Connection,
    condition: str,
    missing: str,
) -> None:
    with unguarded(superuser):
        superuser.execute(f"DELETE FROM event_log WHERE key = %s AND {condition}".encode(), [str(turn.id)])

    report = bench.replay(turn.id, by=bench.replayer(ScriptedModel(said("never asked"))))

    assert report.verdict is Verdict.INCOMPLETE
    assert any(missing in each for each in report.missing), report.missing


def test_what_was_deleted_for_somebodys_sake_is_named(bench: Bench, turn: TurnView) -> None:
    with tenant_transaction(bench.tenant):
        release_blobs([bench.conversation])

    report = bench.replay(turn.id)

    assert report.verdict is Verdict.INCOMPLETE
    assert "is not there any more" in report.missing[0]


def found(report: ReplayReport) -> dict[str, Any]:
    """The first divergence of a report that must have one."""
    assert report.verdict is Verdict.DIVERGED
    told: dict[str, Any] = report.to_dict()["divergence"]
    return told


@contextmanager
def unguarded(superuser: psycopg.Connection) -> Iterator[None]:
    """The log without what makes it refuse changes, for this connection alone."""
    with superuser.transaction():
        superuser.execute("ALTER TABLE event_log DISABLE TRIGGER append_only")
        yield
        superuser.execute("ALTER TABLE event_log ENABLE ALWAYS TRIGGER append_only")


def _names(bench: Bench, turn: TurnView) -> list[str]:
    told = [payload for name, payload in bench.events() if name == "chat.iteration_completed"]
    return [each["record_hash"] for each in told if each["turn_id"] == str(turn.id)]


def _forge(
    bench: Bench,
    turn: TurnView,
    superuser: psycopg.Connection,
    number: int,
    path: tuple[str | int, ...],
    value: Any,
) -> None:
    name = _names(bench, turn)[number]
    with tenant_transaction(bench.tenant):
        record = json_value(read_blobs([bench.conversation], [name])[name])
        place = record
        for part in path[:-1]:
            place = place[part]
        assert place[path[-1]] != value
        place[path[-1]] = value
        content = Content(owner_id=bench.conversation, data=json_bytes(record))
        keep_blobs(bench.tenant, [content])
    with unguarded(superuser):
        superuser.execute(
            "UPDATE event_log SET payload = jsonb_set(payload, '{record_hash}', to_jsonb(%s::text)) "
            "WHERE key = %s AND payload->>'record_hash' = %s",
            [content.hash, str(turn.id), name],
        )
