"""From one number per unit to places: shrinkage, rank sets, ties, who stands out and who is unusual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.cells import MEASURES_Z
from svcanalytics.quality.comparison.funnels import funnel
from svcanalytics.quality.comparison.ranking import rank_sets, ranks, separate, separate_rates, tie_groups
from svcanalytics.quality.comparison.shrinkage import floor_errors, shrink, shrink_rates
from svcanalytics.quality.comparison.significance import holm, rates_against_rest, values_against_rest

__all__ = ["Readings", "place"]

_PLACED = ("", "provisional", "incomplete")


@dataclass(frozen=True)
class Readings:
    """One number per unit, before it is placed.

    Attributes
    ----------
    table : pandas.DataFrame
        unit, value, low, high (95 %), n, flag; of a rate also numerator, denominator (above 0, need not be whole).
    up : bool
        Whether more is better.
    dispersion : numpy.ndarray, shape (units,), optional
        Of a rate: how much larger its variance is than the binomial.
    """

    table: pd.DataFrame
    up: bool = True
    dispersion: NDArray[np.float64] | None = None


def place(readings: Readings, *, level: float = 0.95, smallest: int = 30, seed: int = 0) -> pd.DataFrame:
    """Place units by what noise allows to say; columns as `compare` describes them, without of and period.

    Parameters
    ----------
    readings : Readings
    level : float
        Confidence of rank sets and of standing out.
    smallest : int
        Units with fewer rows show no value and have no place.
    seed : int
        Of the rank sets' draws.

    Raises
    ------
    CatalogueError
        When `level` lies outside 0 to 1.
    """
    if not 0 < level < 1:
        raise CatalogueError(f"level {level:g} is not between 0 and 1", where="compare", fix="give 0.95 for 95 %")
    table = _hidden(readings.table, smallest)
    at = np.flatnonzero(table["flag"].isin(_PLACED))
    placed = table.reindex(columns=[*table.columns, *_TEXTS, *_NUMBERS])
    placed[list(_TEXTS)] = ""
    if len(at) == 1:
        placed.loc[placed.index[at], "flag"] = "alone"
    elif len(at):
        ratio = None if readings.dispersion is None else readings.dispersion[at]
        found = _placed(table.iloc[at], readings.up, ratio, level, seed)
        for name, values in found.items():
            column = placed[name].to_numpy(copy=True)
            column[at] = values
            placed[name] = column
    placed[["rank", "rank_low", "rank_high", "tie"]] = placed[["rank", "rank_low", "rank_high", "tie"]].astype("Int64")
    # Among equals the name decides, so that rows given in another order come back the same.
    return placed.sort_values(["rank", "shrunk", "unit"], na_position="last", kind="stable").reset_index(drop=True)


_TEXTS = ("places", "stands_out", "unusual")
_NUMBERS = ("shrunk", "centre", "rank", "rank_low", "rank_high", "tie", "p_value")


def _hidden(table: pd.DataFrame, smallest: int) -> pd.DataFrame:
    """Say why a unit can't be placed, and show nothing of one that is too small."""
    error = _errors(table)
    reasons = [
        table["flag"].isin(_PLACED) & table["value"].isna(),
        table["flag"].isin(_PLACED) & table["n"].lt(smallest),
        table["flag"].isin(_PLACED) & np.isnan(error),
    ]
    flag = np.select(reasons, ["no_data", "small", "no_interval"], table["flag"])
    shown = pd.Series(flag, index=table.index).isin([*_PLACED, "no_interval"])
    numbers = [name for name in ("value", "low", "high", "numerator", "denominator") if name in table]
    return table.assign(flag=flag, **{name: table[name].where(shown) for name in numbers})


def _errors(table: pd.DataFrame) -> NDArray[np.float64]:
    # The wider side: where a scale ends, the other says too little.
    wide = np.maximum(table["high"] - table["value"], table["value"] - table["low"])
    return wide.to_numpy(dtype="float64") / MEASURES_Z


def _placed(
    table: pd.DataFrame, up: bool, dispersion: NDArray[np.float64] | None, level: float, seed: int
) -> dict[str, NDArray]:
    sign = 1.0 if up else -1.0
    value, error = table["value"].to_numpy(dtype="float64"), _errors(table)
    if "numerator" in table:
        x, n = (table[name].to_numpy(dtype="float64") for name in ("numerator", "denominator"))
        ratio = np.ones(len(x)) if dispersion is None else dispersion
        shrunk = shrink_rates(x / ratio, n / ratio)
        centre = x.sum() / n.sum()
        better = separate_rates(x if up else n - x, n, dispersion=ratio, level=level, seed=seed)
        p = rates_against_rest(x, n, ratio)
        limits = funnel(pd.DataFrame({"numerator": x, "denominator": n}), "rate", levels=(0.998,))
    else:
        shrunk = shrink(value, error)
        centre = shrunk.centre
        better = separate(sign * value, error, level=level, seed=seed)
        floored = floor_errors(error)
        p = values_against_rest(value, error, 1 / (floored**2 + shrunk.spread**2))
        limits = funnel(pd.DataFrame({"value": value, "error": floored}), "mean", levels=(0.998,))
    p = holm(p)
    ahead = sign * (value - centre) > 0
    low, high = rank_sets(better)
    groups = tie_groups(sign * value, better)
    side = limits.units["outlier"].to_numpy()
    good = side == ("high" if up else "low")
    return {
        "shrunk": shrunk.values,
        "centre": np.full(len(value), centre),
        "rank": ranks(sign * value),
        "rank_low": low,
        "rank_high": high,
        "tie": groups,
        "places": _places(groups),
        "p_value": p,
        "stands_out": np.where(p > 1 - level, "no", np.where(ahead, "better", "worse")),
        "unusual": np.where(side == "", "no", np.where(good, "better", "worse")),
    }


def _places(groups: NDArray[np.int64]) -> NDArray:
    """Return the places of each group of ties as people say them: "1", "2–5"."""
    sizes = np.bincount(groups)[1:]
    last = np.cumsum(sizes)
    first = last - sizes + 1
    texts = [f"{a}" if a == b else f"{a}\u2013{b}" for a, b in zip(first, last, strict=True)]
    return np.array(texts, dtype="object")[groups - 1]
