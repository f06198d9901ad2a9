"""A working-memory trace: one vector that holds the latest pairs, older ones the fainter."""

import numpy as np

from soma.brain.kernels.hrr.spectrum import Spectra


def write(trace: Spectra, key: Spectra, value: Spectra, decay: float) -> Spectra:
    """M ← (1 − η)·M + bind(key, value), all (bins,), 0 ≤ η < 1, normalised nowhere: scaling M again would
    age the new with the old.

    After many writes of pairs of norm 1 the norm settles at 1/√(η(2 − η)), and the pair of `a` writes ago
    has the cosine (1 − η)^a·√(η(2 − η)) to the trace.
    """
    return np.float32(1.0 - decay) * trace + key * value
