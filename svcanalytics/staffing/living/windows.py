"""Where the risk of a plan sits: the hours whose customers make days or weeks miss their promise."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.living.simulation import Simulation

__all__ = ["risk_windows"]


def risk_windows(
    lived: Simulation, period: Literal["day", "week"] = "day", *, most: int = 5, least: float = 0.5
) -> pd.DataFrame:
    """Return the windows of time in which the misses of days, or of weeks, come about.

    An interval's part in a miss is by how many customers it falls short of the promise on days that miss. Neighbours
    with at least `least` of the worst interval's part make a window.

    Parameters
    ----------
    lived : Simulation
    period : {"day", "week"}
        Whose misses.
    most : int
        Windows per queue, at most.
    least : float
        Above 0 to 1: the lower, the longer the windows.

    Returns
    -------
    pandas.DataFrame
        queue, start, end, window (in words: "Mon 2026-11-02 10:00-11:30"), share (of all that intervals are short by,
        0-1), kept (mean over the window of the share of draws in which the interval keeps its targets); the worst
        first. No rows for a queue that never misses.

    Raises
    ------
    StaffingError
        `least` or `most` is out of its range.
    """
    if not 0 < least <= 1 or most < 1:
        raise StaffingError("least is a share above 0, most a number from 1 up", where="least, most")
    column = {"day": "short", "week": "short_week"}.get(period)
    if column is None:
        raise StaffingError(f"there is no period {period!r}", where="period", fix="use day or week")
    found = []
    for volume in lived.scene.volumes:
        rows = lived.intervals[lived.intervals["queue"] == volume.queue].reset_index(drop=True)
        short = rows[column].to_numpy().clip(min=0.0)
        if not short.max() > 0:
            continue
        heavy = short >= least * short.max()
        number = np.cumsum(volume.opens | ~heavy | np.concatenate([[True], ~heavy[:-1]]))
        length = pd.Timedelta(seconds=volume.interval_s)
        for _, window in rows[heavy].groupby(number[heavy]):
            start, end = window["start"].iloc[0], window["start"].iloc[-1] + length
            share = short[window.index].sum() / short.sum()
            words = f"{start:%a %Y-%m-%d %H:%M}\u2013{end:%H:%M}"
            found.append((volume.queue, start, end, words, share, window["kept"].mean()))
    table = pd.DataFrame(found, columns=["queue", "start", "end", "window", "share", "kept"])
    table = table.sort_values(["queue", "share"], ascending=[True, False], kind="stable")
    return table.groupby("queue", sort=False).head(most).reset_index(drop=True)
