"""`overdue`: what is past its limit or soon will be, worst first, for the team that owns it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics.metrics.clocks import clock_rows, instant
from svcanalytics.metrics.rules import rulebook

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["overdue"]


def overdue(lake: Lake, at: datetime | str | None = None, within_s: int = 86_400) -> pd.DataFrame:
    """List open work whose limit has passed, and what falls due soon.

    Parameters
    ----------
    lake : Lake
        What to read, at its snapshot.
    at : datetime or str, optional
        "Now"; naive times are local. Default: when the data stop.
    within_s : int
        Also list what falls due within so many seconds.

    Returns
    -------
    DataFrame
        team (owner), state ("overdue" or "due_soon"), standard, name (in the installation's language), table, id,
        start, due (local time of the lake), overrun_s (seconds of the clock's calendar past the limit), left_s (seconds
        until due). Teams with the worst overrun first, within a team the overdue by overrun, then what is due next.
        Cases that are closed are not listed: nothing can be done about them any more.
    """
    rows = clock_rows(lake, at=at)
    con = lake.connection()
    try:
        now = instant(con, lake, at)
    finally:
        con.close()
    names = {rule.id: rule.name[lake.language] for rule in rulebook(lake).standards.values()}
    rows = rows[rows["is_open"].astype(bool) & rows["state"].isin(["late", "running"])]
    columns = ["team", "state", "standard", "name", "table", "id", "start", "due", "overrun_s", "left_s"]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    left = (rows["due"] - pd.Timestamp(now)).dt.total_seconds().astype("int64").clip(lower=0)
    late = rows["state"] == "late"
    rows = rows.assign(
        left_s=left, state=late.map({True: "overdue", False: "due_soon"}), name=rows["standard"].map(names)
    )
    rows = rows[late | (left <= within_s)]
    worst = rows.groupby("team", dropna=False)["overrun_s"].transform("max")
    rows = rows.assign(_worst=worst, _late=rows["state"] == "overdue").sort_values(
        ["_worst", "team", "_late", "overrun_s", "left_s", "standard", "id"],
        ascending=[False, True, False, False, True, True, True],
        ignore_index=True,
    )
    for name in ("start", "due"):
        rows[name] = rows[name].dt.tz_convert(lake.timezone)
    return rows[columns]
