"""Where a plan is likely to miss: every slot of the days planned, by how often it misses its target."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from svcanalytics.charts.axes import day_label
from svcanalytics.charts.daymap import draw_squares
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_risk"]

_RISK = ["#FFFFFF", "#F7CBBF", "#E58A6F", "#B10E1E"]
_WORDS = {"zh": "未达标的概率", "en": "misses its target"}


def draw_risk(frame: pd.DataFrame, *, language: str) -> altair.LayerChart:
    """Draw how often each slot misses its target, a row per day and a square per slot; closed slots stay empty.

    Parameters
    ----------
    frame : DataFrame
        One queue's ``start`` and ``kept``: the share of weeks in which the slot keeps its target, 0-1.
    language : str
        "zh" or "en".

    Raises
    ------
    ValueError
        When a start occurs twice: the frame holds several queues.
    """
    if frame["start"].duplicated().any():
        raise ValueError("the frame holds several queues: choose the rows of one")
    alt = load_altair()
    rows = frame.sort_values("start")
    start = rows["start"].dt.tz_localize(None)
    step = start.diff().where(lambda gap: gap > timedelta(0)).min()
    hours = (step if step == step else timedelta(minutes=30)) / timedelta(hours=1)
    since = (start - start.dt.normalize()) / timedelta(hours=1)
    names = [day_label(day, language) for day in start]
    records = [
        {"day": name, "from": float(begin), "to": float(begin + hours), "miss": 1 - float(kept)}
        for name, begin, kept in zip(names, since, rows["kept"], strict=True)
    ]
    legend = alt.Legend(
        orient="top", title=_WORDS[language], titleOrient="left", format=".0%", gradientLength=160, tickCount=4
    )
    colour = alt.Color("miss:Q", legend=legend).scale(domain=[0, 1], range=_RISK)
    return draw_squares(records, colour, days=list(dict.fromkeys(names)), stroke="#D9DEE3", margin=90)
