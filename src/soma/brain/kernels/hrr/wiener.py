"""Unbinding with keys that are not unitary.

For T = K·V + N the linear estimate of V with the least mean square error is T·K̄/(|K|² + λ), with λ the
power of the crosstalk N over that of V (N. Wiener, 1949). Division alone (λ = 0) blows up the bins where K
is small; a constant λ is right for one load only.
"""

import numpy as np

from soma.brain.kernels.hrr.spectrum import Spectra


def crosstalk_ratio(trace: Spectra, key: Spectra, value_power: float = 1.0) -> float:
    """λ as measured: what the trace's mean power has beyond that of `key` bound to a value, over the value's.

    `trace` and `key` (bins,); `value_power` is the mean square modulus of the value's bins, 1 for a vector of
    norm 1. Never below 0; n equally strong pairs of norm 1 give about n − 1.
    """
    excess = _power(trace) / value_power - _power(key)
    return max(0.0, excess)


def wiener_unbind(trace: Spectra, key: Spectra, ratio: float) -> Spectra:
    """The estimate of the value: trace·conj(key)/(|key|² + ratio), all (..., bins), broadcast; 0 where 0/0.

    With a unitary key it is the plain `unbind` over 1 + ratio: the cosines are the same.
    """
    power = np.square(key.real) + np.square(key.imag) + np.float32(ratio)
    product = np.conjugate(key) * trace
    return np.divide(product, power, out=np.zeros_like(product), where=power > 0)


def _power(spectrum: Spectra) -> float:
    return float(np.mean(np.square(spectrum.real) + np.square(spectrum.imag)))
