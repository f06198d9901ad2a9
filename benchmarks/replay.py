"""Replays: a thousand turns of all kinds are verified from the log, a hundred are run again.

Those that are verified run on a model that costs nothing, since it is the turn that matters there; some of
their processes are killed with SIGKILL in the middle, and what is left is taken over here. Those that are run
again have the real local model.
"""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from benchmarks.conversing import Desk, desk, patiently
from benchmarks.courses import COURSES, CourseModel
from benchmarks.figures import percentiles
from benchmarks.lines import emit, tell
from soma.agent.api import Agent, LoopSettings, Models, ReplayMode, ReplayReport, Verdict
from soma.base.configuration import Configuration
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.project.models import language_models

AT_ONCE = 8
VICTIM = (sys.executable, "-m", "benchmarks.victim")
SHORT = LoopSettings(max_output_tokens=12)
TALK = (
    "What is {0} * 7?",
    "My cat is called Mia{0}.",
    "What is my cat called?",
    "How much is ({0} + 5) / 3?",
    "What time is it?",
    "Say a word about the number {0}.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How many turns are verified, how many of them are in one of `kills` processes that are killed, and how
    many others are run again."""

    turns: int
    killed: int
    kills: int
    again: int


FULL = Effort(turns=1000, killed=96, kills=8, again=100)
QUICK = Effort(turns=60, killed=12, kills=1, again=6)


async def replay(configuration: Configuration, effort: Effort) -> None:
    """Make the turns, replay them, and print what came of it."""
    async with desk(configuration, Models(primary=CourseModel())) as opened:
        slug = f"replay-{new_id().hex}"
        principal = await opened.tenant(slug)
        turns = await _made(opened, principal, slug, effort)
        await opened.settle()
        tell(f"verifying {len(turns)} turns")
        reports, ms = await _replayed(opened.agent, principal, turns, ReplayMode.VERIFY)
        _tell("replay_verify", reports, ms, model="simulated, costs nothing", courses=len(COURSES))
    models = await asyncio.to_thread(language_models, configuration)
    async with desk(configuration, models) as opened:
        principal = await opened.tenant(f"again-{new_id().hex}")
        turns = await _talked(opened, principal, effort.again)
        await opened.settle()
        tell(f"running {len(turns)} turns again")
        reports, ms = await _replayed(opened.agent, principal, turns, ReplayMode.REEXECUTE)
        _tell("replay_reexecute", reports, ms, model=models.primary.name)


async def _made(opened: Desk, principal: Principal, slug: str, effort: Effort) -> list[UUID]:
    """Turns of all courses; the later ones by processes that are killed."""
    whole = effort.turns - effort.killed
    tell(f"{whole} turns, {AT_ONCE} conversations at once")
    # The tenant's agent is made with its first conversation, which is nobody's race.
    await opened.agent.create_conversation(principal)
    shares = [range(worker, whole, AT_ONCE) for worker in range(AT_ONCE)]
    done = await asyncio.gather(*(_conversation(opened, principal, share) for share in shares))
    turns = [turn for share in done for turn in share]
    each = effort.killed // effort.kills
    for number in range(effort.kills):
        tell(f"{each} turns in a process that is killed, {number + 1} of {effort.kills}")
        turns += await _killed(opened, principal, slug, whole + number * each, each)
    return turns


async def _conversation(opened: Desk, principal: Principal, seeds: range) -> list[UUID]:
    conversation = (await opened.agent.create_conversation(principal)).id
    return [
        await opened.take(principal, conversation, f"Question {seed}: what do they come to?", seed=seed)
        for seed in seeds
    ]


async def _killed(opened: Desk, principal: Principal, slug: str, seed: int, count: int) -> list[UUID]:
    """Turns whose process gets SIGKILL after some of what it says, to their end here."""
    conversations = [(await opened.agent.create_conversation(principal)).id for _ in range(count)]
    said = random.Random(seed).randint(1, 12 * count)  # noqa: S311 - a place to kill at, no secret
    await asyncio.to_thread(_kill_after, [slug, str(seed), *map(str, conversations)], said)
    turns = []
    for conversation in conversations:
        view = await patiently(partial(opened.agent.conversation, principal, conversation))
        turns += list(dict.fromkeys(message.turn_id for message in view.messages))
    for turn in turns:
        await opened.ended(principal, turn)
    return turns


def _kill_after(arguments: list[str], lines: int) -> None:
    """Run a victim until it has said so many lines."""
    with subprocess.Popen([*VICTIM, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        for number, _ in enumerate(process.stdout, start=1):
            if number == lines:
                process.send_signal(signal.SIGKILL)


async def _talked(opened: Desk, principal: Principal, count: int) -> list[UUID]:
    """Short turns on the real model, six to a conversation."""
    await opened.database.run(opened.agent._capsules.create, principal.tenant_id, "short", SHORT)
    turns: list[UUID] = []
    for number in range(count):
        if number % len(TALK) == 0:
            tell(f"{number} of {count} turns on the local model")
            conversation = (await opened.agent.create_conversation(principal, agent="short")).id
        turns.append(await opened.take(principal, conversation, TALK[number % len(TALK)].format(number + 11)))
    return turns


async def _replayed(
    agent: Agent, principal: Principal, turns: list[UUID], mode: ReplayMode
) -> tuple[list[ReplayReport], list[float]]:
    reports, ms = [], []
    for turn in turns:
        started = time.perf_counter()
        reports.append(await patiently(partial(agent.replay, principal, turn, mode)))
        ms.append((time.perf_counter() - started) * 1000)
    return reports, ms


def _tell(benchmark: str, reports: list[ReplayReport], ms: list[float], **more: object) -> None:
    verdicts = Counter(report.verdict.value for report in reports)
    for report in reports:
        if report.verdict is not Verdict.IDENTICAL:
            emit(f"{benchmark}_not_identical", **report.to_dict())
    emit(
        benchmark,
        turns=len(reports),
        **{verdict.value: verdicts[verdict.value] for verdict in Verdict},
        iterations=sum(report.iterations for report in reports),
        resumed=sum(report.attempts > 1 for report in reports),
        by_status=dict(Counter(report.status for report in reports)),
        ms_per_turn={name: round(value, 2) for name, value in percentiles(ms).items()},
        **more,
    )
