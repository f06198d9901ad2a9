"""Our turn beside LangGraph's: rounds in turn, so that the machine's noise hits both alike."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from benchmarks.contender import ITERATIONS, Contender
from benchmarks.figures import medians
from benchmarks.growth import Growth, growth
from benchmarks.lines import emit, tell
from benchmarks.load import TURNS_A_CONVERSATION, Round, run_round
from benchmarks.machine import describe
from benchmarks.server import Server
from soma.base.configuration import Configuration

CONCURRENCIES = (1, 8, 32)
NTH_TURNS = (1, 40)


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How long to measure. `turns` in a round by concurrency."""

    rounds: int
    turns: dict[int, int]
    conversations: int


FULL = Effort(rounds=5, turns={1: 32, 8: 64, 32: 128}, conversations=5)
QUICK = Effort(rounds=2, turns={1: 16, 8: 32, 32: 128}, conversations=2)


async def versus(configuration: Configuration, names: Sequence[str], effort: Effort) -> None:
    """Measure the contenders `names` ("turns", "langgraph") and print what they cost."""
    server = Server(configuration)
    describe(server)
    async with AsyncExitStack() as stack:
        contenders = await _contenders(configuration, server, names, stack)
        tell("warming up")
        for contender in contenders:
            await run_round(contender, server, concurrency=8, turns=32)
        for concurrency in CONCURRENCIES:
            await _level(contenders, server, concurrency, effort)
        await _growths(contenders, server, effort)


async def _contenders(
    configuration: Configuration, server: Server, names: Sequence[str], stack: AsyncExitStack
) -> list[Contender]:
    contenders: list[Contender] = []
    if "turns" in names:
        from benchmarks.turns import soma_turns  # noqa: PLC0415 - LangGraph alone needs none of it

        contenders.append(await stack.enter_async_context(soma_turns(configuration)))
    if "langgraph" in names:
        from benchmarks.langgraph_turns import langgraph_turns  # noqa: PLC0415 - a slow import

        contenders.append(await stack.enter_async_context(langgraph_turns(server)))
    return contenders


async def _level(contenders: list[Contender], server: Server, concurrency: int, effort: Effort) -> None:
    turns = effort.turns[concurrency]
    rounds: dict[str, list[Round]] = {contender.name: [] for contender in contenders}
    for number in range(1, effort.rounds + 1):
        for contender in contenders:
            tell(f"{turns} turns, {concurrency} at once, {contender.name}, round {number} of {effort.rounds}")
            rounds[contender.name].append(
                await run_round(contender, server, concurrency=concurrency, turns=turns)
            )
    figures = {name: medians(each.figures() for each in done) for name, done in rounds.items()}
    for name, figure in figures.items():
        emit(
            "turns",
            system=name,
            concurrency=concurrency,
            iterations=ITERATIONS,
            rounds=effort.rounds,
            turns_in_a_round=turns,
            turns_of_a_conversation=TURNS_A_CONVERSATION,
            **figure,
        )
    if len(figures) == 2:
        ours, theirs = figures["somastack"], figures["langgraph"]
        compared = ("turn_ms_p50", "turn_ms_p95", "iteration_ms_p50", "turns_per_second", "cpu_ms_per_turn")
        emit(
            "turns_ratio",
            of="somastack / langgraph",
            concurrency=concurrency,
            **{name: round(ours[name] / theirs[name], 3) for name in compared},
        )


async def _growths(contenders: list[Contender], server: Server, effort: Effort) -> None:
    found: dict[str, list[Growth]] = {}
    for contender in contenders:
        tell(f"rows and write-ahead log of {contender.name}")
        found[contender.name] = await growth(
            contender, server, nth=NTH_TURNS, conversations=effort.conversations
        )
        for each in found[contender.name]:
            emit(
                "growth",
                system=contender.name,
                nth_turn=each.nth_turn,
                rows=sum(each.rows.values()),
                wal_bytes=each.wal_bytes,
                wal_bytes_first_turn_after_checkpoint=each.wal_bytes_after_checkpoint,
                rows_by_table=each.rows,
            )
    if len(found) == 2:
        for ours, theirs in zip(found["somastack"], found["langgraph"], strict=True):
            emit(
                "growth_ratio",
                of="somastack / langgraph",
                nth_turn=ours.nth_turn,
                rows=round(sum(ours.rows.values()) / sum(theirs.rows.values()), 3),
                wal_bytes=round(ours.wal_bytes / theirs.wal_bytes, 3),
            )
