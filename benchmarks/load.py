"""Rounds of concurrent turns, with what they cost."""

import asyncio
import time
from dataclasses import dataclass

from benchmarks.contender import Contender, TurnTimes, question
from benchmarks.cpu import client_ms
from benchmarks.figures import percentiles
from benchmarks.server import Server


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What one round gave. Processor time includes what is done in the background until all is settled;
    turns a second do not."""

    turn_ms: dict[str, float]
    iteration_ms: dict[str, float]
    turns_per_second: float
    client_cpu_ms: dict[str, float]
    postgres_cpu_ms: float

    def figures(self) -> dict[str, float]:
        """All of it, flat, so that medians over rounds can be taken."""
        return {
            "turn_ms_p50": self.turn_ms["p50"],
            "turn_ms_p95": self.turn_ms["p95"],
            "iteration_ms_p50": self.iteration_ms["p50"],
            "iteration_ms_p95": self.iteration_ms["p95"],
            "turns_per_second": self.turns_per_second,
            "cpu_ms_per_turn": self.client_cpu_ms["total"] + self.postgres_cpu_ms,
            "cpu_ms_per_turn_client": self.client_cpu_ms["total"],
            "cpu_ms_per_turn_postgres": self.postgres_cpu_ms,
            **{
                f"cpu_ms_per_turn_client_{part}": spent
                for part, spent in self.client_cpu_ms.items()
                if part != "total"
            },
        }


async def run_round(contender: Contender, server: Server, *, concurrency: int, turns: int) -> Round:
    """`turns` turns in all, `concurrency` at once; each worker goes through conversations of its own."""
    conversations = await contender.open(max(concurrency, turns // TURNS_A_CONVERSATION))
    shares = [conversations[worker::concurrency] for worker in range(concurrency)]
    await contender.settle()
    client, postgres, started = client_ms(), server.cpu_ms(), time.perf_counter()
    times = await _run(contender, shares)
    elapsed = time.perf_counter() - started
    await contender.settle()
    spent = {part: used - client[part] for part, used in client_ms().items()}
    return Round(
        turn_ms=percentiles([each.turn for each in times]),
        iteration_ms=percentiles([one for each in times for one in each.iterations]),
        turns_per_second=len(times) / elapsed,
        client_cpu_ms=_own(contender, spent, len(times)),
        postgres_cpu_ms=(server.cpu_ms() - postgres) / len(times),
    )


TURNS_A_CONVERSATION = 4
"""Turns of a conversation in a round: few, since LangGraph's cost grows with a conversation's length."""


async def _run(contender: Contender, shares: list[list[str]]) -> list[TurnTimes]:
    async with asyncio.TaskGroup() as group:
        workers = [group.create_task(_work(contender, share, worker)) for worker, share in enumerate(shares)]
    return [times for worker in workers for times in worker.result()]


async def _work(contender: Contender, conversations: list[str], worker: int) -> list[TurnTimes]:
    return [
        await contender.turn(conversation, question(1000 * worker + TURNS_A_CONVERSATION * place + number))
        for place, conversation in enumerate(conversations)
        for number in range(TURNS_A_CONVERSATION)
    ]


def _own(contender: Contender, spent: dict[str, float], turns: int) -> dict[str, float]:
    """Milliseconds a turn of what is the contender's own: not the threads of the other's background."""
    own = {part: used / turns for part, used in spent.items() if part not in contender.background}
    own["total"] = sum(used for part, used in own.items() if part != "total")
    return own
