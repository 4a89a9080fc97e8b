"""`measure`: every metric by period and unit, from one query per view and time column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics import intervals
from svcanalytics.metrics.completeness import covered_days, incomplete_periods
from svcanalytics.metrics.definitions import Metric, catalogue, is_boolean
from svcanalytics.metrics.expressions import attribute, condition
from svcanalytics.metrics.grid import Grid, bounds, make_grid, span
from svcanalytics.metrics.views import View, view
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["COLUMNS", "measure"]

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
        Ids; default: all of the catalogue that have data and the columns that `by` and `where` need.
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
    by, where = [by] if isinstance(by, str) else list(by), dict(where or {})
    days = span(start, end, lake.month_start)
    left_out: dict[str, str] = {}
    groups: dict[tuple[str, str], list[Metric]] = {}
    con = lake.connection()
    try:
        attributes = _Attributes(con)
        for metric in chosen:
            reason = _missing(lake, metric, by, where, attributes)
            if reason and metrics is not None and not reason.startswith("no rows"):
                raise CatalogueError(
                    f"{metric.id} {reason}", where="by, where", fix="leave the metric or the column out"
                )
            if reason:
                left_out[metric.id] = reason
            else:
                groups.setdefault((metric.view, metric.at), []).append(metric)
        parts = [
            _measure_group(con, lake, view(name), at, group, by, every, days, where, attributes)
            for (name, at), group in groups.items()
        ]
    finally:
        con.close()
    frame = _tidy([part for part in parts if len(part)], by, [metric.id for metric in chosen])
    frame.attrs["left_out"] = left_out
    return frame


def _missing(lake: Lake, metric: Metric, by: list[str], where: dict[str, object], attributes: _Attributes) -> str:
    of = view(metric.view)
    if not any(lake.has(table) for table in of.tables):
        return f"no rows in {', '.join(of.tables)}"
    for name in dict.fromkeys([*by, *where]):
        if name not in of.columns() and not attributes.has(of, name, lake.timezone):
            return f"reads view {of.name!r}, which has no column or attribute {name!r}"
    return ""


class _Attributes:
    """Which keys of ``attributes`` a view's rows have; asked once each."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con, self._known = con, {}

    def has(self, of: View, name: str, zone: str) -> bool:
        """Tell whether any row of the view has the attribute."""
        if "attributes" not in of.columns():
            return False
        if (of.name, name) not in self._known:
            rows = of.select(["attributes"], zone)
            query = f"select 1 from ({rows}) where {attribute(name)} is not null limit 1"
            self._known[of.name, name] = bool(self._con.execute(query).fetchall())
        return self._known[of.name, name]


@dataclass
class _Sums:
    """The distinct sums of one query, by the name of their column in the result."""

    of: View
    names: dict[str, str]

    def add(self, sql: str) -> str:
        return self.names.setdefault(sql, f"s{len(self.names)}")

    def count(self, test: str) -> str:
        return self.add(f"cast(sum(case when {test} then 1 else 0 end) as bigint)")

    def total(self, test: str, number: str) -> str:
        return self.add(f"cast(coalesce(sum(case when {test} then {number} end), 0) as bigint)")

    def product(self, test: str, left: str, right: str) -> str:
        # A decimal would come back as a float: it travels as text.
        inner = f"cast(({left}) * ({right}) as decimal(38,0))"
        return self.add(f"cast(coalesce(sum(case when {test} then {inner} end), 0) as varchar)")

    def number(self, expression) -> str:  # type: ignore[no-untyped-def]
        """Return SQL of an expression as a number: yes counts 1."""
        yes_no = is_boolean(expression, self.of)
        return f"(case when {expression.sql} then 1 else 0 end)" if yes_no else f"({expression.sql})"


