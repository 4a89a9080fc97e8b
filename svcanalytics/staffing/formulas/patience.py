"""The one special function behind queues with impatient customers, right for any size and any load."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["log_kummer", "log_poisson"]

_DEPTH = 40
_SMALL = 20.0


def log_kummer(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log A(x, y), A(x, y) = x e^y y^-x gamma(x, y) = 1 + y/(x+1) + y^2/((x+1)(x+2)) + ...

    Palm's function (Palm 1957; Mandelbaum and Zeltyn 2007, eq. 2.3), which is Kummer's M(1; x+1; y). Where y is well
    below x it is a continued fraction that settles in a few steps; elsewhere it follows from the regularised incomplete
    gamma function, with the large terms that cancel taken out before they are computed (Loader 2000). Relative error of
    A below 1e-11 for x up to 1e9.

    Parameters
    ----------
    x, y : numpy.ndarray of float64
        Of one shape; x > 0, y >= 0.
    """
    from scipy.special import gammainc

    out = np.empty_like(x)
    below = y < x - 3 * np.sqrt(x)
    out[below] = _continued(x[below], y[below])
    a, b = x[~below], y[~below]
    with np.errstate(divide="ignore", invalid="ignore"):
        out[~below] = np.where(b > 0, np.log(gammainc(a, b)) - log_poisson(a, b), 0.0)
    return out


def log_poisson(n: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log(mean^n e^-mean / Gamma(n + 1)) for real n > 0 and mean > 0, without cancellation (Loader 2000)."""
    from scipy.special import gammaln

    with np.errstate(divide="ignore", invalid="ignore"):
        direct = n * np.log(mean) - mean - gammaln(n + 1)
        off = (mean - n) / n
        deviance = n * (off - np.where(off < -0.5, np.log(mean / n), np.log1p(off)))
        stirling = 1 / (12 * n) - 1 / (360 * n**3) + 1 / (1260 * n**5)
        scaled = -deviance - stirling - 0.5 * np.log(2 * np.pi * n)
    return np.where(n < _SMALL, direct, scaled)


def _continued(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    # The continued fraction of the lower incomplete gamma function, from the end (NIST DLMF 8.9.1, Gauss).
    tail = np.zeros_like(x)
    for k in range(2 * _DEPTH, 0, -1):
        step = -(x + (k - 1) // 2) * y if k % 2 else (k // 2) * y
        tail = step / (x + k + tail)
    return np.log(x) - np.log(x + tail)
