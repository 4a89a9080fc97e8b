"""What a theme costs: how much worse an outcome is where people write about it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import CauseError

__all__ = ["theme_cost"]

_Z = 1.959963984540054
_PRIOR = 2  # cases that a group's variance borrows from its stratum, so that 3 of 3 is not certainty


def theme_cost(
    labels: ArrayLike,
    outcomes: pd.DataFrame | Mapping[str, ArrayLike],
    *,
    within: pd.DataFrame | pd.Series | None = None,
) -> pd.DataFrame:
    """Return the effect of each theme on each outcome, against all other texts alike.

    The test is the one of Cochran, Mantel and Haenszel (1959) for rates, and the same with the permutation variance
    for numbers; p-values are corrected over themes and outcomes by Benjamini and Hochberg (1995). The difference is
    what goes with the theme, not what would vanish with it: give `within` what could lie behind both.

    Parameters
    ----------
    labels : array_like of int
        The theme of each text; texts at -1 count among the others.
    outcomes : pandas.DataFrame or mapping of str to array_like
        A column per outcome, a row per text: 0 and 1 or numbers, NaN where it is not known. Above is worse, so give
        dissatisfied (0/1), repeat contact (0/1), SLA missed (0/1), 5 - satisfaction ...
    within : pandas.DataFrame or pandas.Series, optional
        Strata, a row per text (channel, team): a theme is compared with other texts of the same stratum.

    Returns
    -------
    pandas.DataFrame
        A row per theme and outcome: theme, outcome, n (texts with the outcome known), mean, expected (the mean of the
        others, in the theme's mix of strata), excess (n x their difference: cases or units too many), low, high (its
        95 % interval), p_value, q_value. A theme with nothing to compare has NaN and a p-value of 1.

    Raises
    ------
    CauseError
        When lengths differ or an outcome is no number.
    """
    from scipy.stats import false_discovery_control

    theme = np.asarray(labels, dtype="int64")
    table = pd.DataFrame(dict(outcomes.items())).reset_index(drop=True)
    if len(table) != len(theme) or (within is not None and len(within) != len(theme)):
        raise CauseError("labels, outcomes and strata are not of one length", where="outcomes", fix="one row per text")
    try:
        table = table.astype("float64")
    except (TypeError, ValueError) as error:
        raise CauseError("an outcome is no number", where="outcomes", fix="give 0 and 1 or numbers") from error
    stratum = _strata(within, len(theme))
    rows = [
        (number, name, *_compare(theme == number, table[name].to_numpy(), stratum))
        for number in range(int(theme.max(initial=-1)) + 1)
        for name in table.columns
    ]
    names = ["theme", "outcome", "n", "mean", "expected", "excess", "low", "high", "p_value"]
    out = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[3:], "float64") | {"n": "int64"})
    return out.assign(q_value=false_discovery_control(out["p_value"]) if len(out) else out["p_value"])


def _strata(within: pd.DataFrame | pd.Series | None, n: int) -> NDArray[np.int64]:
    if within is None:
        return np.zeros(n, dtype=np.int64)
    frame = within.to_frame() if isinstance(within, pd.Series) else within
    return frame.groupby(list(frame.columns), dropna=False, sort=False).ngroup().to_numpy()


def _compare(member: NDArray[np.bool_], outcome: NDArray, stratum: NDArray) -> tuple[float, ...]:
    from scipy.stats import norm

    known = np.isfinite(outcome)
    member, outcome, stratum = member[known], outcome[known], stratum[known]
    strata = int(stratum.max(initial=-1)) + 1

    def sums(weight: NDArray) -> NDArray:
        return np.bincount(stratum, weight, strata)

    centre = outcome - outcome.mean() if len(outcome) else outcome
    n, total = sums(member), sums(np.ones(len(stratum)))
    rest = total - n
    usable = (n > 0) & (rest > 0)
    if not usable.any():
        return (int(n.sum()), *[np.nan] * 5, 1.0)
    n, rest, total = n[usable], rest[usable], total[usable]
    inside, whole = sums(centre * member)[usable], sums(centre)[usable]
    square_in, square = sums(centre**2 * member)[usable], sums(centre**2)[usable]
    spread = np.maximum(square - whole**2 / total, 0) / np.maximum(total - 1, 1)
    outside, square_out = whole - inside, square - square_in
    excess = inside - n * outside / rest
    # Under chance, a theme is a draw of n from its stratum.
    chance = (n * rest / total * spread).sum()
    gap = (inside - n * whole / total).sum()
    p_value = 2 * norm.sf(abs(gap) / np.sqrt(chance)) if chance > 0 else 1.0
    variance = n**2 * (
        _variance(n, inside, square_in, spread) / n + _variance(rest, outside, square_out, spread) / rest
    )
    half = _Z * np.sqrt(variance.sum())
    mean = outcome.mean() + inside.sum() / n.sum()
    amount = excess.sum()
    return int(n.sum()), mean, mean - amount / n.sum(), amount, amount - half, amount + half, float(p_value)


def _variance(n: NDArray, total: NDArray, square: NDArray, spread: NDArray) -> NDArray:
    return (np.maximum(square - total**2 / n, 0) + _PRIOR * spread) / (n - 1 + _PRIOR)
