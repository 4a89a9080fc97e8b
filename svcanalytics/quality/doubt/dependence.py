"""How the sampling errors of measures go together: the same cases, and the same days, move several at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.cells import with_units

if TYPE_CHECKING:
    from datetime import date

    from svcanalytics.quality.profiles import Profile
    from svcanalytics.store import Lake

__all__ = ["Dependence", "estimate_dependence", "measure_dependence"]

_FEWEST = 20
"""Days below which a correlation is hardly more than chance."""

_WEEKS = 4
"""Whole weeks from which weekdays can be told from chance."""


@dataclass(frozen=True)
class Dependence:
    """Correlation and over-dispersion of the sampling errors of measures.

    Attributes
    ----------
    correlation : pandas.DataFrame
        Of the errors of the measures' values, metric by metric; positive definite.
    factors : pandas.Series
        By metric: how many times the variance of a measure is what its own interval takes it for; at least 1.
    days : int
        Number of days (or weeks) it was estimated from; 0 when stated by hand.
    """

    correlation: pd.DataFrame
    factors: pd.Series
    days: int = 0

    def __post_init__(self) -> None:
        matrix = self.correlation.to_numpy(dtype="float64")
        if list(self.correlation.index) != list(self.correlation.columns) or not np.allclose(matrix, matrix.T):
            raise CatalogueError("the correlation is not symmetric", where="correlation", fix="name rows as columns")
        if not np.allclose(np.diag(matrix), 1) or np.linalg.eigvalsh(matrix).min(initial=1.0) <= 0:
            raise CatalogueError(
                "no errors can be correlated like this", where="correlation", fix="see estimate_dependence"
            )
        if not (self.factors >= 1).all():
            raise CatalogueError("a factor is below 1", where="factors", fix="use 1 for no over-dispersion")

    @classmethod
    def none(cls, metrics: list[str]) -> Dependence:
        """Return what independent errors look like."""
        return cls(pd.DataFrame(np.eye(len(metrics)), index=metrics, columns=metrics), pd.Series(1.0, index=metrics))

    def matrices(self, metrics: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return correlation (metrics x metrics) and factors (metrics) in this order; a stranger is independent."""
        matrix = self.correlation.reindex(index=metrics, columns=metrics).fillna(0.0).to_numpy(copy=True)
        np.fill_diagonal(matrix, 1.0)
        return matrix, self.factors.reindex(metrics).fillna(1.0).to_numpy()


def estimate_dependence(measures: pd.DataFrame, *, within: str = "month") -> Dependence:
    """Estimate from measures by day how the errors of measures over longer periods go together.

    What a day adds to the error of a ratio R = sum x / sum y is, to first order, e = x - R y over sum y. Days are taken
    as independent, so the products of e summed over the days estimate the covariances, whatever goes on within a day
    (Cochran 1977, section 6.3; the clusters of Liang and Zeger 1986 are the days). R is that of the unit and of the
    surrounding period, so that a real change from one to the next is no error; from four weeks on each weekday's usual
    deviation is taken out as well, since every period holds much the same weekdays. Units are pooled, each metric on
    the scale of its own errors. Correlations are shrunk towards 0 as far as chance makes them differ from it (Schaefer
    and Strimmer 2005, target D).

    The factor of a metric compares the sum of e^2 with what its rows alone explain: y R (1 - R) for a rate, n std^2 for
    a mean. It is shrunk towards 1 by its own standard error and never below, so that no band is narrower than the
    measures' own intervals. Metrics without a numerator (quantiles) correlate by n (value - their mean); those and
    others without a variance per row keep factor 1.

    Parameters
    ----------
    measures : pandas.DataFrame
        What `measure` gives with ``every="day"`` (or "week", which also catches luck that lasts for some days):
        metric, period, start, value, n, numerator, denominator, std, flag and any `by` columns.
    within : str
        Calendar period ("month", "quarter", "year") in which R is taken as constant: the longer, the better the
        estimate, unless service changes within it.

    Returns
    -------
    Dependence

    Raises
    ------
    CatalogueError
        When a column is missing or there are fewer than 20 days.
    """
    frame = _prepared(measures, within)
    metrics = frame["metric"].drop_duplicates().tolist()
    errors, expected, spent = _contributions(frame)
    frame = frame.assign(error=errors)
    days = frame["start"].nunique()
    scaled = frame.assign(error=errors / np.sqrt(_mean_square(frame, errors)))
    wide = scaled.pivot_table("error", ["unit", "start"], "metric", aggfunc="sum").reindex(columns=metrics)
    correlation = _shrunk_correlation(wide.fillna(0.0).to_numpy())
    total = frame.assign(square=errors**2, expected=expected, spent=spent).groupby("metric", sort=False)
    factors = _factors(total["square"].sum(), total["expected"].sum(min_count=1), total.size(), total["spent"].sum())
    return Dependence(pd.DataFrame(correlation, index=metrics, columns=metrics), factors, days)


def measure_dependence(
    lake: Lake,
    profile: Profile,
    *,
    by: str | list[str] = (),
    every: str = "day",
    start: date | str | None = None,
    end: date | str | None = None,
    within: str = "month",
) -> Dependence:
    """Measure a profile's metrics by day and estimate how their errors go together; as `estimate_dependence`.

    Parameters
    ----------
    lake : Lake
    profile : Profile
    by : str or list of str
        Units, as the index is asked for; pooled.
    every : str
        "day" or "week".
    start, end : date or str, optional
        A year or so is enough. Default: all there is.
    within : str
        As for `estimate_dependence`.

    Raises
    ------
    CatalogueError
        When there are fewer than 20 days.
    """
    from svcanalytics.metrics import catalogue
    from svcanalytics.metrics.measures import measure_definitions

    # Days of few rows are too thin to be shown, but not to be summed.
    chosen = [m.model_copy(update={"min_n": 1}) for m in catalogue(lake).choose([m.metric for m in profile.metrics])]
    return estimate_dependence(measure_definitions(lake, chosen, by, every, start, end), within=within)


