"""Take a change apart exactly and without regard to order: Shapley, Das Gupta, Kitagawa, over two or more populations.

A factor is anything a rate is a function of: a number, or a vector over groups. Everything here is plain arithmetic on
arrays; `explain` uses it on the index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import CatalogueError

__all__ = [
    "decompose",
    "decompose_mix",
    "decompose_product",
    "decompose_structure",
    "standardise_rates",
    "structure_factors",
]

MOST_FACTORS = 16
"""Every subset of the factors is tried, so time doubles with each: 16 factors are 65,536 evaluations."""


def decompose(
    function: Callable[..., ArrayLike], baseline: Sequence[ArrayLike], period: Sequence[ArrayLike]
) -> NDArray[np.float64]:
    """Return what each factor contributes to the change of any function of them.

    The effect of a factor is the change it makes, averaged over all orders in which the factors can be moved from
    their old to their new values: the Shapley value, and Das Gupta's effect (1993, equation 3.54). The effects add up
    to the change whatever the function; no order is chosen and no interaction is left over.

    Parameters
    ----------
    function : callable
        Takes the factors in order and returns a number, or an array.
    baseline, period : sequence of array_like, length k
        The factors before and after; a factor may be a number or a vector over groups.

    Returns
    -------
    numpy.ndarray, shape (k, *shape of the function's value)

    Raises
    ------
    CatalogueError
        When the two sides have different numbers of factors, or more than 16.

    Examples
    --------
    >>> decompose(lambda a, b: a * b, [0.6, 0.5], [0.3, 0.45]).round(4)
    array([-0.1425, -0.0225])
    """
    before, after = _adjusted(function, baseline, period)
    return after - before


def decompose_product(baseline: ArrayLike, period: ArrayLike) -> NDArray[np.float64]:
    """Return what each factor contributes to the change of their product, at any number of factors.

    The same effects as `decompose` gives for a product, in polynomial instead of exponential time: for a function
    linear in each factor the Shapley value is the integral of its derivative along the straight line from old to new
    (Owen 1972, Management Science 18:64-79), and Gauss-Legendre nodes integrate that polynomial exactly.

    Parameters
    ----------
    baseline, period : array_like, shape (k, ...)
        The k factors before and after, each of any shape; products are taken over the first axis.

    Returns
    -------
    numpy.ndarray, shape (k, ...)
        Effects; over the first axis they add up to the change of the product.
    """
    old, new = (np.asarray(side, dtype="float64") for side in (baseline, period))
    _check_sides(len(old), len(new))
    nodes, weights = np.polynomial.legendre.leggauss(len(old) // 2 + 1)
    effects = np.zeros_like(old)
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        between = old + node * (new - old)
        for k in range(len(old)):
            effects[k] += weight * np.prod(np.delete(between, k, axis=0), axis=0)
    return effects * (new - old)


def decompose_mix(
    rates_before: ArrayLike, shares_before: ArrayLike, rates_after: ArrayLike, shares_after: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Split the change of a rate into what each group's own rate did and what the mix of groups did.

    Kitagawa (1955, Journal of the American Statistical Association 50:1168): rate effect of a group = mean share x
    change of rate, mix effect = change of share x mean rate. The mix effect is taken against the whole's mean rate,
    which leaves its sum as it is and lets a group that grows help when it is better than the whole, and hurt when it is
    worse. A group that is missing on one side (share 0, rate missing) has no rate effect: all it does is mix.

    Parameters
    ----------
    rates_before, rates_after : array_like, shape (..., groups)
        Rate of each group; missing where its share is 0.
    shares_before, shares_after : array_like, shape (..., groups)
        Shares of the groups, adding up to 1 over the last axis.

    Returns
    -------
    rate, mix : numpy.ndarray, shape (..., groups)
        Together they add up to the change of sum(share x rate).
    """
    r0, q0, r1, q1 = (np.asarray(a, dtype="float64") for a in (rates_before, shares_before, rates_after, shares_after))
    r0, r1 = np.where(np.isnan(r0), r1, r0), np.where(np.isnan(r1), r0, r1)
    r0, r1 = np.nan_to_num(r0), np.nan_to_num(r1)
    whole = ((q0 * r0).sum(axis=-1, keepdims=True) + (q1 * r1).sum(axis=-1, keepdims=True)) / 2
    return (q0 + q1) / 2 * (r1 - r0), ((r0 + r1) / 2 - whole) * (q1 - q0)


def structure_factors(sizes: ArrayLike, dimensions: Mapping[str, Sequence[object]]) -> dict[str, NDArray[np.float64]]:
    """Write each cell's share of a cross-classified population as a product of one factor per dimension.

    Das Gupta (1993, equation 5.36): a factor is the geometric mean, over all ways to condition on other dimensions, of
    the dimension's conditional shares; in other words the Shapley value of the logarithm of the margins. The product of
    the factors is the cell's share, exactly.

    Parameters
    ----------
    sizes : array_like, shape (..., cells)
        Size of each cell, not negative; several populations at once if there are further axes.
    dimensions : mapping of str to sequence, each of length cells
        The group each cell belongs to, by dimension.

    Returns
    -------
    dict of str to numpy.ndarray, shape (..., cells)
        A cell of size 0 has factors 0.

    Raises
    ------
    CatalogueError
        When a size is negative or missing, or all are 0.
    """
    size = np.asarray(sizes, dtype="float64")
    if not (size >= 0).all() or not (size.sum(axis=-1) > 0).all():
        raise CatalogueError(
            "sizes of cells must be 0 or more, and not all 0", where="structure", fix="correct the denominators"
        )
    names = list(dimensions)
    codes = {
        name: pd.factorize(pd.Series(dimensions[name], dtype="object"), use_na_sentinel=False)[0] for name in names
    }
    known = size > 0
    logs = {
        s: _log_margin(size, [codes[n] for n in s], known)
        for k in range(len(names) + 1)
        for s in combinations(names, k)
    }
    factors = {}
    for name in names:
        rest = [other for other in names if other != name]
        total = np.zeros_like(size)
        for k in range(len(names)):
            for given in combinations(rest, k):
                with_it = tuple(other for other in names if other == name or other in given)
                total += (logs[with_it] - logs[given]) / (len(names) * comb(len(names) - 1, k))
        factors[name] = np.where(known, np.exp(total), 0.0)
    return factors


def decompose_structure(
    rates_before: ArrayLike,
    sizes_before: ArrayLike,
    rates_after: ArrayLike,
    sizes_after: ArrayLike,
    dimensions: Mapping[str, Sequence[object]],
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Split the change of a rate over a cross-classified population into rates and the structure by each dimension.

    Das Gupta (1993, chapter 5): the rate effect of a cell is its mean share x its change of rate; what the shares did
    is split over the dimensions by the factors of `structure_factors`. The split between dimensions (not its sum)
    depends on where rates have their 0; pass rates less a reference to measure against that.

    Parameters
    ----------
    rates_before, rates_after : array_like, shape (cells,)
        Missing where the cell's size is 0.
    sizes_before, sizes_after : array_like, shape (cells,)
        Sizes of the cells in any unit.
    dimensions : mapping of str to sequence, each of length cells
        The group each cell belongs to, by dimension.

    Returns
    -------
    rate : numpy.ndarray, shape (cells,)
    structure : dict of str to numpy.ndarray, shape (cells,)
        By dimension. All together they add up to the change of the whole's rate.
    """
    sizes = np.array([sizes_before, sizes_after], dtype="float64")
    factors = np.array(list(structure_factors(sizes, dimensions).values()))
    shares = sizes / sizes.sum(axis=1, keepdims=True)
    r0, r1 = _filled(rates_before, rates_after)
    effects = decompose_product(factors[:, 0], factors[:, 1]) * (r0 + r1) / 2
    return shares.mean(axis=0) * (r1 - r0), dict(zip(dimensions, effects, strict=True))


def standardise_rates(
    function: Callable[..., ArrayLike], populations: Mapping[str, Sequence[ArrayLike]]
) -> NDArray[np.float64]:
    """Return the rate each population would have if only one factor differed between them, for several populations.

    Pairwise effects of three or more populations contradict one another; Das Gupta (1993, equation 6.11) reconciles
    them, so that the difference of two populations' rates is the sum of the differences over the factors, and effects
    from the first to the second and the second to the third add up to those from the first to the third.

    Parameters
    ----------
    function : callable
        Takes the factors in order and returns a number.
    populations : mapping of str to sequence of array_like
        At least two populations, each with its k factors.

    Returns
    -------
    numpy.ndarray, shape (k, populations)
        Standardised rates; a factor's effect between two populations is the difference of its row.
    """
    sides = list(populations.values())
    count = len(sides)
    if count < 2:
        raise CatalogueError("one population can't be compared", where="populations", fix="give two or more")
    k = len(sides[0])
    rates = np.zeros((k, count, count))  # [factor, population, in comparison with]
    for one, other in combinations(range(count), 2):
        rates[:, one, other], rates[:, other, one] = _adjusted(function, sides[one], sides[other])
    out = np.zeros((k, count))
    for y in range(count):
        others = [x for x in range(count) if x != y]
        out[:, y] = rates[:, y, others].mean(axis=1)
        for x in others:
            elsewhere = [z for z in others if z != x]
            gap = rates[:, x, elsewhere].sum(axis=1) - (count - 2) * rates[:, x, y]
            out[:, y] += gap / (count * (count - 1))
    return out


def _adjusted(
    function: Callable[..., ArrayLike], first: Sequence[ArrayLike], second: Sequence[ArrayLike]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each factor the function with that factor of one side, averaged over the other factors' sides."""
    k = len(first)
    _check_sides(k, len(second))
    if not 0 < k <= MOST_FACTORS:
        raise CatalogueError(
            f"{k} factors can't be taken apart one by one", where="decompose", fix=f"give 1 to {MOST_FACTORS} factors"
        )
    sides = [[np.asarray(part, dtype="float64") for part in side] for side in (first, second)]
    values = [
        np.asarray(function(*(sides[subset >> i & 1][i] for i in range(k))), dtype="float64")
        for subset in range(1 << k)
    ]
    before, after = (np.zeros((k, *values[0].shape)) for _ in range(2))
    for subset, value in enumerate(values):
        moved = subset.bit_count()
        for i in range(k):
            if subset >> i & 1:
                after[i] += value / (k * comb(k - 1, moved - 1))
            else:
                before[i] += value / (k * comb(k - 1, moved))
    return before, after


def _filled(before: ArrayLike, after: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Let a rate known on one side only stand on both: a group that came or went has no change of its own."""
    r0, r1 = (np.asarray(rates, dtype="float64") for rates in (before, after))
    return np.nan_to_num(np.where(np.isnan(r0), r1, r0)), np.nan_to_num(np.where(np.isnan(r1), r0, r1))


def _log_margin(
    size: NDArray[np.float64], codes: Sequence[NDArray[np.intp]], known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return for each cell the logarithm of the size of all cells that share its groups in these dimensions."""
    key = np.zeros(size.shape[-1], dtype="int64")
    for code in codes:
        key = pd.factorize(key * (int(code.max()) + 1) + code)[0]
    margins = [np.bincount(key, weights=row)[key] for row in size.reshape(-1, size.shape[-1])]
    return np.log(np.where(known, np.reshape(margins, size.shape), 1.0))


def _check_sides(first: int, second: int) -> None:
    if first != second:
        raise CatalogueError(
            f"{first} factors before and {second} after", where="decompose", fix="give the same factors on both sides"
        )
