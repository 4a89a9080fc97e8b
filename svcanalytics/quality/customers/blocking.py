"""Blocks of time as evidence: which penalty predicts left-out blocks, how sure shares are, how indices do afterwards.

Rows of one time resemble each other, so nothing here ever parts them at random.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.quality.customers.evidence import Evidence
from svcanalytics.quality.customers.shares import Moments, explained_shares, moments_by_block

__all__ = ["PENALTIES", "chosen_penalty", "share_intervals", "sure_gain", "time_folds", "validated_later"]

Array = NDArray[np.float64]

PENALTIES = (*np.logspace(-3, 1.5, 10), np.inf)
"""Penalties tried, in variances of a metric's score; the last keeps the prior."""

_FOLDS = 8
_USE_LEVEL = 0.9  # one-sided: how sure the gain over the prior must be before the prior is left


def time_folds(blocks: int) -> NDArray[np.int64]:
    """Return which of at most eight consecutive folds each block belongs to."""
    return np.arange(blocks) * min(_FOLDS, blocks) // blocks


def sure_gain(gains: Array) -> bool:
    """Tell whether a gain over folds is above 0 at the one-sided 90 % level (t over folds)."""
    from scipy.stats import t

    error = gains.std(ddof=1) / np.sqrt(len(gains))
    return bool(gains.mean() > float(t.ppf(_USE_LEVEL, len(gains) - 1)) * error)


def chosen_penalty(moments: Moments, prior: Array, basis: Array) -> float:
    """Return the penalty that predicts left-out folds of blocks best; infinite when the prior predicts as well.

    Parameters
    ----------
    moments : Moments
        By block, in order of time.
    prior : numpy.ndarray, shape (columns,)
    basis : numpy.ndarray, shape (columns, free)
        From `pinned_basis`.
    """
    folds = time_folds(len(moments.weight))
    numbers = np.unique(folds)
    losses = np.empty((len(numbers), len(PENALTIES)))
    for row, number in enumerate(numbers):
        xx, xy, _ = moments.centred((folds != number).astype(float))
        held = moments.centred((folds == number).astype(float))
        losses[row] = [_loss(explained_shares(xx, xy, prior, p, basis), *held) for p in PENALTIES]
    best = int(losses[:, :-1].mean(axis=0).argmin())
    return PENALTIES[best] if sure_gain(losses[:, -1] - losses[:, best]) else np.inf


def share_intervals(evidence: Evidence, weight: Array, replicates: int, seed: int) -> tuple[Array, Array]:
    """Return what the answers alone allow, 95 %: a penalty would make a weight look certain because it is held fast.

    Parameters
    ----------
    weight : numpy.ndarray, shape (columns,)
        Always inside.
    replicates : int
        How often blocks are drawn again; 0 gives NaN.
    """
    from scipy.stats import norm, t

    moments, prior, basis, pinned = evidence.moments(), evidence.prior, evidence.basis, evidence.pinned
    rng, blocks = np.random.default_rng(seed), len(moments.weight)
    drawn = []
    for _ in range(replicates):
        xx, xy, _ = moments.centred(_drawn_blocks(rng, blocks))
        found = explained_shares(xx, xy, prior, PENALTIES[0], basis)
        if found.sum() > 0:
            drawn.append(found / found.sum())
    if not drawn:
        return np.full(len(prior), np.nan), np.full(len(prior), np.nan)
    # Few blocks draw too narrow: expanded percentiles (Hesterberg 2015, The American Statistician 69:371).
    tail = float(norm.cdf(t.ppf(0.025, blocks - 1) * np.sqrt(blocks / (blocks - 1))))
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    low, high = np.minimum(low, weight), np.maximum(high, weight)
    return np.where(pinned, weight, low), np.where(pinned, weight, high)


def validated_later(evidence: Evidence, replicates: int, seed: int) -> pd.DataFrame:
    """Learn from what lies before each fold of the later half, penalty included, and compare the indices on it.

    Returns
    -------
    pandas.DataFrame
        index (learned, prior, difference), rank_correlation, low, high (95 %, blocks drawn again), n.
    """
    from scipy.stats import rankdata

    moments, prior, basis, block = evidence.moments(), evidence.prior, evidence.basis, evidence.block
    x, y = evidence.x, evidence.y
    folds = time_folds(len(moments.weight))
    tested = np.arange((folds.max() + 1) // 2, folds.max() + 1)
    index = np.zeros((len(y), 2))
    for number in tested:
        before = Moments(*(part[folds < number] for part in vars(moments).values()))
        xx, xy, _ = before.centred()
        found = explained_shares(xx, xy, prior, chosen_penalty(before, prior, basis), basis)
        here = folds[block] == number
        learned = found / found.sum() if found.sum() > 0 else prior
        index[here] = np.column_stack([x[here] @ learned, x[here] @ prior])
    here = np.isin(folds[block], tested)
    later = block[here] - block[here].min()
    ranks = [rankdata(values) / here.sum() for values in (*index[here].T, y[here])]
    by_block = moments_by_block(np.column_stack(ranks[:2]), ranks[2], evidence.weight[here], later)
    rng, blocks = np.random.default_rng(seed), len(by_block.weight)
    draws = [np.ones(blocks), *(_drawn_blocks(rng, blocks) for _ in range(replicates))]
    found = np.array([_correlations(by_block, times) for times in draws])
    found = np.column_stack([found, found[:, 0] - found[:, 1]])
    low, high = np.nanquantile(found[1:], [0.025, 0.975], axis=0) if replicates else np.full((2, 3), np.nan)
    return pd.DataFrame(
        {
            "index": ["learned", "prior", "difference"],
            "rank_correlation": found[0],
            "low": low,
            "high": high,
            "n": int(here.sum()),
        }
    )


def _drawn_blocks(rng: np.random.Generator, blocks: int) -> Array:
    return rng.multinomial(blocks, np.full(blocks, 1 / blocks)).astype(float)


def _loss(coefficients: Array, xx: Array, xy: Array, yy: float) -> float:
    return float(yy - 2 * xy @ coefficients + coefficients @ xx @ coefficients)


def _correlations(moments: Moments, times: Array) -> Array:
    xx, xy, yy = moments.centred(times)
    with np.errstate(invalid="ignore", divide="ignore"):
        return xy / np.sqrt(np.diag(xx) * yy)
