"""Where the segments of a whole stream start."""

from soma.brain.kernels.changepoint.runs import KEPT, Expectation, likeliest_length, no_runs, observe
from soma.brain.kernels.changepoint.sphere import Doubles


def segment_starts(vectors: Doubles, expected: Expectation, kept: int = KEPT) -> list[int]:
    """Indices of the unit `vectors` (n, d) that start a segment, 0 among them where n > 0.

    The likeliest segmentation, up to what was dropped: the last vector's segment, then the same of what is
    before it (Viterbi's way back).
    """
    runs, lengths = no_runs(expected), []
    for vector in vectors:
        runs = observe(runs, vector, expected, kept)
        lengths.append(likeliest_length(runs))
    starts, end = [], len(vectors)
    while end > 0:
        end -= lengths[end - 1]
        starts.append(end)
    return starts[::-1]
