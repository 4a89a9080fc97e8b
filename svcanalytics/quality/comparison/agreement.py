"""Two examiners of the same places: how far apart their scores are, how sure that is, and where they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.comparison.significance import holm, values_against_rest

__all__ = ["Limits", "average_gaps", "find_weak", "limits_of_agreement", "measure_gaps"]

SIDES = ("outside", "inside")
_GAP_COLUMNS = (
    *("outside", "inside", "n_outside", "n_inside", "difference", "error", "freedom", "low", "high", "p_value"),
    "verdict",
)


@dataclass(frozen=True)
class Limits:
    """How two measurements of the same things agree (Bland and Altman 1986).

    Attributes
    ----------
    bias, low, high : float
        Mean difference and its interval.
    lower, upper : float
        Between these lie 95 % of the differences.
    n : int
        Pairs.
    """

    bias: float
    low: float
    high: float
    lower: float
    upper: float
    n: int


def measure_gaps(visits: pd.DataFrame, by: str, *, within: str | None = None, level: float = 0.95) -> pd.DataFrame:
    """Measure how far the outside examiner's scores lie from the inside ones, place by place.

    The spread of single visits is pooled over all places of a side (of the places' own means), since a place is visited
    too seldom to tell its own; the interval is Welch's with the pooled variances. p-values are corrected for all rows
    (Holm 1979): where the two sides agree everywhere, any row at all is called different with probability 1 - `level`
    at most.

    Parameters
    ----------
    visits : DataFrame
        One row per visit: side ("outside" or "inside"), score (0-1), and the columns `by` and `within`.
    by : str
        What is compared, such as places. Rows in which it is missing are left out.
    within : str, optional
        Column of strata, such as scenes: places are compared inside one, and the spread is each one's own.
    level : float

    Returns
    -------
    DataFrame
        `by` and `within`, outside, inside (mean scores), n_outside, n_inside (visits), difference (outside less
        inside), error (its standard error), freedom (its degrees of freedom), low, high, p_value (corrected), verdict
        ("higher" or "lower": of the outside score; "no" real difference). One row per place that both sides visited;
        without an interval where no place was visited twice by a side.

    Raises
    ------
    CatalogueError
        When a column is missing or `level` is no share.
    """
    keys = [by, within] if within else [by]
    absent = [name for name in ("side", "score", *keys) if name not in visits]
    if absent or not 0 < level < 1:
        what = f"there is no column {absent[0]!r}" if absent else f"level {level:g} is not between 0 and 1"
        raise CatalogueError(what, where="visits", fix="give side, score and what the visits are compared by")
    known = visits.dropna(subset=["score", *keys])
    strata = known.groupby(within, sort=True) if within else [(None, known)]
    parts = [_gaps(own, by, level).assign(**({within: name} if within else {})) for name, own in strata]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[by])
    found = found.reindex(columns=[*keys, *_GAP_COLUMNS])
    sure = found["p_value"].notna()
    found.loc[sure, "p_value"] = holm(found.loc[sure, "p_value"])
    return found.assign(verdict=_verdicts(found, level))


def _gaps(visits: pd.DataFrame, by: str, level: float) -> pd.DataFrame:
    """Return the gaps of one stratum, their p-values not corrected yet."""
    from scipy.stats import t

    parts = {side: _means(visits[visits["side"] == side], by) for side in SIDES}
    both = parts["outside"].index.intersection(parts["inside"].index).sort_values()
    mean, size, variance, freedom = {}, {}, {}, {}
    for side, part in parts.items():
        freedom[side] = float(part["size"].sum() - len(part))
        pooled = part["squares"].sum() / freedom[side] if freedom[side] > 0 else np.nan
        mean[side], size[side] = (part.loc[both, name].to_numpy(dtype="float64") for name in ("mean", "size"))
        variance[side] = pooled / size[side]
    total = variance["outside"] + variance["inside"]
    with np.errstate(divide="ignore", invalid="ignore"):
        # Satterthwaite's degrees of freedom, of two variances that are each pooled.
        df = total**2 / sum(variance[side] ** 2 / freedom[side] for side in SIDES)
        gap, error = mean["outside"] - mean["inside"], np.sqrt(total)
        reach = t.ppf(0.5 + level / 2, df) * error
        p = np.where(gap == 0, np.where(np.isnan(error), np.nan, 1.0), 2 * t.sf(np.abs(gap) / error, df))
    return pd.DataFrame(
        {
            by: both,
            "outside": mean["outside"],
            "inside": mean["inside"],
            "n_outside": size["outside"].astype("int64"),
            "n_inside": size["inside"].astype("int64"),
            "difference": gap,
            "error": error,
            "freedom": df,
            "low": gap - reach,
            "high": gap + reach,
            "p_value": p,
        }
    )


def average_gaps(gaps: pd.DataFrame, by: str, *, level: float = 0.95) -> pd.DataFrame:
    """Average the gaps of places, each counting the same: so a place visited more often by one side biases nothing.

    Parameters
    ----------
    gaps : DataFrame
        As `measure_gaps` gives them; rows without an error take no part.
    by : str
        Column to average within, such as the scene.
    level : float

    Returns
    -------
    DataFrame
        As `measure_gaps`, by `by`, with places (how many).
    """
    from scipy.stats import t

    known = gaps[gaps["error"].notna()]
    if known.empty:
        return pd.DataFrame(columns=[by, *_GAP_COLUMNS, "places"])
    # Places share their pooled variances, so the mean is known with no more degrees of freedom than each of them.
    squares = known["error"] ** 2
    known = known.assign(_square=squares, _loss=squares / known["freedom"])
    groups = known.groupby(by, sort=True)
    found = groups.agg(
        outside=("outside", "mean"),
        inside=("inside", "mean"),
        n_outside=("n_outside", "sum"),
        n_inside=("n_inside", "sum"),
        difference=("difference", "mean"),
        places=("error", "size"),
        _square=("_square", "sum"),
        _loss=("_loss", "sum"),
    )
    error = np.sqrt(found["_square"]) / found["places"]
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = found["_square"] / found["_loss"]
        reach = t.ppf(0.5 + level / 2, freedom) * error
        p = np.where(found["difference"] == 0, 1.0, 2 * t.sf(np.abs(found["difference"]) / error, freedom))
    found = found.assign(
        error=error, freedom=freedom, low=found["difference"] - reach, high=found["difference"] + reach, p_value=holm(p)
    )
    return found.assign(verdict=_verdicts(found, level)).reset_index()[[by, *_GAP_COLUMNS, "places"]]


def limits_of_agreement(differences: Sequence[float] | NDArray[np.float64], *, level: float = 0.95) -> Limits:
    """Return the limits within which two measurements of one thing lie apart (Bland and Altman 1986, Lancet 327:307).

    Parameters
    ----------
    differences : array_like
        One per pair, such as a place in a quarter; two or more.
    level : float
        Of the limits and of the interval of the bias.

    Raises
    ------
    CatalogueError
        With fewer than two pairs.
    """
    from scipy.stats import norm, t

    gaps = np.asarray(differences, dtype="float64")
    gaps = gaps[np.isfinite(gaps)]
    if len(gaps) < 2:
        raise CatalogueError("one pair alone says nothing about agreement", where="differences", fix="give more pairs")
    bias, spread = float(gaps.mean()), float(gaps.std(ddof=1))
    reach = float(t.ppf(0.5 + level / 2, len(gaps) - 1)) * spread / len(gaps) ** 0.5
    wide = float(norm.ppf(0.5 + level / 2)) * spread
    return Limits(bias, bias - reach, bias + reach, bias - wide, bias + wide, len(gaps))


def find_weak(visits: pd.DataFrame, place: str, *, level: float = 0.95) -> pd.DataFrame:
    """Tell which places an examiner calls weak: scored below the others together for sure, corrected for all places.

    Parameters
    ----------
    visits : DataFrame
        One row per visit of one examiner: score (0-1) and `place`.
    place : str
        Column of places.
    level : float

    Returns
    -------
    DataFrame
        place, score, n, p_value (corrected), weak (bool); the lowest score first. Empty with fewer than two places or
        too few visits to know their spread.
    """
    table = _means(visits.dropna(subset=["score", place]), place).rename(columns={"mean": "score", "size": "n"})
    freedom = table["n"].sum() - len(table)
    if len(table) < 2 or freedom < 1 or not table["squares"].sum() > 0:
        return pd.DataFrame(columns=[place, "score", "n", "p_value", "weak"])
    error = np.sqrt(table["squares"].sum() / freedom / table["n"].to_numpy())
    p = holm(values_against_rest(table["score"], error, 1 / error**2))
    below = table["score"] < np.average(table["score"], weights=table["n"])
    found = table.assign(p_value=p, weak=below & (p <= 1 - level)).reset_index()
    return found.sort_values(["score", place], ignore_index=True)[[place, "score", "n", "p_value", "weak"]]


def _means(visits: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return mean, size and the squares within, by place."""
    groups = visits.groupby(by, sort=True)["score"]
    squares = groups.var(ddof=0).fillna(0.0) * groups.size()
    return pd.DataFrame({"mean": groups.mean(), "size": groups.size(), "squares": squares})


def _verdicts(found: pd.DataFrame, level: float) -> NDArray[np.str_]:
    sure = found["p_value"].astype("float64").fillna(1.0) <= 1 - level
    return np.where(sure, np.where(found["difference"] > 0, "higher", "lower"), "no")
