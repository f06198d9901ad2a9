"""Reading many pairs out of one trace: what is certain is taken out, which uncovers what it hid.

Successive interference cancellation, as in multi-user radio (S. Verdú, Multiuser Detection, 1998) and in
matching pursuit. Cleaned up one by one, the faint pairs of a trace drown in the strong ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soma.brain.kernels.hrr.binding import unbind
from soma.brain.kernels.hrr.cleanup import noise_ceiling, significance
from soma.brain.kernels.hrr.similarity import cosines, dots, norms
from soma.brain.kernels.hrr.spectrum import Floats, Spectra, dimension_of

FALSE_ACCEPTS = 0.01
"""How many wrong values a whole reading may take out, on average: each would add to the noise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """For each key its value's index, its z against what was left of the trace, whether it is certain."""

    indices: NDArray[np.intp]
    z: Floats
    accepted: NDArray[np.bool_]


def read(trace: Spectra, keys: Spectra, items: Spectra) -> Reading:
    """The values, among `items` (m, bins), that `trace` (bins,) holds under unitary `keys` (n, bins).

    Rounds of: compare what is left of the trace, unbound with every open key, to all items; take out, with
    the strength it shows, each value that clears the noise of all n·m comparisons; until none does. At most
    n rounds of n·m·D multiplications; three to five where the trace can be read at all.
    """
    best = np.zeros(len(keys), np.intp)
    z = np.zeros(len(keys), np.float32)
    accepted = np.zeros(len(keys), bool)
    ceiling = noise_ceiling(len(keys) * len(items), FALSE_ACCEPTS)
    while not accepted.all():
        opened = np.flatnonzero(~accepted)
        best[opened], z[opened] = _nearest(unbind(trace, keys[opened]), items)
        certain = opened[z[opened] >= ceiling]
        if certain.size == 0:
            break
        accepted[certain] = True
        trace = trace - _held(trace, keys[certain] * items[best[certain]])
    return Reading(indices=best, z=z, accepted=accepted)


def _nearest(queries: Spectra, items: Spectra) -> tuple[NDArray[np.intp], Floats]:
    found = cosines(items, queries)
    best = found.argmax(axis=-1)
    return best, significance(np.take_along_axis(found, best[:, None], axis=-1)[:, 0], dimension_of(items))


def _held(trace: Spectra, pairs: Spectra) -> Spectra:
    """What the trace holds of each of `pairs` (n, bins), added up."""
    squares = np.square(norms(pairs))
    strengths = np.divide(dots(pairs, trace), squares, out=np.zeros_like(squares), where=squares > 0)
    held: Spectra = strengths.astype(np.complex64) @ pairs
    return held
