"""What a turn of five iterations leaves in rows, over a conversation of a thousand turns. The model costs
nothing and says no more than it has to: what is counted is what is kept of a turn."""

from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from benchmarks.contender import ITERATIONS, question
from benchmarks.conversing import desk
from benchmarks.lines import emit, tell
from benchmarks.server import Server
from benchmarks.zero_cost_model import ZeroCostModel
from soma.agent.api import Models
from soma.base.configuration import Configuration
from soma.base.ids import new_id
from soma.project.postgres_location import DATABASE

LIMIT = 64 * 1024
WINDOWS = 10
OF_TURN = {
    "turn": "id = %(turn)s",
    "message": "turn_id = %(turn)s",
    "rlm_iteration": "turn_id = %(turn)s",
    "tool_execution": "turn_id = %(turn)s",
    "learned_step": "turn_id = %(turn)s",
    "learned_checkpoint": "turn_id = %(turn)s",
    "event_log": "key = %(turn)s::text",
    "audit_link": "event_id IN (SELECT event_id FROM event_log WHERE key = %(turn)s::text)",
    "memory_record": "provenance->>'source_turn' = %(turn)s::text",
    "memory_passage": (
        "record_id IN (SELECT id FROM memory_record WHERE provenance->>'source_turn' = %(turn)s::text)"
    ),
    "blob": "named_at >= (SELECT created_at FROM turn WHERE id = %(turn)s)",
}
"""Which rows of each table are the latest turn's."""

ROWS = "SELECT count(*), coalesce(sum(pg_column_size(row.*)), 0) FROM {} AS row WHERE "
DATABASE_BYTES = "SELECT pg_database_size(current_database())"


async def bytes_per_turn(configuration: Configuration, *, turns: int) -> None:
    """Take `turns` turns in one conversation; print what the first, the last and some between have left."""
    server = Server(configuration)
    async with desk(configuration, Models(primary=ZeroCostModel())) as opened:
        principal = await opened.tenant(f"bytes-{new_id().hex}")
        conversation = (await opened.agent.create_conversation(principal)).id
        step, found = turns // WINDOWS, list[int]()
        with server.connect(DATABASE) as connection:
            before = _value(connection)
            for number in range(1, turns + 1):
                # Without a seed of its own the model could not tell turns apart.
                turn = await opened.take(principal, conversation, question(number), seed=number * SEEDS)
                if number == 1 or number % step == 0:
                    await opened.settle()
                    found.append(_tell(connection, turn, number))
                if number % step == 0:
                    after = _value(connection)
                    emit("database_growth", to_turn=number, bytes_per_turn=(after - before) // step)
                    before = after
                    tell(f"{number} of {turns} turns")
    emit(
        "bytes_per_turn",
        turns=turns,
        iterations=ITERATIONS,
        limit=LIMIT,
        most=max(found),
        within=max(found) < LIMIT,
        last_to_second=round(found[-1] / found[1], 3),
        model="simulated, costs nothing",
    )


SEEDS = 12
"""Seeds apart, so that none of them is one at which a course stops its turn."""


def _tell(connection: psycopg.Connection, turn: UUID, number: int) -> int:
    """The bytes of the turn's rows, which are told table by table."""
    tables: dict[str, Any] = {}
    for table, condition in OF_TURN.items():
        statement = sql.SQL(ROWS + condition).format(sql.Identifier(table))
        row = connection.execute(statement, {"turn": turn}).fetchone()
        tables[table] = {"rows": row[0], "bytes": int(row[1])} if row else {}
    total: int = sum(each["bytes"] for each in tables.values())
    emit("bytes_of_turn", nth_turn=number, bytes=total, by_table=tables)
    return total


def _value(connection: psycopg.Connection) -> int:
    [[size]] = connection.execute(DATABASE_BYTES).fetchall()
    return int(size)
