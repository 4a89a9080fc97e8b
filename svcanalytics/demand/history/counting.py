"""Counting arrivals in a lake: contacts or cases per queue and local slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics.demand.history.intake import DAY_S, SLOTS
from svcanalytics.errors import DemandError
from svcanalytics.metrics.expressions import attribute, condition, filter_in, names_in
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["SEPARATOR", "count"]

SEPARATOR = " / "
"""Between the parts of a queue's name when it is made of several columns."""

_TIMES = {"contacts": "offered_at", "cases": "opened_at"}
# Every zone's offset from UTC is a multiple of a quarter of an hour, so counts of UTC slots can be moved as they are.
_QUARTER_S = 900


def count(
    lake: Lake,
    table: str = "contacts",
    by: str | Sequence[str] = "queue",
    slot: str = "30min",
    *,
    where: Mapping[str, object] | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    once_within_s: int | None = None,
) -> pd.DataFrame:
    """Count contacts offered, or cases opened, per queue and local slot: the frame that `Arrivals` takes.

    Every slot between a queue's earliest and latest time of day is listed from its first day on, zero where nothing
    came, on each day on which the table has any row. A day without any row of any queue is left out: it was closed or
    not recorded, which `Arrivals` tells apart. Outbound contacts are not counted unless `where` asks for them.

    Parameters
    ----------
    lake : Lake
    table : str
        ``contacts`` or ``cases``.
    by : str or sequence of str
        Columns, or keys of ``attributes``, that make a queue; their values are joined by " / ", an empty one is "-".
        None of them: one queue.
    slot : str
        A length as in `Arrivals`.
    where : Mapping, optional
        Column or attribute to a value, a list of values, or None for "not filled".
    start, end : date or str, optional
        First local day, and the day after the last.
    once_within_s : int, optional
        Count a caller who gives up and tries again once: a contact is left out when the same customer's contact before
        it was abandoned and began at most so many seconds earlier. Customers who are not known can't be matched.

    Returns
    -------
    pandas.DataFrame
        queue, start (aware, in the lake's zone), arrivals; ``attrs["repeated"]`` says how many contacts were left out
        as repeated, ``attrs["unmatched"]`` how many abandoned ones name no customer, ``attrs["undated"]`` how many
        rows have no time.

    Raises
    ------
    DemandError
        When the table can't be counted, has no rows, or the slot is unknown.
    CatalogueError
        When a column can't be used.
    """
    if table not in _TIMES:
        raise DemandError(f"{table!r} can't be counted as arrivals", fix=f"use {' or '.join(_TIMES)}")
    if slot not in SLOTS:
        raise DemandError(f"there is no slot {slot!r}", fix=f"use {', '.join(SLOTS)}")
    if once_within_s is not None and table != "contacts":
        raise DemandError("only contacts can be counted once", where=f"table={table}", fix="leave once_within_s out")
    step = min(SLOTS[slot], _QUARTER_S)
    con = lake.connection()
    try:
        rows = con.sql(_query(table, names_in(by), filter_in(where), step, once_within_s)).df()
        edges = con.sql(f'select min("{_TIMES[table]}") as first, max("{_TIMES[table]}") as last from {table}').df()
    finally:
        con.close()
    undated = int(rows.loc[rows["moment"].isna(), "n"].sum())
    rows = rows[rows["moment"].notna()]
    wall = pd.to_datetime(rows["moment"], unit="s", utc=True).dt.tz_convert(lake.timezone)
    inside = np.ones(len(rows), dtype=bool)
    if start is not None:
        inside &= (wall >= pd.Timestamp(start).tz_localize(lake.timezone)).to_numpy()
    if end is not None:
        inside &= (wall < pd.Timestamp(end).tz_localize(lake.timezone)).to_numpy()
    rows, wall = rows[inside], wall[inside]
    if not rows["kept"].sum():
        raise DemandError("there is nothing to count", where=f"table {table}", fix="load data, or widen the filter")
    frame = _listed(rows, wall, SLOTS[slot], lake.timezone, edges.iloc[0])
    frame.attrs |= {
        "repeated": int((rows["n"] - rows["kept"] - rows["other"]).sum()),
        "unmatched": int(rows["unmatched"].sum()),
        "undated": undated,
    }
    return frame


