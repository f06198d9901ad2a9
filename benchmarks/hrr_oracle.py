"""Whether our holographic algebra is torch-hd's: the same vectors through both."""

import numpy as np

from benchmarks.torch_hd import TorchHd, as_torch
from soma.brain.kernels.hrr.binding import bind, bundle, permute, unbind
from soma.brain.kernels.hrr.similarity import cosines
from soma.brain.kernels.hrr.spectrum import from_time, to_time


def differences(dimension: int) -> dict[str, float]:
    """By verb, the largest difference in any element, for vectors of norm 1 (elements of about 1/√D)."""
    oracle = TorchHd("HRR")
    vectors = np.random.default_rng(5).standard_normal((4, dimension), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ours, theirs = from_time(vectors), as_torch(vectors)
    pairs = {
        "bind": (to_time(bind(ours[0], ours[1])), oracle.bind(theirs[0], theirs[1])),
        "unbind": (to_time(unbind(ours[0], ours[1])), oracle.unbind(theirs[0], theirs[1])),
        "bundle": (to_time(bundle(ours)), oracle.bundle(theirs)),
        "permute": (to_time(permute(ours[0], 3)), oracle.permute(theirs[0], 3)),
        "cosine": (cosines(ours, ours[0]), [oracle.cosine(theirs[0], each) for each in theirs]),
    }
    return {name: float(np.abs(mine - np.asarray(its)).max()) for name, (mine, its) in pairs.items()}