def _prepared(measures: pd.DataFrame, within: str) -> pd.DataFrame:
    """Return the sums x and y of each metric, unit and day that has a value, and what is known of the rows' spread."""
    needed = ("metric", "start", "value", "n")
    absent = [name for name in needed if name not in measures]
    if absent:
        raise CatalogueError(f"the measures have no column {absent[0]}", fix="pass what measure() returned, by day")
    frame = with_units(measures)
    frame = frame[np.isfinite(frame["value"].astype("float64")) & (frame["n"] > 0)]
    if frame["start"].nunique() < _FEWEST:
        raise CatalogueError(
            f"{frame['start'].nunique()} days are too few to tell dependence from chance",
            where="measures",
            fix=f'measure with every="day" over {_FEWEST} days or more',
        )
    code = {"month": "M", "quarter": "Q", "year": "Y"}.get(within)
    if code is None:
        raise CatalogueError(f"there is no period {within!r}", where="within", fix="use month, quarter or year")

    def column(name: str) -> pd.Series:
        given = frame[name] if name in frame else pd.Series(np.nan, index=frame.index)
        return given.astype("Float64").astype("float64")

    value, n, x, y, std = (column(name) for name in ("value", "n", "numerator", "denominator", "std"))
    # A count has as many days as rows; a quantile, of which nothing can be summed, counts as a mean. The sums are taken
    # on the scale of the value: seconds may be shown as minutes.
    base = y.fillna(x.where(x.isna(), 1.0)).fillna(n)
    start = pd.to_datetime(frame["start"])
    step = start.drop_duplicates().sort_values().diff().dt.days.min()
    if step > 7:
        raise CatalogueError(
            "the measures are of longer periods than weeks", where="measures", fix='measure with every="day" or "week"'
        )
    weekdays = step == 1 and (start.max() - start.min()).days >= 7 * _WEEKS
    prepared = pd.DataFrame(
        {
            "metric": frame["metric"].astype("object"),
            "unit": frame["unit"].astype("object"),
            "start": start,
            "block": start.dt.to_period(code).astype(str),
            "weekday": start.dt.day_of_week if weekdays else 0,
            "x": value * base,
            "y": base,
            "of_rows": y == n,
            "rate": (y == n) & np.isclose(std**2, value * (1 - value)),
            "square": (n - 1) * std**2,
            "freedom": (n - 1).where(std.notna()),
        }
    )
    return prepared.sort_values(["metric", "unit", "start"], ignore_index=True)


def _contributions(frame: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return each day's contribution to the error, its variance by its rows alone, and the parameters it cost."""
    own = frame.groupby(["metric", "unit", "block"], sort=False)
    total = own[["x", "y"]].transform("sum")
    level = total["x"] / total["y"]
    error = frame["x"] - level * frame["y"]
    week = frame.assign(error=error).groupby(["metric", "unit", "weekday"], sort=False)
    sums = week[["error", "y"]].transform("sum")
    error = error - sums["error"] / sums["y"] * frame["y"]
    spent = 1 / own["x"].transform("size") + 1 / week["error"].transform("size")
    rate = frame.groupby("metric", sort=False)["rate"].transform("all")
    pooled = frame.groupby(["metric", "unit"], sort=False)[["square", "freedom"]].transform("sum")
    with np.errstate(invalid="ignore"):
        spread = np.where(frame["of_rows"], pooled["square"] / pooled["freedom"], np.nan)
    # A rate's std is that of its own day, which says little where rows are few: R (1 - R) of the period serves.
    row = np.where(rate, level * (1 - level), spread)
    return error.to_numpy(), frame["y"].to_numpy() * row, spent.to_numpy()


def _mean_square(frame: pd.DataFrame, errors: NDArray[np.float64]) -> NDArray[np.float64]:
    square = frame.assign(square=errors**2).groupby(["metric", "unit"], sort=False)["square"].transform("mean")
    return np.where(square > 0, square, np.inf)


def _shrunk_correlation(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of columns of mean 0, shrunk towards 0 as far as its entries are noise."""
    count = len(z)
    root = np.sqrt((z**2).mean(axis=0))
    z = z / np.where(root > 0, root, np.inf)
    found = z.T @ z / count
    # Var(r_ij) is estimated by the variance of the products over the days (Schaefer and Strimmer 2005, appendix A).
    noise = np.maximum((z**2).T @ (z**2) / count - found**2, 0) / (count - 1)
    apart = ~np.eye(len(found), dtype=bool)
    signal = (found[apart] ** 2).sum()
    kept = 1 - min(1.0, noise[apart].sum() / signal) if signal > 0 else 0.0
    # A hair off singular even where two metrics are one and the same.
    return np.where(apart, min(kept, 1 - 1e-6) * found, 1.0)


def _factors(square: pd.Series, expected: pd.Series, days: pd.Series, spent: pd.Series) -> pd.Series:
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = square / expected * days / (days - spent)
        excess = (raw - 1).where(np.isfinite(raw), 0.0).clip(lower=0)
        # The ratio has a standard error of about sqrt(2 / days): no excess beyond that, no factor.
        kept = (1 - 2 / days / excess**2).clip(lower=0).fillna(0.0)
    return (1 + kept * excess).rename("factor")