def _query(table: str, by: list[str], where: dict[str, object], step: int, within_s: int | None) -> str:
    columns = set(contract()[table].all_columns)
    parts = [f"coalesce(cast({_read(name, columns)} as varchar), '-')" for name in by]
    queue = f" || '{SEPARATOR}' || ".join(parts) or "''"
    at = identifier(_TIMES[table])
    chosen = condition(where, [name for name in where if name not in columns])
    if table == "contacts":
        inbound = "true" if "direction" in where else "coalesce(direction, 'inbound') = 'inbound'"
        gone = "coalesce(abandoned, false)"
        before = f"over (partition by customer_id, {inbound} order by {at}, contact_id)"
        again = (
            f"customer_id is not null and lag({gone}) {before} "
            f"and epoch_us({at}) - lag(epoch_us({at})) {before} <= {int(within_s) * 1_000_000}"
            if within_s is not None
            else "false"
        )
        lost = f"{gone} and customer_id is null" if within_s is not None else "false"
    else:
        inbound, again, lost = "true", "false", "false"
    return (
        f"select queue, moment, count(*) as n, count(*) filter (counted and not again) as kept, "
        f"count(*) filter (not counted) as other, count(*) filter (counted and lost) as unmatched from ("
        f"select {queue} as queue, epoch_us({at}) // {step * 1_000_000} * {step} as moment, "
        f"({chosen}) and ({inbound}) as counted, coalesce({again}, false) as again, {lost} as lost from {table}"
        f") group by queue, moment"
    )


def _read(name: str, columns: set[str]) -> str:
    return identifier(name) if name in columns else attribute(name)


def _listed(rows: pd.DataFrame, wall: pd.Series, slot_s: int, timezone: str, edges: pd.Series) -> pd.DataFrame:
    # Whole slots of all days on which the table has a row; the first and the last day only as far as the table reaches.
    local = wall.dt.tz_localize(None)
    second = (local - local.dt.normalize()).dt.total_seconds().astype(np.int64)
    started = wall - pd.to_timedelta(second % slot_s, unit="s")
    counted = rows["kept"].to_numpy() > 0
    sums = rows["kept"].groupby([rows["queue"], started.rename("start")]).sum()
    sums = sums[sums > 0]
    first, last = (pd.Timestamp(edges[name]).tz_convert(timezone) for name in ("first", "last"))
    days = pd.DatetimeIndex(sorted(local.dt.normalize().unique()))
    parts = []
    for queue, mine in rows[counted].groupby("queue"):
        own = second[mine.index] // slot_s
        since = local[mine.index].min().normalize()
        grid = _grid(days[days >= since], int(own.min()), int(own.max()), slot_s, timezone)
        grid = grid[(grid >= first - pd.Timedelta(seconds=slot_s - 1)) & (grid <= last)] if slot_s < DAY_S else grid
        parts.append(sums[queue].reindex(grid, fill_value=0).rename_axis("start").reset_index().assign(queue=queue))
    frame = pd.concat(parts, ignore_index=True).rename(columns={"kept": "arrivals"})
    return frame[["queue", "start", "arrivals"]].astype({"arrivals": "int64", "queue": "str"})


def _grid(days: pd.DatetimeIndex, low: int, high: int, slot_s: int, timezone: str) -> pd.DatetimeIndex:
    # All instants at which a slot of the wall clock begins; an hour that comes twice is there twice, a skipped one not.
    wall = np.add.outer(days.to_numpy().astype("datetime64[s]"), np.arange(low, high + 1) * slot_s).ravel()
    found = []
    for first_one in (True, False):
        index = pd.DatetimeIndex(wall).tz_localize(timezone, ambiguous=np.full(len(wall), first_one), nonexistent="NaT")
        found.append(index[index.notna()])
    return found[0].union(found[1])
