"""Frames read out of superpositions.

A trace has the same size whatever its frames say, and gives way by degrees: cues that match in part, or of
which one is wrong, find the nearest events. It is not the cheapest way to do so: to count the parts that
each stored frame shares with the cues is as right, and a hundred times quicker (benchmarks/frames.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.brain.domain.frame import MAX_FILLERS, Role, StoredFrame, cue_parts, parts_of
from soma.brain.kernels.density.sketch import Sketch
from soma.brain.kernels.density.whitening import noise_level, whitened_cosines
from soma.brain.kernels.hrr.atoms import atoms
from soma.brain.kernels.hrr.binding import bundle, unbind
from soma.brain.kernels.hrr.cancellation import read
from soma.brain.kernels.hrr.cleanup import noise_ceiling
from soma.brain.kernels.hrr.frames import (
    cue_significance,
    filler_vector,
    lifted,
    lowered,
    role_keys,
    superposed,
)
from soma.brain.kernels.hrr.spectrum import DIMENSION, Floats, Spectra

FRAMES_A_TRACE = 8
"""More in one trace cost recall."""
DECAY = 0.08
READ_TRACES = 4
"""How many traces are read: those in which the cue stands out most."""
SEED = 1

Cues = Sequence[tuple[Role, str]]
Vectors = Callable[[Sequence[UUID]], Mapping[UUID, NDArray[np.float32]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A filler's `token` that a trace holds for the wanted role of `stored`, its `z`, how certain it is
    that it is no noise, and the whitened cosine of the memory to what the cues bring out of the
    superposition."""

    stored: StoredFrame
    token: str
    z: float
    certainty: float
    score: float


class Codebook:
    """The vectors of roles and fillers, made once a question."""

    def __init__(self) -> None:
        self._roles: dict[Role, Spectra] = {}
        self._fillers: dict[str, Spectra] = {}

    def role(self, role: Role) -> Spectra:
        """The keys of a role's fillers, (MAX_FILLERS, bins)."""
        if role not in self._roles:
            self._roles[role] = role_keys(role.value, MAX_FILLERS, SEED)
        return self._roles[role]

    def filler(self, token: str) -> Spectra:
        """The vector of a filler, (bins,)."""
        if token not in self._fillers:
            self._fillers[token] = filler_vector(parts_of(token), SEED)
        return self._fillers[token]

    def frame(self, stored: StoredFrame) -> Spectra:
        """The bundle of a frame's roles with their fillers, (bins,)."""
        pairs = [
            self.role(role)[place] * self.filler(each.token) for role, place, each in stored.frame.pairs()
        ]
        return bundle(np.stack(pairs))

    def cue(self, role: Role, token: str) -> Spectra:
        """A known filler at whatever place of its role it may stand, (bins,)."""
        parts = filler_vector(sorted(cue_parts(token)), SEED)
        return bundle(self.role(role)) * parts


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """Some frames, their `keys` (n, bins) and their bundles, superposed under the keys."""

    stored: Sequence[StoredFrame]
    keys: Spectra
    frames: Spectra
    trace: Spectra


def traces_of(latest: Sequence[StoredFrame], codebook: Codebook) -> list[Trace]:
    """`latest`, the latest first, in traces of FRAMES_A_TRACE; in each the latest is the strongest."""
    starts = range(0, len(latest), FRAMES_A_TRACE)
    return [_trace(latest[start : start + FRAMES_A_TRACE][::-1], codebook) for start in starts]


