"""`measure`: every metric by period and unit, from one query per view and time column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics import intervals
from svcanalytics.metrics.atoms import Rows, quantile_atoms, sum_atoms
from svcanalytics.metrics.completeness import covered_days, incomplete_periods
from svcanalytics.metrics.definitions import Metric, catalogue
from svcanalytics.metrics.expressions import attribute, condition, filter_in, names_in
from svcanalytics.metrics.grid import Grid, make_grid, span
from svcanalytics.metrics.knowledge import Knowledge
from svcanalytics.metrics.views import View, view
from svcanalytics.periods import period_of
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["COLUMNS", "measure", "measure_definitions"]

COLUMNS = ("value", "low", "high", "n", "numerator", "denominator", "std", "unit", "target", "met", "flag")
"""The columns after metric, period, start and those of `by`."""

_PENDING_SHARE = 0.01


def measure(
    lake: Lake,
    metrics: str | Sequence[str] | None = None,
    by: str | Sequence[str] = (),
    every: str = "month",
    start: date | str | None = None,
    end: date | str | None = None,
    where: Mapping[str, object] | None = None,
) -> pd.DataFrame:
    """Measure metrics of the catalogue by period and unit.

    Parameters
    ----------
    lake : Lake
        What to read, at its snapshot.
    metrics : str or sequence of str, optional
        Ids; default: all of the catalogue that the lake's tables can answer, split and filtered as asked.
    by : str or sequence of str
        Columns of the metrics' views, or keys of ``attributes``, that make up a unit.
    every : str
        ``day``, ``week``, ``month``, ``quarter``, ``half_year`` or ``year``, in local days of the lake.
    start, end : date or str, optional
        First and last local day or written period, both inclusive. A period cut by them is flagged incomplete.
    where : mapping, optional
        Column or attribute to a value, a list of values, or None for "not filled".

    Returns
    -------
    DataFrame
        metric, period, start, the columns of `by`, value, low, high (95 %), n, numerator, denominator (Int64, exact
        sums), std (of one row), unit, target, met, flag ("", suppressed, incomplete, provisional). A unit without any
        row in the denominator has no row here; n below the metric's smallest n shows nothing but n.
        ``attrs["left_out"]`` says which metrics are missing and why.

    Raises
    ------
    CatalogueError
        When a metric is unknown, or one that was named can't be split or filtered as asked.
    PeriodError
        When `every`, `start` or `end` isn't a period.
    """
    chosen = catalogue(lake).choose(metrics)
    return measure_definitions(lake, chosen, by, every, start, end, where, named=metrics is not None)


def measure_definitions(
    lake: Lake,
    chosen: Sequence[Metric],
    by: str | Sequence[str] = (),
    every: str = "month",
    start: date | str | None = None,
    end: date | str | None = None,
    where: Mapping[str, object] | None = None,
    *,
    named: bool = False,
) -> pd.DataFrame:
    """Measure definitions that need not be in the catalogue; as `measure`.

    Parameters
    ----------
    named : bool
        Refuse a metric that can't be split or filtered as asked, instead of leaving it out.
    """
    by, where = names_in(by), filter_in(where)
    days = span(start, end, lake.month_start)
    period_of(date(2000, 1, 1), every)  # a misspelt kind is refused even when there are no rows
    con = lake.connection()
    try:
        known = Knowledge(lake, con)
        answered = [metric for metric in chosen if all(lake.has(table) for table in view(metric.view).needs)]
        known.learn(answered)
        left_out = {metric.id: _left_out(lake, metric, by, where, known, named) for metric in chosen}
        left_out = {name: reason for name, reason in left_out.items() if reason}
        groups: dict[tuple[str, str], list[Metric]] = {}
        for metric in chosen:
            if metric.id not in left_out:
                groups.setdefault((metric.view, metric.at), []).append(metric)
        times: dict[str, list[str]] = {}
        for name, at in groups:
            times.setdefault(name, []).append(at)
        parts = [
            part
            for (name, at), group in groups.items()
            for part in _measured(con, known, view(name), at, times[name], group, by, every, days, where)
        ]
    except duckdb.ConversionException as error:
        # Catalogue expressions are typed; only a value of the filter can be of the wrong kind.
        raise CatalogueError(
            "a value is not of its column's type", where="where", fix="give numbers for numbers and days for times"
        ) from error
    finally:
        con.close()
    frame = _tidy([part for part in parts if len(part)], by, [metric.id for metric in chosen])
    frame.attrs["left_out"] = left_out
    return frame


def _left_out(
    lake: Lake, metric: Metric, by: list[str], where: dict[str, object], known: Knowledge, named: bool
) -> str:
    """Return why a metric has nothing to say here; refuse one that was named and can't be split as asked."""
    of = view(metric.view)
    if empty := [table for table in of.needs if not lake.has(table)]:
        return f"no rows in {', '.join(empty)}"
    for name in dict.fromkeys([*by, *where]):
        if name in of.columns() or known.has_attribute(of, name):
            continue
        what = f"reads view {of.name!r}, which has no column or attribute {name!r}"
        if named:
            raise CatalogueError(
                f"metric {metric.id!r} {what}",
                where="by" if name in by else "where",
                fix=f"leave it out, or use one of {', '.join(sorted(of.columns()))}",
            )
        return what
    return f"no source records {metric.requires}" if known.test(metric) is None else ""


