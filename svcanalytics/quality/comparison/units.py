"""Teams, agents or sites beside one another: intervals, ranks with sets, ties, and who really stands out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from svcanalytics.errors import CatalogueError, ContractError
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.quality.cells import MEASURE_COLUMNS, have_data
from svcanalytics.quality.comparison.adjustment import adjust_measures, are_rates
from svcanalytics.quality.comparison.casemix import average_cases, standardise
from svcanalytics.quality.comparison.overdispersion import dispersion_over_time
from svcanalytics.quality.comparison.placing import Readings, place
from svcanalytics.quality.doubt.dependence import Dependence
from svcanalytics.quality.doubt.uncertainty import propagate
from svcanalytics.quality.index import score
from svcanalytics.quality.profiles import Profile
from svcanalytics.quality.scaling import read_values

__all__ = ["compare", "compare_counts"]

_COLUMNS = (
    *("of", "unit", "period", "value", "low", "high", "shrunk", "centre", "n"),
    *("rank", "rank_low", "rank_high", "tie", "places", "p_value", "stands_out", "unusual"),
    *("coverage", "numerator", "denominator", "flag"),
)


def compare(
    measures: pd.DataFrame,
    profile: Profile,
    unit: str,
    *,
    of: str | Sequence[str] = "index",
    period: str | None = None,
    level: float = 0.95,
    smallest: int = 30,
    dependence: Dependence | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare units fairly: what can be said of their places, and what noise forbids to say.

    Columns that the measures are split by beside `unit` are case mix: every metric is first adjusted for them (see
    `adjust_measures`), so that a team with harder cases is held against what anyone would reach with those.

    Ranks come with sets: the first and last place a unit can have, true for all units at once with confidence `level`
    (Mogstad, Romano, Shaikh and Wilhelm 2024). A unit stands out when it differs from the other units together after
    correction for their number (Holm 1979): where nobody differs, any month names somebody with probability 1 - `level`
    at most. It is unusual when it lies outside the 99.8 % limits of the over-dispersed funnel, that is, even further
    off than units usually lie apart.

    Parameters
    ----------
    measures : pandas.DataFrame
        As `measure` gives them by `unit`, and by columns of case mix.
    profile : Profile
        Says which metrics make up the index and which way is better.
    unit : str
        Column of units: team, agent, site. Rows where it is missing take no part.
    of : str or sequence of str
        What to compare: "index", a family or a metric of the profile.
    period : str, optional
        Default: the last.
    level : float
        Confidence of rank sets and of standing out.
    smallest : int
        Units with fewer rows (of the index: in every metric) show no value and have no place.
    dependence : Dependence, optional
        How the errors of measures go together, as `measure_dependence` gives it: bands of the index and of families are
        then those of `propagate`, those of a metric are widened by its own factor. Without, measures are taken as
        independent, and places look surer than they are where several rest on the same cases.
    seed : int
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        For each of `of`, best first, units without a place last: of, unit, period, value (index and families 0-100, a
        metric in its own unit), low, high (95 %), shrunk (drawn to the centre by its noise), centre (the mean of all
        units), n, rank, rank_low, rank_high, tie (group of places that can't be told apart), places ("2–5"), p_value
        (corrected), stands_out (better, worse, no), unusual (better, worse, no), coverage (of index and families: share
        of the weight whose measures were there; where units differ in it, their scores rest on different measures),
        numerator, denominator (of a rate, as adjusted), flag: "" or provisional or incomplete; without a place no_data,
        suppressed, small, coverage, no_overlap (its cases are of kinds others don't have), no_interval, alone (no other
        unit is left).

    Raises
    ------
    CatalogueError
        When a column, the period, or one of `of` is unknown, a metric occurs twice, there is only one unit, or a metric
        of `of` can't be adjusted for case mix.
    """
    wanted = [of] if isinstance(of, str) else list(of)
    directions = {m.metric: m.goalposts.direction for m in profile.metrics}
    unknown = [key for key in wanted if key not in {"index", *profile.families, *directions}]
    if unknown:
        raise CatalogueError(
            f"{unknown[0]!r} is no family or metric of the profile",
            where=f"profile {profile.id}",
            fix=f"use index, {', '.join(profile.families)}, or one of its metrics",
        )
    frame, names = _of_period(measures, unit, period)
    period = str(frame["period"].iloc[0])
    frame = frame[frame["metric"].isin(directions)]
    if frame.empty:
        raise CatalogueError(f"no metric of profile {profile.id} is among them", where="measures", fix="measure these")
    rows = frame.groupby([unit, "metric"], sort=True)["n"].sum().groupby(level=0).max() if "n" in frame else None
    kinds = {metric: are_rates(part) for metric, part in frame.groupby("metric")}
    if any(name not in MEASURE_COLUMNS and name != unit for name in frame.columns):
        frame = adjust_measures(frame, unit)
        hopeless = [key for key in wanted if key in frame.attrs["left_out"]]
        if hopeless:
            raise CatalogueError(
                f"metric {hopeless[0]} has no sums and can't be adjusted", where="case mix", fix="compare it without"
            )
    asked = {"index", *profile.families} & set(wanted)
    scores = _scored(frame, profile, dependence, seed) if asked else pd.DataFrame()
    parts = []
    for key in wanted:
        if key in directions:
            factor = 1.0 if dependence is None else float(dependence.factors.get(key, 1.0))
            table = _metric(frame[frame["metric"] == key].set_index(unit), kinds.get(key, False), names, factor)
            found = Readings(table, directions[key] == "up", np.full(len(table), factor))
        else:
            found = Readings(_scores(scores[scores["family"] == ("" if key == "index" else key)], rows, names))
        parts.append(place(found, level=level, smallest=smallest, seed=seed).assign(of=key, period=period))
    return _tidy(parts)


