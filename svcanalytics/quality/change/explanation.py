"""Why the index moved: contributions of metrics, of weights, and of groups' rates and mix, adding up to the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.intervals import benjamini_hochberg
from svcanalytics.quality.cells import MEASURE_COLUMNS, MEASURES_Z, check_level
from svcanalytics.quality.change.grouping import Grouped, lay_out, read_groups
from svcanalytics.quality.change.leverage import find_leverage, goalpost_slopes
from svcanalytics.quality.change.margins import add_up
from svcanalytics.quality.change.splitting import Split, split_measure
from svcanalytics.quality.index import IndexResult, score
from svcanalytics.quality.profiles import Profile

__all__ = ["explain", "top_contributions"]

_SHIFTS = ("weights", "missing")
_NOTHING = 1e-12
_COLUMNS = (
    *("source", "key", "contribution", "low", "high", "metric", "family", "dimension", "group"),
    *("p_value", "q_value", "certain", "flag"),
)


def explain(
    measures: pd.DataFrame,
    profile: Profile,
    period: str,
    baseline: str,
    by: str | Sequence[str] = (),
    *,
    total: pd.DataFrame | None = None,
    weights: pd.DataFrame | pd.Series | None = None,
    level: float = 0.95,
    tests: Literal["positive", "any"] = "positive",
) -> pd.DataFrame:
    """Explain the change of the index between two periods; the contributions add up to it exactly.

    Without `by` there is one line per metric (``score``), and lines for what changed weights did: other weights given
    (``weights``, as in a high season) or other things measured (``missing``). With `by` the line of a metric becomes
    lines of groups that add up to it: the group's own value moved (``rate``), its share did (``mix``, against the
    whole's mean: a good group that grows helps), it came or went (``new``, ``vanished``); a count has ``volume``. With
    several dimensions the rates are those of their cells and the mix is split by dimension (Das Gupta 1993, chapter 5);
    for a full split by each dimension call `explain` once for each. A metric that can't be split keeps one line, with
    flag ``not_split``: quantiles, and metrics not measured by these dimensions.

    How the change is taken apart: see `find_leverage` for means and weights, `split_measure` for groups; between them
    goes the slope of the goalposts between the two values. At each level that is the value of Shapley, Kitagawa and Das
    Gupta: nothing depends on the order of periods, metrics or groups.

    Intervals say what sampling error alone does to a line, first order, with the weights as they are; measures' own
    intervals combine as the method of variance estimates recovery does (Zou and Donner 2008). `q_value` controls the
    false discovery rate over all lines of scores and groups, and apart from them over those of weights, which would
    otherwise make room for false ones; `certain` means it is at most 1 - `level`.

    Parameters
    ----------
    measures : DataFrame
        As `measure` gives it; with `by`, measured by those dimensions (more are added up). Metrics outside the profile
        are ignored.
    profile : Profile
        What the index is scored with.
    period, baseline : str
        Written as in the measures: "2026-10", "2026Q3".
    by : str or sequence of str
        Dimensions to split the metrics by.
    total : DataFrame, optional
        The same metrics measured as a whole. Without it, wholes are the sums of the groups: then quantile metrics are
        left out of the index, and groups too small to show are left out of the sums.
    weights : DataFrame or Series, optional
        Shares of the index to use instead of the profile's, as in `score`.
    level : float
        Confidence level of the intervals.
    tests : {"positive", "any"}
        How the lines may depend on one another for the false discovery rate to hold: Benjamini and Hochberg (1995), or
        Benjamini and Yekutieli (2001), which is stricter.

    Returns
    -------
    DataFrame
        One line per cause, largest first: source, key (metric, or "metric&team=B"), contribution (points of the index),
        low, high, metric, family, dimension, group, p_value, q_value, certain, flag ("", incomplete, provisional,
        not_split, simpson when every group moved one way and the whole the other). ``attrs`` holds period, baseline,
        before and after (the index in each) and change.

    Raises
    ------
    CatalogueError
        When a period has no index, a dimension or column is missing, a group occurs twice, or groups don't add up to
        the whole.
    """
    if period == baseline:
        raise CatalogueError("a period can't be explained by itself", where=period, fix="name another baseline")
    check_level(level)
    by = [by] if isinstance(by, str) else list(dict.fromkeys(by))
    metrics, periods = [m.metric for m in profile.metrics], [baseline, period]
    groups, total = _read(measures, profile, periods, by, total)
    result = score(total, profile, weights=weights)
    change = result.change(period, baseline)
    sides = _sides(result, total, profile, periods)
    grouped = read_groups(groups, metrics, periods, by) if by else None
    worth = find_leverage(sides.score, sides.weight, profile).score_worth
    lines = []
    for number, metric in enumerate(profile.metrics):
        if worth[number] == 0:  # it did not count on both sides: what it did stands among the shifts
            continue
        split, flags = None, [sides.flag[number]]
        if grouped is not None:
            found = grouped.of(number, {name: part[:, number] for name, part in sides.atoms.items()}, metric.metric)
            split = None if found is None else split_measure(found, grouped.dimensions)
            flags += ["not_split"] if split is None else ["simpson"] if split.reversal else []
        if grouped is None or split is None:
            line = _score_line(sides, number, worth[number], metric.metric)
        else:
            line = _group_lines(split, grouped, worth[number] * sides.slope[:, number], metric.metric)
        told = {"metric": metric.metric, "family": metric.family, "flag": " ".join(filter(None, flags))}
        lines.append(line | {name: [text] * len(line["key"]) for name, text in told.items()})
    lines.append(_shift_lines(sides, profile))
    frame = _judged(
        pd.DataFrame({name: np.concatenate([line[name] for line in lines]) for name in lines[-1]}), level, tests
    )
    names = "period", "baseline", "before", "after", "change"
    frame.attrs = dict(zip(names, (period, baseline, *map(float, sides.index), change.value), strict=True))
    return frame


def top_contributions(explanation: pd.DataFrame, n: int = 5) -> pd.DataFrame:
    """Return the few lines worth saying, and the rest as one.

    Of the lines of scores and groups those that are certain are said, at most `n`, the largest first; all that is left
    makes up the line ``other``. What is no change of quality comes as one line each: ``weights`` and ``missing``. The
    contributions still add up to the change.

    Parameters
    ----------
    explanation : DataFrame
        What `explain` returned.
    n : int
        Most lines of metrics or groups.

    Returns
    -------
    DataFrame
        The columns of `explanation`; source is also ``other``. A summed line takes its lines as independent.

    Raises
    ------
    CatalogueError
        When n is negative.
    """
    if n < 0:
        raise CatalogueError(f"{n} lines can't be returned", where="n", fix="use 0 or more")
    shifts = explanation["source"].isin(_SHIFTS)
    certain = explanation[explanation["certain"] & ~shifts]
    said = certain.reindex(certain["contribution"].abs().sort_values(ascending=False, kind="stable").index[:n])
    rest = explanation[~shifts & ~explanation.index.isin(said.index)]
    summed = [_summed(rest, "other"), *(_summed(explanation[explanation["source"] == s], s) for s in _SHIFTS)]
    out = pd.concat([said, *(line for line in summed if len(line))], ignore_index=True)
    out.attrs = explanation.attrs
    return out


_Lines = dict[str, Sequence | NDArray]
"""Columns of lines; frames are made once, at the end: many small ones would take most of the time."""


@dataclass(frozen=True)
class _Sides:
    """Both periods as arrays of shape (2, metrics), except index (2,) and flag (metrics,)."""

    score: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    weight: NDArray[np.float64]
    slope: NDArray[np.float64]  # points of score per unit of value: between the two values, and over their intervals
    index: NDArray[np.float64]
    flag: list[str]
    atoms: dict[str, NDArray[np.float64]]


def _read(
    measures: pd.DataFrame, profile: Profile, periods: list[str], by: list[str], total: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return measures by group, one row per group, and as a whole; refuse what does not fit the dimensions."""
    for name in by:
        if name not in measures.columns or name in MEASURE_COLUMNS:
            there = [each for each in measures.columns if each not in MEASURE_COLUMNS]
            raise CatalogueError(
                f"the measures have no dimension {name!r}",
                where="by",
                fix=f"use one of: {', '.join(there)}" if there else f"measure with by={name!r}",
            )
    if "metric" in measures and "period" in measures:
        held = list(dict.fromkeys(measures["period"]))
        known = ", ".join(map(str, held[-12:]))
        for name in periods:
            if name not in held:
                raise CatalogueError(
                    f"the measures hold no period {name!r}",
                    where="measures",
                    fix=f"they hold {known}",
                )
        chosen = measures["metric"].isin([m.metric for m in profile.metrics]) & measures["period"].isin(periods)
        measures = measures[chosen]
        named = [name for name in measures.columns if name not in MEASURE_COLUMNS]
        twice = measures[measures.duplicated(["metric", "period", *named])]
        if len(twice):
            row = twice.iloc[0]
            raise CatalogueError(
                f"metric {row['metric']} occurs twice for one group and period",
                where=" ".join(str(row[name]) for name in ("period", *named)),
                fix="measure it once per group",
            )
    others = [name for name in measures.columns if name not in MEASURE_COLUMNS and name not in by]
    whole = measures if total is None else total
    if total is None and by:
        whole = add_up(measures)
    split = [name for name in whole.columns if name not in MEASURE_COLUMNS]
    if split:
        raise CatalogueError(
            f"these measures are not of the whole but by {split[0]}",
            where="measures" if total is None else "total",
            fix=f"name it in by, or keep one {split[0]} and drop the column",
        )
    if "period" in whole:
        whole = whole[whole["period"].isin(periods)]
    return add_up(measures, by) if by and others else measures, whole


