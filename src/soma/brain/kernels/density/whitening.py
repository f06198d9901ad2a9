"""Scores that discount the directions all of a namespace shares: qᵀ(ρ + εI)⁻¹f.

ρ = BᵀB/energy is the namespace's density matrix, of trace 1 at most. In a superposition the other vectors
are the noise, and in the clear they lie as all of the namespace does: their covariance is ρ, and (ρ + εI)⁻¹
is the matched filter against it. Where keys at random have spread them evenly the noise is white, and where
nothing is superposed there is none: then, with ε → ∞, it is the plain cosine that finds the right one.
"""

import numpy as np

from soma.brain.kernels.density.sketch import Doubles, Sketch


def noise_level(sketch: Sketch, clear: float, spread: float) -> float:
    """ε: the white noise in each of d directions over the power of the noise that lies like ρ.

    `clear` > 0 is the power of the superposed vectors that stand in the clear, `spread` ≥ 0 of those that
    keys have spread evenly, both relative to the candidate's: n − 1 in all for n equal vectors. What of the
    namespace the sketch does not hold counts as white, and so does one vector's worth of doubt, which keeps
    ε above 0.
    """
    dimension = int(sketch.rows.shape[1])
    held = float(np.sum(np.square(sketch.rows)))
    unheld = max(0.0, 1.0 - held / sketch.energy) if sketch.energy > 0 else 0.0
    return (spread / clear + unheld + 1.0 / (sketch.count + 1)) / dimension


def whitened_scores(query: Doubles, candidates: Doubles, sketch: Sketch, noise: float) -> Doubles:
    """qᵀ(ρ + εI)⁻¹f for each f of `candidates` (n, d) and `query` (d,): (n,). `noise` is ε > 0."""
    scores: Doubles = candidates @ _whitened(query[None], sketch, noise)[0]
    return scores


def whitened_cosines(query: Doubles, candidates: Doubles, sketch: Sketch, noise: float) -> Doubles:
    """The same scores between vectors of whitened length 1: (n,) in [−1, 1]; 0 where one of the two is zero.

    With growing ε they turn into plain cosines.
    """
    whitened = _whitened(np.vstack([query, candidates]), sketch, noise)
    squares = np.einsum("nd,nd->n", np.vstack([query, candidates]), whitened)
    scale = np.sqrt(np.maximum(squares[0] * squares[1:], 0.0))
    scores = candidates @ whitened[0]
    found: Doubles = np.divide(scores, scale, out=np.zeros_like(scores), where=scale > 0)
    return found


def _whitened(vectors: Doubles, sketch: Sketch, noise: float) -> Doubles:
    """(ρ + εI)⁻¹x for each row x of `vectors` (n, d), by Woodbury's identity: a system of the sketch's r rows
    instead of d columns. Of vectors without any energy ρ is 0."""
    rows = sketch.rows if sketch.energy > 0.0 else sketch.rows[:0]
    inner = rows @ rows.T + noise * sketch.energy * np.eye(len(rows))
    known = np.linalg.solve(inner, rows @ vectors.T) if len(rows) else np.empty((0, len(vectors)))
    return (vectors - known.T @ rows) / noise
