"""Rules: which combinations of circumstances go with an outcome, from the same cube as segments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.cube import Cube, build, read_dimensions
from svcanalytics.errors import CauseError

__all__ = ["rules"]

_Z = 1.959963984540054


def rules(
    cases: pd.DataFrame,
    outcome: str,
    by: Sequence[str],
    depth: int = 3,
    *,
    min_support: float = 0.005,
    level: float = 0.05,
) -> pd.DataFrame:
    """Find the rules "cases like these have the outcome more often", the outcome being fixed.

    Significance is Fisher's exact test of each rule against all other cases, corrected for all rules looked at by
    Benjamini and Hochberg (1995). A rule that is no better than a shorter one inside it is left out as redundant.

    Parameters
    ----------
    cases : pandas.DataFrame
        One row per case.
    outcome : str
        A column of truth values or of 0 and 1; rows without it are left out.
    by : sequence of str
        Columns whose values make the left-hand side.
    depth : int
        Most values on the left-hand side.
    min_support : float
        Least share of all cases that have both the left-hand side and the outcome, 0-1.
    level : float
        Share of false rules to be expected among those returned, 0-1; 1 returns all that have the support, redundant
        ones too.

    Returns
    -------
    pandas.DataFrame
        The highest leverage first: segment, n (cases of the left-hand side), support, confidence, low, high (its 95 %
        Wilson interval), lift, leverage (Piatetsky-Shapiro 1991; the weighted relative accuracy of subgroup discovery),
        conviction, zhang, jaccard, kulczynski, p_value, q_value.

    Raises
    ------
    CauseError
        When a column is missing, the outcome is not of 0 and 1 or among `by`, or a number is out of range.
    """
    by = read_dimensions(by, [outcome], depth)
    if outcome not in cases.columns:
        raise CauseError(f"there is no column {outcome!r}", where="cases", fix="name a column of the frame")
    if not 0 < min_support <= 1:
        raise CauseError(f"a support of {min_support} can't be asked for", where="min_support", fix="use 0.005 or so")
    if not 0 < level <= 1:
        raise CauseError(f"a level of {level} can't be held", where="level", fix="use 0.05 or so, or 1 for all rules")
    known = cases[cases[outcome].notna()]
    if not known[outcome].isin([0, 1]).all():
        raise CauseError("the outcome is not of 0 and 1", where=outcome, fix="turn it into truth values")
    cube = build(known, by, depth)
    bad = known[outcome].to_numpy("float64")
    n, hits, total, whole = cube.total(np.ones(len(bad))), cube.total(bad), len(bad), bad.sum()
    chosen = np.flatnonzero(hits >= min_support * total)
    table = _metrics(n[chosen], hits[chosen], total, whole)
    table.insert(0, "segment", [cube.name(s) for s in chosen])
    if level < 1:
        better = table["leverage"].to_numpy() > 0
        keep = better & (table["q_value"].to_numpy() <= level) & ~_redundant(cube, chosen, n, hits)
        table = table[keep]
    return table.sort_values(["leverage", "segment"], ascending=[False, True], ignore_index=True)


def _metrics(n: NDArray, hits: NDArray, total: int, whole: float) -> pd.DataFrame:
    from scipy.stats import false_discovery_control, hypergeom

    base, support, cover = whole / total, hits / total, n / total
    confidence = hits / n
    with np.errstate(divide="ignore", invalid="ignore"):
        leverage = support - cover * base
        conviction = np.where(confidence < 1, (1 - base) / (1 - confidence), np.inf)
        scale = np.maximum(support * (1 - cover), cover * (base - support))
        zhang = np.where(scale > 0, leverage / scale, 0.0)
    centre = (confidence + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(confidence * (1 - confidence) / n + _Z**2 / (4 * n**2))
    p_value = hypergeom.sf(hits - 1, total, round(whole), n.astype(int)) if len(n) else np.zeros(0)
    return pd.DataFrame(
        {
            "n": n.astype("int64"),
            "support": support,
            "confidence": confidence,
            "low": centre - half,
            "high": centre + half,
            "lift": confidence / base if base else np.nan,
            "leverage": leverage,
            "conviction": conviction,
            "zhang": zhang,
            "jaccard": hits / (n + whole - hits),
            "kulczynski": (confidence + hits / whole) / 2 if whole else np.nan,
            "p_value": p_value,
            "q_value": false_discovery_control(np.clip(p_value, 0, 1)) if len(n) else p_value,
        }
    )


def _redundant(cube: Cube, chosen: NDArray[np.int64], n: NDArray, hits: NDArray) -> NDArray[np.bool_]:
    # A longer rule must beat every shorter one inside it by more than chance would.
    from scipy.stats import binom

    place = {dimensions: number for number, dimensions in enumerate(dict.fromkeys(cube.dimensions))}
    out = np.zeros(len(chosen), dtype=bool)
    for number, segment in enumerate(chosen):
        dimensions = cube.dimensions[segment]
        for left_out in dimensions if len(dimensions) > 1 else ():
            shorter = cube.place[place[tuple(d for d in dimensions if d != left_out)], cube.first[segment]]
            rate = hits[shorter] / n[shorter]
            out[number] |= binom.sf(hits[segment] - 1, n[segment], rate) > 0.05
    return out