def _sides(result: IndexResult, total: pd.DataFrame, profile: Profile, periods: list[str]) -> _Sides:
    table = result.weights.set_index(["period", "metric"])
    metrics = [m.metric for m in profile.metrics]
    score_, low, high, weight = (
        np.array([table.loc[period, name].reindex(metrics).to_numpy(float) for period in periods])
        for name in ("score", "low", "high", "weight")
    )
    index = result.scores[result.scores["family"] == ""].set_index("period")["score"]
    atoms = lay_out(total, metrics, periods)
    between = goalpost_slopes(atoms["value"][0], atoms["value"][1], profile)
    over = goalpost_slopes(atoms["low"].min(axis=0), atoms["high"].max(axis=0), profile)
    slope = np.array([between, np.where(np.isnan(over), between, over)])
    flags = total["flag"].fillna("") if "flag" in total else pd.Series("", index=total.index)
    worst = flags.groupby(total["metric"]).agg(set)
    named = [next((f for f in ("incomplete", "provisional") if f in worst.get(m, ())), "") for m in metrics]
    return _Sides(score_, low, high, weight, slope, index.loc[periods].to_numpy(float), named, atoms)


def _score_line(sides: _Sides, number: int, worth: float, metric: str) -> _Lines:
    (old, new), (old_low, new_low), (old_high, new_high) = (
        part[:, number] for part in (sides.score, sides.low, sides.high)
    )
    return {
        "source": ["score"],
        "key": [metric],
        "contribution": [worth * (new - old)],
        "below": [worth * np.hypot(new - new_low, old_high - old)],
        "above": [worth * np.hypot(new_high - new, old - old_low)],
        "dimension": [""],
        "group": [""],
    }


