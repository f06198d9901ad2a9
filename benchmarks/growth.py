"""What a turn leaves behind: rows and write-ahead log, at the first turn of a conversation and later."""

import asyncio
import itertools
from dataclasses import dataclass
from statistics import median

import psycopg

from benchmarks.contender import Contender, question
from benchmarks.server import Server

NUMBERS = itertools.count(10_000)
"""Every message is another one: equal ones would be remembered once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """What turns left. `wal_bytes` are those of a turn between checkpoints, the usual case;
    `wal_bytes_after_checkpoint` those of the first turn after one, whose pages are logged whole."""

    nth_turn: int
    rows: dict[str, int]
    wal_bytes: int
    wal_bytes_after_checkpoint: int


async def growth(
    contender: Contender, server: Server, *, nth: tuple[int, ...], conversations: int
) -> list[Growth]:
    """The growth at each of the `nth` turns, medians over `conversations`, measured one turn at a time. The
    last conversation is kept for the turn after a checkpoint."""
    *measured, after_checkpoint = await contender.open(conversations + 1)
    found, done = [], 0
    with server.connect(contender.database) as connection:
        for number in nth:
            await _pass(contender, [*measured, after_checkpoint], done, number - 1)
            steady = [await _turn(contender, server, connection, each) for each in measured]
            await contender.settle()
            server.checkpoint(connection)
            _, whole_pages = await _turn(contender, server, connection, after_checkpoint)
            found.append(
                Growth(
                    nth_turn=number,
                    rows=steady[-1][0],
                    wal_bytes=round(median(wal for _, wal in steady)),
                    wal_bytes_after_checkpoint=whole_pages,
                )
            )
            done = number
    return found


async def _pass(contender: Contender, conversations: list[str], first: int, end: int) -> None:
    """Take the turns `first` up to `end` of all conversations, all at once."""

    async def take(conversation: str) -> None:
        for _ in range(first, end):
            await contender.turn(conversation, question(next(NUMBERS)))

    async with asyncio.TaskGroup() as group:
        for conversation in conversations:
            group.create_task(take(conversation))
    await contender.settle()


async def _turn(
    contender: Contender, server: Server, connection: psycopg.Connection, conversation: str
) -> tuple[dict[str, int], int]:
    await contender.settle()
    rows, position = server.rows(connection), server.wal_position(connection)
    await contender.turn(conversation, question(next(NUMBERS)))
    await contender.settle()
    written = server.wal_position(connection) - position
    added = {table: count - rows[table] for table, count in server.rows(connection).items()}
    return {table: count for table, count in added.items() if count}, written