def _measured(
    con: duckdb.DuckDBPyConnection,
    known: Knowledge,
    of: View,
    at: str,
    times: list[str],
    metrics: list[Metric],
    by: list[str],
    every: str,
    days: tuple[date | None, date | None],
    where: dict[str, object],
) -> list[pd.DataFrame]:
    """Return one tidy frame per metric of one view and time column, of the `times` that are measured at all."""
    lake, columns = known.lake, of.columns()
    zone, month_start = lake.timezone, lake.month_start
    keyed = bool(of.time) and of.time == at
    covered = {table: known.days(table) for table in of.tables if contract()[table].time and lake.has(table)}
    if keyed and all(covered.values()):
        limits = min(days[0] for days, _ in covered.values()), max(days[-1] for days, _ in covered.values())
    else:
        limits = known.limits(of, at, times)
    if limits is None:
        return []
    first = days[0] or period_of(limits[0], every, month_start).start
    last = days[1] or period_of(limits[1], every, month_start).last
    if first > last:
        return []
    grid = make_grid(first, last, every, month_start, at=at, keyed=keyed, zone=zone)
    names = dict.fromkeys([*by, *where])
    keys = [name for name in names if name not in columns]
    tests = {metric.id: known.test(metric) or "" for metric in metrics}
    read = {*grid.columns, *(name for name in names if name in columns)}.union(*(m.columns() for m in metrics))
    read |= {"attributes"} if keys else set()
    read |= {"source"} if any(tests.values()) else set()
    rows = Rows(
        of,
        f"from ({of.select(read, zone, known.empty, lake.keep)}) v join _calendar c on c.key = {grid.key} "
        f"where {condition(where, keys)}",
        "c.period",
        tuple(attribute(name) if name in keys else identifier(name) for name in by),
        tests,
    )
    con.register("_calendar", grid.calendar)
    atoms = sum_atoms(con, rows, [metric for metric in metrics if metric.kind != "quantile"])
    atoms |= quantile_atoms(con, rows, [metric for metric in metrics if metric.kind == "quantile"])
    con.unregister("_calendar")
    incomplete = incomplete_periods(grid.periods, _covered(covered.values()), *days)
    return [_finished(_valued(atoms[metric.id], metric), metric, grid, incomplete, by) for metric in metrics]


def _covered(found: Iterable[tuple[list[date], list[int]]]) -> tuple[date, date, int]:
    """Return what a view's tables cover; where two meet, only what both cover is whole."""
    spans = [span for span in (covered_days(*of) for of in found) if span is not None]
    if not spans:  # tables of people have no time of their own, so they are never short
        return date.min, date.max, 1
    return max(s[0] for s in spans), min(s[1] for s in spans), max(s[2] for s in spans)


