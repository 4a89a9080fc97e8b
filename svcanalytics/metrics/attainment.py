"""`standards`: the share of clocks that were on time, by period and unit, in the shape of `measure`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics import intervals
from svcanalytics.metrics.clocks import instant, run_clocks, selected
from svcanalytics.metrics.completeness import covered_days, incomplete_periods
from svcanalytics.metrics.expressions import filter_in, names_in
from svcanalytics.metrics.grid import span
from svcanalytics.metrics.milestones import Selection
from svcanalytics.metrics.rules import Standard, rulebook
from svcanalytics.metrics.timing import Batch
from svcanalytics.metrics.views import view
from svcanalytics.periods import Period, local_days, periods_between
from svcanalytics.store.contract import contract

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store import Lake

__all__ = ["standards"]

_PENDING_SHARE = 0.01
_COLUMNS = [
    *("value", "low", "high", "n", "numerator", "denominator", "std", "unit", "target", "met", "flag"),
    *("due", "on_time", "late", "running", "overrun_s"),
]


def standards(
    lake: Lake,
    standards: str | Sequence[str] | None = None,
    by: str | Sequence[str] = (),
    every: str = "month",
    start: date | str | None = None,
    end: date | str | None = None,
    where: Mapping[str, object] | None = None,
    at: datetime | None = None,
) -> pd.DataFrame:
    """Measure time standards by period and unit.

    A clock belongs to the period in which it starts (a duty or a dated finding: falls due). A clock still running
    within its limit is neither met nor missed; past its limit it is late. A row without a target has no clock. ``team``
    in `by` is the owner: the team that took the case first.

    Parameters
    ----------
    lake : Lake
        What to read, at its snapshot.
    standards : str or sequence of str, optional
        Ids; default: all that have data and the columns that `by` and `where` need.
    by : str or sequence of str
        Columns of the standards' views, or keys of ``attributes``, that make up a unit.
    every : str
        ``day``, ``week``, ``month``, ``quarter``, ``half_year`` or ``year``, in local days of the lake.
    start, end : date or str, optional
        First and last local day or written period, both inclusive. A period cut by them is flagged incomplete.
    where : mapping, optional
        Column or attribute to a value, a list of values, or None for "not filled".
    at : datetime, optional
        "Now"; default: when the data stop.

    Returns
    -------
    DataFrame
        The columns of `measure` (``metric`` is the standard's id; value = numerator / denominator = on_time / due, with
        its Wilson interval, n = due) and due (on time or late), on_time, late, running, and overrun_s (mean seconds
        past the limit of the late ones, in time of the clock's calendar, until they stopped or were over; NaN when none
        is late or that isn't known). Below the smallest n
        only n and running are shown. flag: "", suppressed, incomplete, or provisional (some are still running, or
        working days of the year are not announced yet). ``attrs["left_out"]`` says which standards are missing and why.

    Raises
    ------
    CatalogueError
        When a standard is unknown, or one that was named can't be split or filtered as asked.
    PeriodError
        When `every`, `start` or `end` isn't a period.
    """
    by = names_in(by)
    days = span(start, end, lake.month_start)
    book = rulebook(lake)
    chosen = book.choose(standards)
    members = dict.fromkeys(id_ for rule in chosen if rule.of for id_ in rule.of)
    needed = {rule.id: rule for rule in chosen if not rule.of}
    selection = Selection(tuple(by), filter_in(where), *days)
    left_out: dict[str, str] = {}
    sums: dict[str, pd.DataFrame] = {}
    unmeasured: dict[str, str] = {}
    with lake.held() as held, closing(held.connection()) as con:
        now = instant(con, held, at)
        rules = selected(con, held, list(needed.values()), selection, left_out, named=standards is not None)
        extra = [book.standards[id_] for id_ in members if id_ not in needed]
        rules += selected(con, held, extra, selection, unmeasured, named=False)
        for batch in run_clocks(con, held, book, rules, selection, now):
            sums.update(_summed(con, batch, by, every, lake))
        coverage = {table: _covered(con, held, table) for table in {rule.table for rule in rules}}
    parts = []
    for rule in chosen:
        if rule.of and (reason := _unsplittable(rule, {**left_out, **unmeasured})):
            if standards is not None:
                raise CatalogueError(f"{rule.id}: {reason}", where="by, where", fix="leave it or the column out")
            left_out[rule.id] = reason
            continue
        of = [book.standards[id_] for id_ in (rule.of or (rule.id,))]
        found = [sums[each.id] for each in of if each.id in sums]
        if not found:
            left_out.setdefault(rule.id, "no clock of it has started in rows that record what it times")
            continue
        total = pd.concat(found).groupby(["period", *by], dropna=False, sort=False).sum().reset_index()
        covered = _narrowest([coverage[each.table] for each in of if each.id in sums])
        parts.append(_finished(total, rule, by, covered, days, every, lake.month_start))
    frame = _tidy(parts, by, [rule.id for rule in chosen])
    frame.attrs["left_out"] = left_out
    return frame


def _unsplittable(rule: Standard, reasons: Mapping[str, str]) -> str:
    # A composite of only those clocks that happen to have the column would look like the whole.
    return next((f"{id_} {reasons[id_]}" for id_ in rule.of if reasons.get(id_, "").startswith("reads")), "")


def _summed(
    con: duckdb.DuckDBPyConnection, batch: Batch, by: Sequence[str], every: str, lake: Lake
) -> dict[str, pd.DataFrame]:
    """Return, by standard, the counts by period (as its first day) and unit."""
    if not len(batch.rid):
        return {}
    days = local_days(batch.start if batch.rules[0].at == "start" else batch.due, lake.timezone)
    periods = _periods(days.min().astype(object), days.max().astype(object), every, lake.month_start)
    starts = np.array([period.start for period in periods], dtype="datetime64[D]")
    index = np.searchsorted(starts, days, "right") - 1
    group, units = _units(con, batch, by)
    cell = (batch.rule * len(periods) + index) * len(units) + group
    cells, inverse = np.unique(cell, return_inverse=True)
    late = batch.state == 1
    counts = {
        "on_time": batch.state == 0,
        "late": late,
        "running": batch.state == 2,
        "overrun": np.where(late, batch.overrun_s, 0),
        "timed": late & (batch.overrun_s > 0),
        "unannounced": batch.provisional,
    }
    frame = pd.DataFrame({name: _count(inverse, values, len(cells)) for name, values in counts.items()})
    rest, unit = np.divmod(cells, len(units))
    rule, at = np.divmod(rest, len(periods))
    frame.insert(0, "period", starts[at].astype("datetime64[us]"))
    for name in by:
        frame[name] = units[name].to_numpy()[unit]
    return {batch.rules[i].id: frame[rule == i] for i in np.unique(rule)}


def _count(group: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    # bincount sums floats; integers are added exactly.
    total = np.zeros(size, np.int64)
    np.add.at(total, group, values.astype(np.int64))
    return total


def _units(con: duckdb.DuckDBPyConnection, batch: Batch, by: Sequence[str]) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the number of each clock's unit, and the units."""
    if not by:
        return np.zeros(len(batch.rid), np.int64), pd.DataFrame(index=[0])
    columns = [f"_by{i}" for i in range(len(by))]
    con.execute(
        f"create or replace temp table _units as select {', '.join(columns)}, row_number() over () - 1 as g "
        f"from (select distinct {', '.join(columns)} from _clock)"
    )
    same = " and ".join(f"c.{name} is not distinct from u.{name}" for name in columns)
    found = con.execute(f"select u.g from _clock c join _units u on {same} order by c.rid").fetchnumpy()
    units = con.execute(f"select {', '.join(columns)} from _units order by g").df()
    units.columns = list(by)
    return np.asarray(found["g"], np.int64)[batch.rid], units


def _periods(first: date, last: date, every: str, month_start: int) -> list[Period]:
    return periods_between(first, last, every, month_start)


def _covered(con: duckdb.DuckDBPyConnection, lake: Lake, name: str) -> tuple[date, date, int] | None:
    table = view(name).tables[0]
    if not contract()[table].time or not lake.whole.has(table):
        return None
    found = con.execute(f"select day_key, count(*) from main.{table} group by 1 order by 1").fetchall()
    days = [date(key // 10_000, key // 100 % 100, key % 100) for key, _ in found]
    return covered_days(days, [count for _, count in found])


def _narrowest(spans: list[tuple[date, date, int] | None]) -> tuple[date, date, int] | None:
    known = [each for each in spans if each is not None]
    if not known:
        return None
    return max(s[0] for s in known), min(s[1] for s in known), max(s[2] for s in known)


def _finished(
    total: pd.DataFrame,
    rule: Standard,
    by: list[str],
    covered: tuple[date, date, int] | None,
    days: tuple[date | None, date | None],
    every: str,
    month_start: int,
) -> pd.DataFrame:
    starts = total["period"].dt.date
    found = {day: _periods(day, day, every, month_start)[0] for day in starts.unique()}
    periods = [found[day] for day in starts]
    due, on_time = total["on_time"] + total["late"], total["on_time"]
    few = (due < rule.min_n).to_numpy()
    low, high = intervals.wilson_interval(on_time, due)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = on_time.to_numpy() / due.to_numpy()
        overrun = total["overrun"].to_numpy() / total["timed"].to_numpy()
    out = pd.DataFrame({"metric": rule.id, "period": [period.key for period in periods], "start": total["period"]})
    for name in by:
        out[name] = total[name]
    for name, numbers in {"value": value, "low": low, "high": high}.items():
        out[name] = np.where(few, np.nan, numbers)
    out["n"] = due.astype("Int64")
    out["numerator"], out["denominator"] = on_time.astype("Int64").mask(few), due.astype("Int64").mask(few)
    out["std"] = np.where(few, np.nan, np.sqrt(value * (1 - value)))
    out["unit"] = "share"
    out["target"] = np.nan if rule.share is None else rule.share
    met = pd.Series(pd.NA, index=out.index, dtype="boolean")
    if rule.share is not None:
        met = pd.Series(value >= rule.share, index=out.index).astype("boolean").mask(few)
    out["met"] = met
    if covered is None:
        incomplete = np.zeros(len(out), bool)
    else:
        incomplete = incomplete_periods(periods, covered, *days)
    unsettled = total["running"] >= np.maximum(_PENDING_SHARE * (due + total["running"]), 1)
    pending = (unsettled | (total["unannounced"] > 0)).to_numpy()
    out["flag"] = np.select([few, incomplete, pending], ["suppressed", "incomplete", "provisional"], "")
    out["due"] = due.astype("Int64")
    for name in ("on_time", "late"):
        out[name] = total[name].astype("Int64").mask(few)
    out["running"] = total["running"].astype("Int64")
    out["overrun_s"] = np.where(few, np.nan, overrun)
    return out


def _tidy(parts: list[pd.DataFrame], by: list[str], order: list[str]) -> pd.DataFrame:
    names = ["metric", "period", "start", *by, *_COLUMNS]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in names})
    frame = pd.concat(parts, ignore_index=True)
    frame["_order"] = frame["metric"].map({name: i for i, name in enumerate(order)})
    return frame.sort_values(["_order", "start", *by], ignore_index=True)[names]