def read_traces(
    traces: Sequence[Trace],
    codebook: Codebook,
    cues: Cues,
    wanted: Role,
    vectors: Vectors,
    sketch: Sketch,
) -> list[Read]:
    """The fillers of `wanted` in the frames in which the bundle of `cues` clears the noise, of the
    READ_TRACES traces where it stands out most."""
    tokens = sorted({token for trace in traces for token in _fillers(trace.stored, wanted)})
    if not tokens:
        return []
    items = np.stack([codebook.filler(token) for token in tokens])
    cue = bundle(np.stack([codebook.cue(*each) for each in cues]))
    ceiling = noise_ceiling(sum(len(trace.stored) for trace in traces))
    heard = [(cue_significance(trace.trace, trace.keys, cue), trace) for trace in traces]
    heard = [each for each in heard if each[0].max() >= ceiling]
    heard.sort(key=lambda each: -float((each[0] / strengths(len(each[0]))).max()))
    found = list[Read]()
    for z, trace in heard[:READ_TRACES]:
        chosen = np.flatnonzero(z >= ceiling)
        scores = _scores(trace, chosen, codebook, cues, vectors, sketch)
        found.extend(_read(trace, chosen, scores, codebook.role(wanted), items, tokens))
    return found


def strengths(count: int) -> Floats:
    """How much of each of `count` frames is left in their trace, the oldest first, (count,)."""
    left: Floats = np.power(np.float32(1.0 - DECAY), np.arange(count - 1, -1, -1, dtype=np.float32))
    return left


def _trace(stored: Sequence[StoredFrame], codebook: Codebook) -> Trace:
    keys = atoms("frame", [f"{each.record_id}/{each.position}" for each in stored], SEED)
    frames = np.stack([codebook.frame(each) for each in stored])
    return Trace(stored=stored, keys=keys, frames=frames, trace=superposed(keys, frames, DECAY))


def _fillers(stored: Sequence[StoredFrame], wanted: Role) -> list[str]:
    return [filler.token for each in stored for filler in each.frame.roles.get(wanted, ())]


def _read(
    trace: Trace,
    chosen: NDArray[np.intp],
    scores: Floats,
    roles: Spectra,
    items: Spectra,
    tokens: Sequence[str],
) -> list[Read]:
    """All frames of the trace are read, not the chosen ones alone: what is certain in one uncovers others."""
    keys = (trace.keys[:, None] * roles[None]).reshape(-1, trace.keys.shape[-1])
    reading = read(trace.trace, keys, items)
    found = list[Read]()
    for frame, score in zip(chosen.tolist(), scores.tolist(), strict=True):
        for key in range(frame * len(roles), (frame + 1) * len(roles)):
            if reading.accepted[key]:
                z = float(reading.z[key])
                token = tokens[int(reading.indices[key])]
                certainty = max(0.0, 1.0 - len(tokens) * _tail(z))
                found.append(
                    Read(stored=trace.stored[frame], token=token, z=z, certainty=certainty, score=score)
                )
    return found


def _scores(
    trace: Trace,
    chosen: NDArray[np.intp],
    codebook: Codebook,
    cues: Cues,
    vectors: Vectors,
    sketch: Sketch,
) -> Floats:
    """The whitened cosines (k,) of the `chosen` (k,) memories to what the cues bring out of a superposition
    of frame ⊗ vector.

    Every memory whose frame has a known filler comes out in the clear, with the strength of as many as it
    has; the others are spread over all D places, of which d are looked at.
    """
    kept = vectors([each.record_id for each in trace.stored])
    held = [place for place, each in enumerate(trace.stored) if each.record_id in kept]
    if not held:
        return np.zeros(len(chosen), np.float32)
    rows = np.stack([kept[trace.stored[place].record_id] for place in held])
    size = rows.shape[1]
    whole = superposed(trace.frames[held], lifted(rows), DECAY)
    brought = sum(lowered(unbind(whole, codebook.cue(*each)), size) for each in cues)
    pairs = sum(1 for each in trace.stored for _ in each.frame.pairs())
    noise = noise_level(
        sketch,
        clear=float(max(1, len(chosen) - 1)),
        spread=pairs * len(cues) * MAX_FILLERS * size / DIMENSION,
    )
    places = {place: row for row, place in enumerate(held)}
    found = whitened_cosines(np.asarray(brought, np.float64), rows.astype(np.float64), sketch, noise)
    return np.array([found[places[place]] if place in places else 0.0 for place in chosen], np.float32)


def _tail(z: float) -> float:
    """How often a normal variable exceeds z."""
    return 0.5 * erfc(z / sqrt(2.0))