def _valued(atoms: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Add value, low, high, numerator, denominator and std to the atoms; drop groups without a row that counts."""
    atoms = atoms[atoms["n"] > 0]
    x, n, scale = atoms["x"], atoms["n"], metric.scale
    if metric.kind == "quantile":
        found = {name: atoms[name].astype(float) / scale for name in ("low", "high")}
        return atoms.assign(value=x.astype(float) / scale, numerator=pd.NA, denominator=pd.NA, std=np.nan, **found)
    if metric.kind == "count":
        # A sum of other numbers than ones, such as opened less closed, is no Poisson count.
        squares = atoms["xx"].astype(float) if "xx" in atoms else None
        low, high = intervals.poisson_interval(x) if squares is None else intervals.sum_interval(x, squares)
        found = {"value": x / scale, "low": low / scale, "high": high / scale}
        return atoms.assign(**found, numerator=x, denominator=pd.NA, std=np.nan)
    y = atoms["y"] if metric.kind == "ratio" else n
    value = _divide(x, y)
    if metric.kind == "rate":
        low, high = intervals.wilson_interval(x, n)
        std = np.sqrt(value * (1 - value))
    elif metric.kind == "mean":
        low, high, std = intervals.mean_interval(n, x, atoms["xx"])
    else:
        low, high = intervals.ratio_interval(x, y, *(atoms[name].astype(float) for name in ("xx", "xy", "yy")))
        std = np.full(len(atoms), np.nan)
    found = {"value": value, "low": low, "high": high, "std": std}
    return atoms.assign(**{name: number / scale for name, number in found.items()}, numerator=x, denominator=y)


def _divide(x: pd.Series, y: pd.Series) -> np.ndarray:
    if max(x.abs().max(), y.abs().max(), 0) < 2**53:
        return x.to_numpy(float) / y.to_numpy(float)
    # Beyond what a float holds exactly, Python's division of whole numbers still rounds only once.
    return np.array([int(a) / int(b) for a, b in zip(x, y, strict=True)], dtype=float)


def _finished(part: pd.DataFrame, metric: Metric, grid: Grid, incomplete: np.ndarray, by: list[str]) -> pd.DataFrame:
    """Return the tidy rows of one metric: suppressed where n is too small, judged and flagged elsewhere."""
    period, n = part["_period"].to_numpy(), part["n"].to_numpy()
    few = n < metric.min_n
    shown = {name: np.where(few, np.nan, part[name].to_numpy(float)) for name in ("value", "low", "high", "std")}
    whole = {name: pd.array(part[name], dtype="Int64") for name in ("numerator", "denominator")}
    for side in whole.values():
        side[few] = pd.NA
    met = pd.array([pd.NA] * len(part), dtype="boolean")
    if metric.target is not None:
        value = shown["value"]
        met = pd.array(value >= metric.target if metric.direction == "up" else value <= metric.target, dtype="boolean")
        met[np.isnan(value)] = pd.NA
    pending = part["pending"].to_numpy() if "pending" in part else np.zeros(len(part), dtype="int64")
    provisional = (pending > 0) & (pending >= _PENDING_SHARE * n)
    flags = ["suppressed", "incomplete", "provisional"]
    # Built in one go: setting columns one by one costs more than all the sums of a small lake.
    return pd.DataFrame(
        {
            "metric": metric.id,
            "period": np.array([p.key for p in grid.periods], dtype=object)[period],
            "start": np.array([p.start for p in grid.periods], dtype="datetime64[us]")[period],
            **{name: part[f"_by{i}"].to_numpy() for i, name in enumerate(by)},
            **{name: shown[name] for name in ("value", "low", "high")},
            "n": pd.array(n, dtype="Int64"),
            **whole,
            "std": shown["std"],
            "unit": metric.unit,
            "target": np.nan if metric.target is None else float(metric.target),
            "met": met,
            "flag": np.select([few, incomplete[period], provisional], flags, "").astype(object),
        }
    )


def _tidy(parts: list[pd.DataFrame], by: list[str], order: list[str]) -> pd.DataFrame:
    names = ["metric", "period", "start", *by, *COLUMNS]
    if not parts:
        whole = dict.fromkeys(("n", "numerator", "denominator"), "Int64")
        floats = dict.fromkeys(("value", "low", "high", "std", "target"), "float64")
        types = {**whole, **floats, "met": "boolean", "start": "datetime64[us]"}
        return pd.DataFrame(columns=names).astype(types)
    frame = pd.concat(parts, ignore_index=True)
    frame["_order"] = frame["metric"].map({name: i for i, name in enumerate(order)})
    return frame.sort_values(["_order", "start", *by], ignore_index=True)[names]
