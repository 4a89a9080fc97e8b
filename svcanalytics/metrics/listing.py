"""The rows that metrics are made of: one per case, contact, answer or item, with what it adds to both sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from svcanalytics.metrics.atoms import row_sums
from svcanalytics.metrics.definitions import Metric, catalogue
from svcanalytics.metrics.expressions import attribute
from svcanalytics.metrics.grid import span
from svcanalytics.metrics.knowledge import Knowledge
from svcanalytics.metrics.views import view
from svcanalytics.store.engine import identifier, literal
from svcanalytics.store.frames import share_texts

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store import Lake

__all__ = ["Listing", "list_rows", "list_together", "within"]


@dataclass(frozen=True, eq=False)
class Listing:
    """The rows of several metrics of one view and time, each row once.

    Attributes
    ----------
    rows : DataFrame
        at (naive and local), and the columns asked for.
    sums : dict of str to DataFrame
        By metric what each row adds: numerator, denominator (float64, in atoms), in the rows' order; missing where it
        doesn't count.
    """

    rows: pd.DataFrame
    sums: dict[str, pd.DataFrame]


def list_rows(
    lake: Lake,
    metrics: Sequence[str],
    columns: Sequence[str] = (),
    start: date | str | None = None,
    end: date | str | None = None,
    only: str = "",
) -> dict[str, pd.DataFrame]:
    """List the rows that metrics are made of.

    The sums of the columns ``numerator`` and ``denominator`` are exactly those that `measure` gives for the same days.

    Parameters
    ----------
    lake : Lake
        What to read, at its snapshot.
    metrics : sequence of str
        Ids of the catalogue. Quantiles are no sums; they are left out, and so is what the lake's tables can't answer.
    columns : sequence of str
        Columns or attributes to give beside; a view gives those it has.
    start, end : date or str, optional
        First and last local day or written period, both inclusive.
    only : str
        SQL over `columns` that rows must fulfil to be listed, such as a draw of a share of them.

    Returns
    -------
    dict of str to DataFrame
        By metric: at (the metric's time, naive and local), numerator, denominator
        (float64, in atoms; a count's denominator is 1), and the columns.

    Raises
    ------
    CatalogueError
        When a metric is unknown.
    PeriodError
        When `start` or `end` isn't a period.
    """
    found: dict[str, pd.DataFrame] = {}
    for listing in list_together(lake, metrics, columns, start, end, only):
        for metric, sums in listing.sums.items():
            there = sums["numerator"].notna().to_numpy()
            rows = listing.rows[there]
            found[metric] = pd.concat([rows[["at"]], sums[there], rows.drop(columns="at")], axis=1)
            found[metric] = found[metric].reset_index(drop=True)
    order = [metric.id for metric in catalogue(lake).choose(list(metrics))]
    return {metric: found[metric] for metric in order if metric in found}


def list_together(
    lake: Lake,
    metrics: Sequence[str],
    columns: Sequence[str] = (),
    start: date | str | None = None,
    end: date | str | None = None,
    only: str = "",
) -> list[Listing]:
    """List the rows that metrics are made of, those that several share once.

    Parameters, and what is left out, are those of `list_rows`.
    """
    days = span(start, end, lake.month_start)
    chosen = [metric for metric in catalogue(lake).choose(list(metrics)) if metric.kind != "quantile"]
    chosen = [metric for metric in chosen if all(lake.has(table) for table in view(metric.view).needs)]
    found: list[Listing] = []
    con = lake.connection()
    try:
        known = Knowledge(lake, con)
        known.learn(chosen)
        chosen = [metric for metric in chosen if known.test(metric) is not None]
        for name, at in dict.fromkeys((metric.view, metric.at) for metric in chosen):
            group = [metric for metric in chosen if (metric.view, metric.at) == (name, at)]
            found.append(_listed(con, known, name, at, group, columns, days, only))
    finally:
        con.close()
    return found


def _listed(
    con: duckdb.DuckDBPyConnection,
    known: Knowledge,
    name: str,
    at: str,
    metrics: list[Metric],
    columns: Sequence[str],
    days: tuple[date | None, date | None],
    only: str,
) -> Listing:
    of, zone = view(name), known.lake.timezone
    wanted = [column for column in dict.fromkeys(columns) if column != "at"]
    own = [column for column in wanted if column in of.columns()]
    keys = [column for column in wanted if column not in own and known.has_attribute(of, column)]
    tests = {metric.id: known.test(metric) or "" for metric in metrics}
    read = {at, *own}.union(*(metric.columns() for metric in metrics))
    read |= ({"attributes"} if keys else set()) | ({"source"} if any(tests.values()) else set())
    listed = [f"{identifier(at)} as _at", *(f"{identifier(column)} as {identifier(column)}" for column in own)]
    listed += [f"{attribute(key)} as {identifier(key)}" for key in keys]
    for number, metric in enumerate(metrics):
        counts, above, below = row_sums(of, metric, tests[metric.id])
        listed.append(f"case when {counts} then {above} end as _x{number}")
        listed.append(f"case when {counts} then {below} end as _y{number}")
    relation = f"({of.select(read, zone, known.empty, known.lake.keep)})"
    chosen = f"{within(identifier(at), days, zone)} and ({only or 'true'})"
    rows = share_texts(con.sql(f"select {', '.join(listed)} from {relation} where {chosen}").df())
    local = pd.to_datetime(rows.pop("_at"), utc=True).dt.tz_convert(zone).dt.tz_localize(None)
    rows["at"] = local.astype("datetime64[us]")
    sums = {
        metric.id: pd.DataFrame({"numerator": rows[f"_x{number}"], "denominator": rows[f"_y{number}"]}, dtype="float64")
        for number, metric in enumerate(metrics)
    }
    return Listing(rows[["at", *own, *keys]], sums)


def within(at: str, days: tuple[date | None, date | None], zone: str) -> str:
    """Return SQL that is true for times within local days, the last one included; None leaves an end open."""
    # Local days begin at local midnight, wherever the clock is changed.
    first, last = days
    tests = [f"{at} is not null"]
    tests += [f"{at} >= {_midnight(first, zone)}"] if first else []
    tests += [f"{at} < {_midnight(last + timedelta(days=1), zone)}"] if last else []
    return " and ".join(tests)


def _midnight(day: date, zone: str) -> str:
    return f"timestamptz {literal(datetime.combine(day, time(), ZoneInfo(zone)).isoformat())}"
