"""Inner products of vectors from their half spectra (Parseval), without leaving the frequency domain."""

import numpy as np

from soma.brain.kernels.hrr.spectrum import Floats, Spectra, dimension_of, parts


def dots(items: Spectra, queries: Spectra) -> Floats:
    """Inner products (..., m) of the vectors of `queries` (..., bins) with those of `items` (m, bins)."""
    weighted = queries * np.float32(2.0 / dimension_of(queries))
    weighted[..., [0, -1]] *= np.float32(0.5)  # these two bins have no mirror image
    products: Floats = parts(weighted) @ parts(items).T
    return products


def norms(spectra: Spectra) -> Floats:
    """Euclidean norms (...) of the vectors of spectra (..., bins)."""
    flat, ends = parts(spectra), spectra[..., [0, -1]].real
    squares = 2.0 * np.vecdot(flat, flat) - np.vecdot(ends, ends)
    lengths: Floats = np.sqrt(np.maximum(squares, 0.0) / dimension_of(spectra), dtype=np.float32)
    return lengths


def cosines(items: Spectra, queries: Spectra) -> Floats:
    """Cosines (..., m) of `queries` (..., bins) with `items` (m, bins); 0 where a vector is zero."""
    scale = norms(queries)[..., None] * norms(items)
    products = dots(items, queries)
    found: Floats = np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)
    return found