def compare_counts(
    counts: pd.DataFrame,
    *,
    unit: str = "unit",
    numerator: str = "numerator",
    denominator: str = "denominator",
    direction: Literal["up", "down"] = "up",
    period: str | None = None,
    mix: Sequence[str] = (),
    level: float = 0.95,
    smallest: int = 30,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare units on plain counts, from any table: hits of cases per unit, period and kind of case.

    With periods, the noise of a unit is taken from how its own rate moves from one to the next, beyond what all units
    share (a season) and beyond what counts alone would give; three periods or more are needed for that.

    Parameters
    ----------
    counts : pandas.DataFrame
        One or more rows per unit; those without a unit take no part.
    unit, numerator, denominator : str
        Columns; 0 <= numerator <= denominator.
    direction : {"up", "down"}
        Whether a high rate is good or bad.
    period : str, optional
        Column of periods; all of them are compared together.
    mix : sequence of str
        Columns of case mix.
    level, smallest, seed
        As in `compare`.

    Returns
    -------
    pandas.DataFrame
        As `compare`, with `of` "rate".

    Raises
    ------
    CatalogueError
        When a column is missing, there is only one unit, or units have no kinds of cases in common.
    ContractError
        When counts are missing, negative, or a numerator is above its denominator.
    """
    if direction not in ("up", "down"):
        raise CatalogueError(f"there is no direction {direction!r}", fix='use "up" (more is better) or "down"')
    strata = [*mix, *([period] if period else [])]
    frame = _checked(counts, unit, numerator, denominator, strata)
    totals = frame.groupby(unit, sort=True)[["numerator", "denominator"]].sum()
    hits, trials = (totals[name].to_numpy(dtype="float64") for name in ("numerator", "denominator"))
    cases = trials
    rare = hits.sum() <= trials.sum() / 2
    flag = np.full(len(totals), "")
    ratio = np.ones(len(totals))
    if strata and 0 < hits.sum() < trials.sum():
        # Ratios of the rarer outcome can't push a rate far above 1.
        counted = frame if rare else frame.assign(numerator=frame["denominator"] - frame["numerator"])
        adjusted = standardise(counted, unit, strata)
        flag, cases = np.where(trials > 0, adjusted["flag"], ""), average_cases(adjusted)
        few = np.minimum(adjusted["observed"], cases).to_numpy()
        hits = few if rare else cases - few
        if period:
            ratio = _dispersion(counted, unit, period, strata)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = hits / cases
        low, high = wilson_interval(hits / ratio, cases / ratio)
    table = pd.DataFrame(
        {
            "unit": totals.index.to_numpy(),
            "value": value,
            "low": low,
            "high": high,
            "n": trials,
            "flag": flag,
            "numerator": hits,
            "denominator": cases,
        }
    )
    found = Readings(table, direction == "up", ratio)
    return _tidy([place(found, level=level, smallest=smallest, seed=seed).assign(of="rate", period="")])


def _of_period(measures: pd.DataFrame, unit: str, period: str | None) -> tuple[pd.DataFrame, pd.Index]:
    """Return the rows of one period, and all units there are in any."""
    absent = [name for name in ("metric", "period", "value", unit) if name not in measures.columns]
    if absent or unit in MEASURE_COLUMNS:
        raise CatalogueError(
            f"the measures have no column {absent[0]!r}" if absent else f"{unit!r} is no column of units",
            where="compare",
            fix=f"pass what measure(..., by={unit!r}) returned" if absent else "name the column they were measured by",
        )
    if measures.empty:
        raise CatalogueError("there are no measures to compare", where="compare", fix="measure another period")
    named = measures[measures[unit].notna()]
    named = named.assign(**{unit: named[unit].astype(str)})
    names = pd.Index(sorted(named[unit].unique()), name="unit")
    if len(names) < 2:
        raise CatalogueError("one unit alone can't be compared", where=f"column {unit}", fix="measure by more units")
    order = "start" if "start" in named else "period"
    period = str(named.sort_values(order)["period"].iloc[-1]) if period is None else period
    frame = named[named["period"] == period]
    if frame.empty:
        known = named["period"].drop_duplicates().tolist()
        raise CatalogueError(
            "the measures hold no such period", where=str(period), fix=f"they hold {known[0]} to {known[-1]}"
        )
    # A unit that rests in this period is listed; one without data in any is refused by `score`.
    known, here = (set(rows.loc[have_data(rows), unit]) for rows in (named, frame))
    return frame[~frame[unit].isin(known - here)].reset_index(drop=True), names


def _scored(frame: pd.DataFrame, profile: Profile, dependence: Dependence | None, seed: int) -> pd.DataFrame:
    scores = score(frame, profile).scores.set_index(["unit", "family"])
    if dependence is not None:
        drawn = propagate(frame, profile, dependence=dependence, seed=seed).scores.set_index(["unit", "family"])
        scores[["low", "high"]] = drawn[["low", "high"]]
    return scores.reset_index("family")


def _scores(scores: pd.DataFrame, rows: pd.Series | None, names: pd.Index) -> pd.DataFrame:
    table = scores.reindex(names)[["score", "low", "high", "coverage", "flag"]].rename(columns={"score": "value"})
    n = np.inf if rows is None else rows.reindex(names).fillna(0).astype("float64")
    return table.assign(n=n, flag=table["flag"].astype("object").fillna("")).reset_index()


def _metric(rows: pd.DataFrame, rate: bool, names: pd.Index, factor: float) -> pd.DataFrame:
    if rows.index.duplicated().any():
        raise CatalogueError(
            f"unit {rows.index[rows.index.duplicated()][0]} has a metric twice", where="compare", fix="measure it once"
        )
    columns = ["value", "low", "high", "n", "flag", *(["numerator", "denominator"] if rate else [])]
    table = rows.reindex(names).reindex(columns=columns)
    numbers = [name for name in columns if name != "flag"]
    table[numbers] = table[numbers].astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
    table["low"] = table["value"] - (table["value"] - table["low"]) * np.sqrt(factor)
    table["high"] = table["value"] + (table["high"] - table["value"]) * np.sqrt(factor)
    # Measures without n can't say that a unit is small.
    return table.assign(flag=table["flag"].astype("object").fillna(""), n=table["n"].fillna(np.inf)).reset_index()


def _checked(counts: pd.DataFrame, unit: str, numerator: str, denominator: str, strata: list[str]) -> pd.DataFrame:
    """Return the counts with their names made plain, one row per unit and stratum."""
    absent = [name for name in (unit, numerator, denominator, *strata) if name not in counts.columns]
    if absent:
        fix = f"use one of: {', '.join(map(str, counts.columns))}"
        raise CatalogueError(f"there is no column {absent[0]!r}", where="counts", fix=fix)
    counts = counts[counts[unit].notna()]
    frame = counts[[unit, *strata]].assign(
        numerator=read_values(counts[numerator], numerator), denominator=read_values(counts[denominator], denominator)
    )
    frame[unit] = frame[unit].astype(str)
    x, n = frame["numerator"], frame["denominator"]
    for wrong, what in (
        (x.isna() | n.isna(), "a count is missing"),
        ((x < 0) | (n < 0), "a count is negative"),
        (x > n, "a numerator is above its denominator"),
    ):
        if wrong.any():
            row = frame[wrong].iloc[0]
            where = ", ".join(f"{name} {row[name]}" for name in (unit, *strata))
            raise ContractError(what, where=where, fix="correct or leave out the row")
    if frame[unit].nunique() < 2:
        raise CatalogueError("one unit alone can't be compared", where=f"column {unit}", fix="take in more units")
    return frame.groupby([unit, *strata], dropna=False, sort=True, as_index=False)[["numerator", "denominator"]].sum()


def _dispersion(counted: pd.DataFrame, unit: str, period: str, strata: list[str]) -> np.ndarray:
    """Return each unit's dispersion over periods, around its own level and what all units share in a period."""
    rate = counted.groupby(strata, dropna=False)[["numerator", "denominator"]].transform("sum")
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = (counted["denominator"] * rate["numerator"] / rate["denominator"]).fillna(0.0)
    wide = counted.assign(shared=shared).pivot_table(
        index=unit, columns=period, values=["numerator", "shared", "denominator"], aggfunc="sum", fill_value=0.0
    )
    observed, expected, trials = (wide[name].to_numpy() for name in ("numerator", "shared", "denominator"))
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.nan_to_num(observed.sum(axis=1) / expected.sum(axis=1))
    return dispersion_over_time(observed, np.minimum(expected * level[:, None], trials), trials)


def _tidy(parts: list[pd.DataFrame]) -> pd.DataFrame:
    frame = pd.concat(parts, ignore_index=True).reindex(columns=list(_COLUMNS))
    return frame.assign(n=frame["n"].replace(np.inf, np.nan).round().astype("Int64"))