def _group_lines(split: Split, grouped: Grouped, points: NDArray[np.float64], metric: str) -> _Lines:
    """Carry a measure's lines to the index; `points` are those of a unit of the measure: for effects, for noise."""
    noise = abs(points[1])
    below, above = (split.below, split.above) if points[1] >= 0 else (split.above, split.below)
    groups = [grouped.labels[name][place] for name, place in zip(split.dimension, split.group, strict=True)]
    named = [f"{name}={group}" if name else group for name, group in zip(split.dimension, groups, strict=True)]
    return {
        "source": split.source,
        "key": [f"{metric}&{each}" for each in named],
        "contribution": points[0] * split.effect,
        "below": noise * below,
        "above": noise * above,
        "dimension": split.dimension,
        "group": groups,
    }


def _shift_lines(sides: _Sides, profile: Profile) -> _Lines:
    """Return what weights did; its noise is that of the scores they moved between, one at a time."""
    keys = [(source, family, "") for source in _SHIFTS for family in profile.families]
    keys += [(source, m.family, m.metric) for source in _SHIFTS for m in profile.metrics]

    def shifts(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        lever = find_leverage(scores, sides.weight, profile)
        by_source = [part[source] for part in (lever.family_shifts, lever.metric_shifts) for source in _SHIFTS]
        return np.concatenate(by_source)

    effect = shifts(sides.score)
    kept = np.flatnonzero(np.abs(effect) > _NOTHING)
    below, above = np.zeros_like(effect), np.zeros_like(effect)
    for side, number in np.argwhere(~np.isnan(sides.score)) if len(kept) else ():
        moved = []
        for bound in (sides.low, sides.high):
            scores = sides.score.copy()
            scores[side, number] = bound[side, number]
            moved.append(shifts(scores) - effect)
        below += np.minimum(np.minimum(*moved), 0) ** 2
        above += np.maximum(np.maximum(*moved), 0) ** 2
    return {
        "source": [keys[place][0] for place in kept],
        "key": [keys[place][2] or keys[place][1] for place in kept],
        "contribution": effect[kept],
        "below": np.sqrt(below[kept]),
        "above": np.sqrt(above[kept]),
        **{name: [""] * len(kept) for name in ("dimension", "group", "flag")},
        "metric": [keys[place][2] for place in kept],
        "family": [keys[place][1] for place in kept],
    }


def _judged(lines: pd.DataFrame, level: float, tests: str) -> pd.DataFrame:
    from scipy.special import ndtr

    if tests not in ("positive", "any"):
        raise CatalogueError(f"there is no way of testing named {tests!r}", where="tests", fix="use positive or any")
    z = NormalDist().inv_cdf((1 + level) / 2) / MEASURES_Z
    value = lines["contribution"].to_numpy()
    facing = np.where(value > 0, lines["below"], lines["above"])
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(facing > _NOTHING, 2 * ndtr(-np.abs(value) * MEASURES_Z / facing), np.nan)
    q, shift = np.full(len(p), np.nan), lines["source"].isin(_SHIFTS).to_numpy()
    for which in (shift, ~shift):
        q[which] = benjamini_hochberg(p[which])
        if tests == "any":
            tested = np.arange(1, (~np.isnan(p[which])).sum() + 1)
            q[which] = np.minimum(q[which] * (1 / tested).sum(), 1)
    lines = lines.assign(low=value - z * lines["below"], high=value + z * lines["above"], p_value=p, q_value=q)
    lines["certain"] = np.nan_to_num(q, nan=1.0) <= 1 - level
    order = np.argsort(-np.abs(value), kind="stable")
    return lines.iloc[order].reset_index(drop=True)[[*_COLUMNS]]


def _summed(lines: pd.DataFrame, source: str) -> pd.DataFrame:
    if lines.empty:
        return lines
    value = lines["contribution"]
    low, high = (
        value.sum() + sign * np.sqrt(((value - lines[side]) ** 2).sum()) for side, sign in (("low", -1), ("high", 1))
    )
    blank = dict.fromkeys(("metric", "family", "dimension", "group", "flag"), "")
    line = {"source": source, "key": source, "contribution": value.sum(), "low": low, "high": high, **blank}
    line |= {"p_value": np.nan, "q_value": np.nan, "certain": bool(low > 0 or high < 0)}
    return pd.DataFrame([line])[lines.columns]
