"""Frames in superposition against plain look-ups in the same frames: `python -m benchmarks.frames`.

Events are told as sentences, read into frames, and asked for where they were: by who and the thing, by who
and the verb, by who and one of the thing's two words, and by the thing and somebody else. A look-up
compares whole tokens; the overlap counts what a frame shares with the cues, frame by frame; the
superposition is what `Brain.ask_frame` reads, without the memories' vectors. Prints JSON lines: the share
of questions whose first answer is right, milliseconds of processor time a question, and the bytes that
tokens or traces take.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from benchmarks.lines import emit, tell
from soma.brain.domain.frame import Role, StoredFrame, filler_of
from soma.brain.domain.frame_extraction import frames_of
from soma.brain.kernels.density.sketch import empty
from soma.brain.services.frame_traces import FRAMES_A_TRACE, Codebook, Cues, read_traces, traces_of

NAMES = "Ada Bob Carlos Dina Emil Fatma Greta Hugo Ines Jon Kim Lena Marco Nina Omar Petra".split()
VERBS = "visited bought painted repaired sold photographed cleaned found borrowed lost".split()
KINDS = "old red grey blue silver wooden small science stone oak".split()
THINGS = "church bicycle boat lamp ring clock house museum bridge table".split()
PLACES = "London Paris Madrid Oslo Porto Vienna Krakow Lisbon Berlin Dublin Athens Rome".split()
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SIZES = (64, 256)
QUESTIONS = 64

Answer = Callable[[Cues], str | None]
Event = tuple[str, str, str, str]


def main() -> int:
    """Measure all sizes."""
    for size in SIZES:
        tell(f"{size} frames")
        _measure(size)
    return 0


def _measure(size: int) -> None:
    draw = random.Random(size)  # noqa: S311 - the same events each time
    told = [
        (
            draw.choice(NAMES),
            draw.choice(VERBS),
            f"{draw.choice(KINDS)} {draw.choice(THINGS)}",
            draw.choice(PLACES),
        )
        for _ in range(size)
    ]
    stored = [_stored(number, event) for number, event in enumerate(told)]
    latest = stored[::-1]
    systems: dict[str, Answer] = {
        "look-up of tokens": lambda cues: _looked_up(latest, cues),
        "overlap of parts": lambda cues: _overlapping(latest, cues),
        "superposition": lambda cues: _superposed(latest, cues),
    }
    asked = draw.sample(range(size), min(size, QUESTIONS))
    for name, cues_of in CUES.items():
        questions = [(number, cues_of(told[number], draw)) for number in asked]
        for system, answer in systems.items():
            started = time.process_time()
            answers = [answer(cues) for _, cues in questions]
            spent = time.process_time() - started
            right = [
                given in _right(told, cues, number)
                for given, (number, cues) in zip(answers, questions, strict=True)
            ]
            emit(
                "frames",
                frames=size,
                cues=name,
                system=system,
                right=round(sum(right) / len(right), 3),
                cpu_ms=round(1e3 * spent / len(asked), 2),
                bytes_kept=_bytes(stored, system),
            )


def _stored(number: int, event: Event) -> StoredFrame:
    [frame] = frames_of(
        "{} {} the {} in {}.".format(*event), speaker="", occurred_at=NEW_YEAR + timedelta(days=number)
    )
    return StoredFrame(record_id=UUID(int=number), position=0, frame=frame)


CUES: dict[str, Callable[[Event, random.Random], Cues]] = {
    "who and thing": lambda event, draw: (_cue(Role.WHO, event[0]), _cue(Role.WHAT, event[2])),
    "who and verb": lambda event, draw: (_cue(Role.WHO, event[0]), _cue(Role.WHAT, event[1])),
    "who and a word of the thing": lambda event, draw: (
        _cue(Role.WHO, event[0]),
        _cue(Role.WHAT, event[2].split()[1]),
    ),
    "thing, and who is wrong": lambda event, draw: (
        _cue(Role.WHO, draw.choice([name for name in NAMES if name != event[0]])),
        _cue(Role.WHAT, event[2]),
    ),
}


def _cue(role: Role, text: str) -> tuple[Role, str]:
    return role, filler_of(text).token


def _right(told: Sequence[Event], cues: Cues, number: int) -> set[str]:
    """Where any event was that fits the cues no worse than the one that is asked for."""
    tokens = dict(cues)
    return {filler_of(told[number][3]).token} | {
        filler_of(event[3]).token for event in told if _fit(event, tokens) >= _fit(told[number], tokens)
    }


def _fit(event: Event, tokens: dict[Role, str]) -> float:
    who = float(filler_of(event[0]).token == tokens[Role.WHO])
    wanted = set(tokens[Role.WHAT].split())
    has = {*filler_of(event[1]).parts, *filler_of(event[2]).parts}
    return who + len(wanted & has) / len(wanted)


def _looked_up(latest: Sequence[StoredFrame], cues: Cues) -> str | None:
    for each in latest:
        roles = each.frame.roles
        if all(token in {filler.token for filler in roles.get(role, ())} for role, token in cues):
            return roles[Role.WHERE][0].token
    return None


def _overlapping(latest: Sequence[StoredFrame], cues: Cues) -> str | None:
    best = max(latest, key=lambda each: sum(each.frame.coverage(role, token) for role, token in cues))
    return best.frame.roles[Role.WHERE][0].token


def _superposed(latest: Sequence[StoredFrame], cues: Cues) -> str | None:
    codebook = Codebook()
    reads = read_traces(
        traces_of(latest, codebook), codebook, cues, Role.WHERE, lambda ids: {}, empty(32, 384)
    )
    best = max(
        reads,
        key=lambda read: (sum(read.stored.frame.coverage(role, token) for role, token in cues), read.z),
        default=None,
    )
    return None if best is None else best.token


def _bytes(stored: Sequence[StoredFrame], system: str) -> int:
    if system == "superposition":
        return -(-len(stored) // FRAMES_A_TRACE) * np.dtype(np.complex64).itemsize * 4097
    return sum(len(filler.token) + len(role) for each in stored for role, _, filler in each.frame.pairs())


if __name__ == "__main__":
    sys.exit(main())
