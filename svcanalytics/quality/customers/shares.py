"""Shares that explain an outcome: non-negative, adding up to one, shrunk towards given ones; all from block moments.

Moments (sums of products per block of time) are all that a fit needs, so that leaving blocks out and drawing them again
costs a sum of small matrices and not another pass over the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments", "explained_shares", "moments_by_block", "pinned_basis", "smooth_shares"]

Array = NDArray[np.float64]

_TINY = 1e-9


@dataclass(frozen=True)
class Moments:
    """Weighted sums per block: of one, of the columns, of the outcome and of their products.

    Attributes
    ----------
    weight : numpy.ndarray, shape (blocks,)
    x : numpy.ndarray, shape (blocks, columns)
    y : numpy.ndarray, shape (blocks,)
    xx : numpy.ndarray, shape (blocks, columns, columns)
    xy : numpy.ndarray, shape (blocks, columns)
    yy : numpy.ndarray, shape (blocks,)
    """

    weight: Array
    x: Array
    y: Array
    xx: Array
    xy: Array
    yy: Array

    def centred(self, times: Array | None = None) -> tuple[Array, Array, float]:
        """Return the covariances of the columns, those with the outcome, and the outcome's variance.

        Parameters
        ----------
        times : numpy.ndarray, shape (blocks,), optional
            How often each block counts; default once.
        """
        c = np.ones(len(self.weight)) if times is None else np.asarray(times, dtype="float64")
        n = c @ self.weight
        mean, level = c @ self.x / n, c @ self.y / n
        xx = np.tensordot(c, self.xx, axes=1) / n - np.outer(mean, mean)
        return xx, c @ self.xy / n - mean * level, float(c @ self.yy / n - level**2)


def moments_by_block(x: Array, y: Array, weight: Array, block: NDArray[np.int64]) -> Moments:
    """Sum the rows of each block.

    Parameters
    ----------
    x : numpy.ndarray, shape (rows, columns)
    y, weight : numpy.ndarray, shape (rows,)
    block : numpy.ndarray of int, shape (rows,)
        Numbers from 0, none left out.
    """
    blocks = int(block.max()) + 1
    wide = np.column_stack([np.ones(len(y)), x, y])
    sums = np.empty((blocks, wide.shape[1], wide.shape[1]))
    for number in range(blocks):
        rows = wide[block == number]
        sums[number] = (rows * weight[block == number, None]).T @ rows
    return Moments(
        sums[:, 0, 0], sums[:, 0, 1:-1], sums[:, 0, -1], sums[:, 1:-1, 1:-1], sums[:, 1:-1, -1], sums[:, -1, -1]
    )


def pinned_basis(prior: Array, pinned: NDArray[np.bool_]) -> Array:
    """Return the matrix that turns free coefficients into all of them, pinned ones keeping their share of the sum.

    Parameters
    ----------
    prior : numpy.ndarray, shape (columns,)
        Shares adding up to one; those of pinned columns hold exactly.
    pinned : numpy.ndarray of bool, shape (columns,)

    Returns
    -------
    numpy.ndarray, shape (columns, free)
    """
    free = np.flatnonzero(~pinned)
    basis = np.zeros((len(prior), len(free)))
    basis[free, np.arange(len(free))] = 1.0
    basis[pinned] = prior[pinned, None] / (1 - prior[pinned].sum())
    return basis


def explained_shares(xx: Array, xy: Array, prior: Array, penalty: float, basis: Array | None = None) -> Array:
    """Return coefficients b >= 0 that minimise ``|y - Xb|^2 / n + penalty * v * |b - s * prior|^2`` with s = sum(b).

    b = s * w: w are the shares, s the free positive scale that puts an index on the outcome's scale. The penalty is
    nothing along the ray of the prior, so scale and shares are found in one convex problem (non-negative least squares,
    Lawson and Hanson 1974) and an infinite penalty leaves the prior's shares with the best scale. v is the mean
    variance of the columns, which makes the penalty free of units.

    Parameters
    ----------
    xx : numpy.ndarray, shape (columns, columns)
        Covariances of the columns.
    xy : numpy.ndarray, shape (columns,)
        Covariances with the outcome.
    prior : numpy.ndarray, shape (columns,)
        Shares, adding up to one.
    penalty : float
        From 0 to infinity.
    basis : numpy.ndarray, optional
        From `pinned_basis`; default nothing is pinned.

    Returns
    -------
    numpy.ndarray, shape (columns,)
        All zero when nothing has a positive bearing on the outcome.
    """
    if np.isinf(penalty):
        variance = prior @ xx @ prior
        return prior * max(0.0, prior @ xy / variance) if variance > 0 else np.zeros_like(prior)
    return smooth_shares(xx[None], xy[None], np.ones(1), prior, penalty, 0.0, basis)[0]


def smooth_shares(
    xx: Array, xy: Array, size: Array, prior: Array, penalty: float, smooth: float, basis: Array | None = None
) -> Array:
    """Return coefficients as `explained_shares` for several periods at once, held close from one to the next.

    Added to the loss is ``smooth * v * sum_t |b_t - b_(t-1)|^2``.

    Parameters
    ----------
    xx : numpy.ndarray, shape (periods, columns, columns)
    xy : numpy.ndarray, shape (periods, columns)
    size : numpy.ndarray, shape (periods,)
        Shares of the rows; a period without any is bridged.
    prior : numpy.ndarray, shape (columns,)
    penalty, smooth : float
        Finite.
    basis : numpy.ndarray, optional
        From `pinned_basis`.

    Returns
    -------
    numpy.ndarray, shape (periods, columns)
    """
    from scipy.optimize import nnls

    periods, columns = xy.shape
    basis = np.eye(columns) if basis is None else basis
    free = basis.shape[1]
    scale = float(size @ np.trace(xx, axis1=1, axis2=2)) / columns
    away = (np.eye(columns) - np.outer(prior, np.ones(columns))) @ basis
    steps = np.diff(np.eye(periods), axis=0)
    square = smooth * scale * np.kron(steps.T @ steps, basis.T @ basis)
    for number in range(periods):
        here = slice(number * free, (number + 1) * free)
        square[here, here] += size[number] * (basis.T @ xx[number] @ basis + penalty * scale * away.T @ away)
    square[np.diag_indices_from(square)] += _TINY * scale
    root = np.linalg.cholesky(square)
    found, _ = nnls(root.T, np.linalg.solve(root, ((size[:, None] * xy) @ basis).ravel()))
    return found.reshape(periods, free) @ basis.T
