"""Asking a namespace's frames for what is missing in one."""

import time
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db import InterfaceError, OperationalError

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import Unavailable
from soma.brain.domain.frame import Filler, Role, StoredFrame
from soma.brain.domain.frame_question import FrameAnswer, FrameAnswers, FrameMethod, FrameQuestion
from soma.brain.errors import RecallUnavailable
from soma.brain.services.density import standing_sketch
from soma.brain.services.frame_traces import Codebook, Cues, read_traces, traces_of
from soma.brain.services.frames import frames_filled, latest_frames
from soma.fractalmemory.api import FractalMemory

SUPERPOSED_FRAMES = 256
"""The latest events that superpositions hold; older ones are found by lookup alone."""
LOOKED_UP_FRAMES = 256


def ask_frame(memory: FractalMemory, question: FrameQuestion) -> FrameAnswers:
    """See Brain.ask_frame."""
    started = time.perf_counter()
    cues, wanted = question.cues(now()), Role(question.wanted)
    try:
        with tenant_transaction(question.tenant_id):
            answers, method, frames = _answers(memory, question, cues, wanted)
    except (Unavailable, OperationalError, InterfaceError) as error:
        raise RecallUnavailable(f"Memory could not be asked: {error}") from error
    return FrameAnswers(
        answers=tuple(answers[: question.top_k]),
        method=method,
        frames=frames,
        latency_ms=(time.perf_counter() - started) * 1e3,
    )


def _answers(
    memory: FractalMemory, question: FrameQuestion, cues: Cues, wanted: Role
) -> tuple[list[FrameAnswer], FrameMethod, int]:
    if question.method is not FrameMethod.HOLOGRAPHIC:
        filled = frames_filled(question.tenant_id, question.namespace, cues, LOOKED_UP_FRAMES)
        found = _looked_up(filled, cues, wanted)
        if found or question.method is FrameMethod.LOOKUP:
            return found, FrameMethod.LOOKUP, len(filled)
    latest = latest_frames(question.tenant_id, question.namespace, SUPERPOSED_FRAMES)
    return _superposed(memory, question, latest, cues, wanted), FrameMethod.HOLOGRAPHIC, len(latest)


def _looked_up(filled: Sequence[StoredFrame], cues: Cues, wanted: Role) -> list[FrameAnswer]:
    told = [(each, filler) for each in filled for filler in _asked_for(each, cues, wanted)]
    return _joined(
        [
            _answer(filler, each.record_id, matched=1.0, certainty=1.0, score=1.0, z=None)
            for each, filler in told
        ]
    )


def _superposed(
    memory: FractalMemory, question: FrameQuestion, latest: Sequence[StoredFrame], cues: Cues, wanted: Role
) -> list[FrameAnswer]:
    codebook = Codebook()
    reads = read_traces(
        traces_of(latest, codebook),
        codebook,
        cues,
        wanted,
        lambda ids: memory.vectors(question.tenant_id, ids),
        standing_sketch(question.tenant_id, question.namespace, memory.dimensions),
    )
    found = list[FrameAnswer]()
    for each in reads:
        # What was read is an answer only where the stored frame says so too.
        told = {filler.token: filler for filler in _asked_for(each.stored, cues, wanted)}
        matched = sum(each.stored.frame.coverage(role, token) for role, token in cues) / len(cues)
        if each.token in told and matched:
            found.append(
                _answer(
                    told[each.token],
                    each.stored.record_id,
                    matched=matched,
                    certainty=each.certainty,
                    score=each.score,
                    z=each.z,
                )
            )
    return _joined(sorted(found, key=lambda each: (-each.matched, -each.score, each.token)))


def _asked_for(stored: StoredFrame, cues: Cues, wanted: Role) -> list[Filler]:
    """The fillers of the wanted role, but for those that are known already."""
    known = {token for role, token in cues if role is wanted}
    return [filler for filler in stored.frame.roles.get(wanted, ()) if filler.token not in known]


def _answer(
    filler: Filler, record_id: UUID, *, matched: float, certainty: float, score: float, z: float | None
) -> FrameAnswer:
    return FrameAnswer(
        text=filler.text,
        token=filler.token,
        confidence=matched * certainty,
        matched=matched,
        score=score,
        z=z,
        record_ids=(record_id,),
    )


def _joined(answers: Sequence[FrameAnswer]) -> list[FrameAnswer]:
    """One answer a token: the first, with the memories of all."""
    memories: dict[str, dict[UUID, None]] = {}
    for each in answers:
        memories.setdefault(each.token, {}).update(dict.fromkeys(each.record_ids))
    first = {each.token: each for each in reversed(answers)}
    return [replace(first[token], record_ids=tuple(ids)) for token, ids in memories.items()]