def _measure_group(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    of: View,
    at: str,
    metrics: list[Metric],
    by: list[str],
    every: str,
    days: tuple[date | None, date | None],
    where: dict[str, object],
    attributes: _Attributes,
) -> pd.DataFrame:
    keyed = bool(of.time) and of.time == at
    columns = of.columns()
    own = [name for name in [*by, *where] if name in columns]
    keys = [name for name in dict.fromkeys([*by, *where]) if name not in columns]
    limits = bounds(con, f"({of.select([at], lake.timezone)})", identifier(at), lake.timezone)
    if limits is None:
        return pd.DataFrame()
    first, last = days[0] or limits[0], days[1] or limits[1]
    if days[0] is None:
        first = (
            make_grid(first, first, every, lake.month_start, at=at, keyed=keyed, zone=lake.timezone).periods[0].start
        )
    if days[1] is None:
        last = make_grid(last, last, every, lake.month_start, at=at, keyed=keyed, zone=lake.timezone).periods[-1].last
    if first > last:
        return pd.DataFrame()
    grid = make_grid(first, last, every, lake.month_start, at=at, keyed=keyed, zone=lake.timezone)
    read = set().union(*(metric.columns() for metric in metrics)) | set(own) | set(grid.columns)
    read |= {"attributes"} if keys else set()
    con.register("_calendar", grid.calendar)
    units = [identifier(name) if name in columns else attribute(name) for name in by]
    rows = (
        f"from ({of.select(read, lake.timezone)}) v join _calendar c on c.key = {grid.key} "
        f"where {condition(where, keys)}"
    )
    group = ", ".join(["c.period as _period", *(f"{unit} as _by{i}" for i, unit in enumerate(units))])
    covered = _covered(con, lake, of)
    incomplete = incomplete_periods(grid.periods, covered, *days)
    sums = [metric for metric in metrics if metric.kind != "quantile"]
    quantiles = [metric for metric in metrics if metric.kind == "quantile"]
    parts = []
    if sums:
        parts += _sum_parts(con, of, sums, group, rows)
    for part in _quantile_parts(con, of, quantiles, group, rows, len(by)):
        parts.append(part)
    con.unregister("_calendar")
    return pd.concat([_finished(part, metric, grid, incomplete, by) for metric, part in parts], ignore_index=True)


def _covered(con: duckdb.DuckDBPyConnection, lake: Lake, of: View) -> tuple[date, date, int] | None:
    """Return what the view's first table with a time covers; tables of people have none, so theirs is never short."""
    spans = []
    for table in of.tables:
        if contract()[table].time and lake.has(table):
            found = con.execute(f"select day_key, count(*) from {identifier(table)} group by 1 order by 1").fetchall()
            days = [date(key // 10_000, key // 100 % 100, key % 100) for key, _ in found]
            spans.append(covered_days(days, [count for _, count in found]))
    if not spans:
        return date.min, date.max, 1
    # Where two tables meet, only what both cover is whole.
    return max(s[0] for s in spans), min(s[1] for s in spans), max(s[2] for s in spans)


def _sum_parts(
    con: duckdb.DuckDBPyConnection, of: View, metrics: list[Metric], group: str, rows: str
) -> list[tuple[Metric, pd.DataFrame]]:
    sums = _Sums(of, {})
    plans = [(metric, _plan(sums, metric)) for metric in metrics]
    listed = ", ".join(f"{sql} as {name}" for sql, name in sums.names.items())
    wide = con.sql(f"select {group}, count(*) as _rows, {listed} {rows} group by all").df()
    units = [name for name in wide.columns if name.startswith("_")]
    parts = []
    for metric, plan in plans:
        part = wide[units].copy()
        for role, name in plan.items():
            part[role] = wide[name].to_numpy()
        parts.append((metric, part))
    return parts


def _plan(sums: _Sums, metric: Metric) -> dict[str, str]:
    """Add the sums a metric needs; return the role of each: n, x, y, xx, xy, yy, pending."""
    parsed = metric.expressions()
    hit, base = parsed["numerator"].sql, parsed["denominator"].sql
    plan: dict[str, str] = {}
    if metric.kind == "rate":
        plan |= {"x": sums.count(f"({base}) and ({hit})"), "y": sums.count(base)}
        test = base
    elif metric.kind == "count":
        test = f"({base})"
        plan |= {"x": sums.total(test, sums.number(parsed["numerator"]))}
    elif metric.kind == "mean":
        number = sums.number(parsed["numerator"])
        test = f"({base}) and ({hit}) is not null"
        plan |= {"x": sums.total(test, number), "y": sums.count(test), "xx": sums.product(test, number, number)}
    else:
        x, y = sums.number(parsed["numerator"]), sums.number(parsed["denominator"])
        # Numerator and denominator may come from different rows of the view: what isn't known there adds nothing.
        x, y = f"coalesce({x}, 0)", f"coalesce({y}, 0)"
        test = f"{y} <> 0"
        plan |= {"x": sums.total("true", x), "y": sums.total("true", y), "n": sums.count(test)}
        plan |= {"xx": sums.product("true", x, x), "xy": sums.product("true", x, y), "yy": sums.product("true", y, y)}
    if "pending" in parsed:
        plan["pending"] = sums.count(f"({test}) and ({parsed['pending'].sql})")
    return plan


def _quantile_parts(
    con: duckdb.DuckDBPyConnection, of: View, metrics: list[Metric], group: str, rows: str, units: int
) -> list[tuple[Metric, pd.DataFrame]]:
    """Exact quantiles and their order-statistic intervals, from one sorted list per group and distinct expression."""
    by_list: dict[tuple[str, str], list[Metric]] = {}
    for metric in metrics:
        parsed = metric.expressions()
        by_list.setdefault((parsed["numerator"].sql, parsed["denominator"].sql), []).append(metric)
    keys = ", ".join(["_period", *(f"_by{i}" for i in range(units))])
    parts = []
    for (number, base), same in by_list.items():
        pending = [
            f"cast(sum(case when ({base}) and ({m.expressions()['pending'].sql}) then 1 else 0 end) as bigint)"
            if m.pending
            else "0"
            for m in same
        ]
        extra = ", ".join(f"{sql} as _p{i}" for i, sql in enumerate(pending))
        con.execute(
            f"create or replace temp table _sorted as select *, len(vs) as n from (select {group}, {extra}, "
            f"list_sort(list(cast(({number}) as bigint)) filter (where ({base}) and ({number}) is not null)) as vs {rows} group by all)"
        )
        sizes = [n for (n,) in con.execute("select distinct n from _sorted where n > 0").fetchall()]
        for i, metric in enumerate(same):
            ranks = pd.DataFrame(
                [(n, _rank(n, metric.q), *intervals.quantile_ranks(n, metric.q)) for n in sizes],
                columns=["n", "rank", "l", "h"],
            ).astype("int64")
            con.register("_ranks", ranks)
            part = con.sql(
                f"select {keys}, n, n as _rows, vs[rank] as x, case when l > 0 then vs[l] end as low, "
                f"case when h > 0 then vs[h] end as high, _p{i} as pending from _sorted join _ranks using (n)"
            ).df()
            con.unregister("_ranks")
            parts.append((metric, part))
    return parts


def _rank(n: int, q: float) -> int:
    # The least rank with at least q n rows at or below it; q n a hair above a whole number is that number (0.9 * 10).
    return max(1, int(np.ceil(q * n - 1e-9)))


def _finished(part: pd.DataFrame, metric: Metric, grid: Grid, incomplete: np.ndarray, by: list[str]) -> pd.DataFrame:
    part = _valued(part, metric)
    period = part["_period"].to_numpy()
    out = pd.DataFrame({"metric": metric.id, "_period": period}, index=part.index)
    out["period"] = np.array([p.key for p in grid.periods], dtype=object)[period]
    out["start"] = np.array([p.start for p in grid.periods], dtype="datetime64[us]")[period]
    for i, name in enumerate(by):
        out[name] = part[f"_by{i}"].to_numpy()
    few = (part["n"] < metric.min_n).to_numpy()
    value = part["value"].to_numpy(float)
    for name in ("value", "low", "high"):
        out[name] = np.where(few, np.nan, part[name].to_numpy(float))
    out["n"] = part["n"].astype("Int64")
    for name in ("numerator", "denominator"):
        out[name] = part[name].astype("Int64").mask(few)
    out["std"] = np.where(few, np.nan, part["std"].to_numpy(float))
    out["unit"] = metric.unit
    out["target"] = np.nan if metric.target is None else float(metric.target)
    met = pd.Series(pd.NA, index=part.index, dtype="boolean")
    if metric.target is not None:
        met = pd.Series(
            value >= metric.target if metric.direction == "up" else value <= metric.target, index=part.index
        )
        met = met.astype("boolean").mask(few | np.isnan(value))
    out["met"] = met
    pending = (
        part["pending"].to_numpy() >= _PENDING_SHARE * np.maximum(part["n"].to_numpy(), 1)
        if "pending" in part
        else False
    )
    pending = pending & (part["pending"].to_numpy() > 0) if "pending" in part else pending
    out["flag"] = np.select(
        [few, incomplete[period], np.broadcast_to(pending, few.shape)], ["suppressed", "incomplete", "provisional"], ""
    )
    return out


def _valued(part: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Add value, low, high, n, numerator, denominator and std; drop groups without a row in the denominator."""
    if metric.kind == "quantile":
        scaled = {name: part[name].astype(float) / metric.scale for name in ("low", "high")}
        return part.assign(
            value=part["x"].astype(float) / metric.scale, numerator=pd.NA, denominator=pd.NA, std=np.nan, **scaled
        )
    if metric.kind == "count":
        low, high = intervals.poisson_interval(part["x"])
        s = metric.scale
        return part.assign(
            value=part["x"] / s,
            low=low / s,
            high=high / s,
            n=part["_rows"],
            numerator=part["x"],
            denominator=pd.NA,
            std=np.nan,
        )
    part = part[part["y"] != 0].copy()
    x, y = part["x"], part["y"]
    part = part.assign(value=_divide(x, y) / metric.scale, numerator=x, denominator=y)
    if metric.kind == "rate":
        low, high = intervals.wilson_interval(x, y)
        p = part["value"].to_numpy(float)
        return part.assign(n=y, low=low, high=high, std=np.sqrt(p * (1 - p)))
    if metric.kind == "mean":
        low, high, std = intervals.mean_interval(y, x, part["xx"])
        return part.assign(n=y, low=low / metric.scale, high=high / metric.scale, std=std / metric.scale)
    squares = (part[name].map(int).to_numpy(float) for name in ("xx", "xy", "yy"))
    low, high = intervals.ratio_interval(x, y, *squares)
    return part.assign(low=low / metric.scale, high=high / metric.scale, std=np.nan)


def _divide(x: pd.Series, y: pd.Series) -> np.ndarray:
    # Python's division of whole numbers rounds once, whatever their size.
    return np.array([int(a) / int(b) for a, b in zip(x, y, strict=True)], dtype=float)


def _tidy(parts: list[pd.DataFrame], by: list[str], order: list[str]) -> pd.DataFrame:
    names = ["metric", "period", "start", *by, *COLUMNS]
    if not parts:
        empty = pd.DataFrame({name: pd.Series(dtype="object") for name in names})
        types = {
            "n": "Int64",
            "numerator": "Int64",
            "denominator": "Int64",
            "met": "boolean",
            "start": "datetime64[us]",
        }
        floats = dict.fromkeys(("value", "low", "high", "std", "target"), "float64")
        return empty.astype({**types, **floats})
    frame = pd.concat(parts, ignore_index=True)
    frame["_order"] = frame["metric"].map({name: i for i, name in enumerate(order)})
    return frame.sort_values(["_order", "start", *by], ignore_index=True)[names]
