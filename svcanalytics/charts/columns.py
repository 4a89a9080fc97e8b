"""Amounts: how much came in by kind, and how old is what lies there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from svcanalytics.charts import theme
from svcanalytics.charts.axes import period_expression
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_ageing", "draw_volume"]


def draw_volume(
    frame: pd.DataFrame, *, language: str, groups: Sequence[str], incomplete: Sequence[str] = (), height: int = 190
) -> altair.LayerChart:
    """Draw how many came in each period, stacked by channel or type.

    Parameters
    ----------
    frame : DataFrame
        ``period`` (key, in order of time), ``group`` (as readers see it) and ``count``.
    language : str
        "zh" or "en".
    groups : sequence of str
        The groups from the foot of the column upwards; more than six can't be told apart, so the caller sums the rest.
    incomplete : sequence of str
        Periods whose data stop inside them; drawn pale.
    height : int
        Of the plot, in pixels.

    Raises
    ------
    ValueError
        With more groups than colours.
    """
    if len(groups) > len(theme.PALETTE):
        raise ValueError(f"{len(groups)} groups can't be told apart by {len(theme.PALETTE)} colours; sum the smallest")
    alt = load_altair()
    keys = list(dict.fromkeys(frame["period"]))
    place = {group: number for number, group in enumerate(groups)}
    values = [
        {
            "period": str(period),
            "group": str(group),
            "count": int(count),
            "place": place[group],
            "pale": period in incomplete,
        }
        for period, group, count in zip(frame["period"], frame["group"], frame["count"], strict=True)
    ]
    legend = alt.Legend(columns=3 if max(map(len, groups), default=0) > 9 else 6, symbolType="square")
    colours = alt.Scale(domain=list(groups), range=list(theme.PALETTE[: len(groups)]))
    return alt.layer(
        alt.Chart(alt.Data(values=values))
        .mark_bar(stroke="white", strokeWidth=1, size=min(48, 0.88 * (theme.WIDTH - 56) / len(keys)))
        .encode(
            x=alt.X("period:O", sort=keys).axis(
                title=None, labelExpr=period_expression(keys, language), labelAngle=0, labelOverlap=False
            ),
            y=alt.Y("count:Q", stack="zero").axis(title=None, format=",.0f", tickCount=5),
            color=alt.Color("group:N", scale=colours, legend=legend if len(groups) > 1 else None),
            order=alt.Order("place:Q"),
            opacity=alt.condition("datum.pale", alt.value(0.45), alt.value(1)),
        )
    ).properties(width=theme.WIDTH - 56, height=height)


def draw_ageing(frame: pd.DataFrame, *, language: str) -> altair.LayerChart:
    """Draw how many open cases there are of each age, those past their limit set apart.

    Parameters
    ----------
    frame : DataFrame
        ``label`` (age, youngest first), ``count`` and optionally ``overdue`` (how many of them are past a limit).
    language : str
        "zh" or "en".
    """
    alt = load_altair()
    overdue_word, rest_word = ("已超时", "未超时") if language == "zh" else ("past a limit", "within limits")
    values, totals = [], []
    known = "overdue" in frame
    for place, row in enumerate(frame.to_dict("records")):
        late = int(row["overdue"]) if known else 0
        totals.append({"label": str(row["label"]), "total": int(row["count"]), "place": place})
        for group, count, order in ((overdue_word, late, 0), (rest_word, int(row["count"]) - late, 1)):
            values.append({"label": str(row["label"]), "group": group, "count": count, "order": order})
    y = alt.Y("label:N", sort=[str(label) for label in frame["label"]]).axis(title=None, ticks=False, domain=False)
    colours = alt.Scale(domain=[overdue_word, rest_word], range=[theme.SECOND, theme.MAIN])
    bars = (
        alt.Chart(alt.Data(values=values))
        .mark_bar(height=18)
        .encode(
            y=y,
            x=alt.X("count:Q", stack="zero").axis(None),
            color=alt.Color("group:N", scale=colours, legend=alt.Legend(symbolType="square") if known else None),
            order=alt.Order("order:Q"),
        )
    )
    if not known:
        bars = bars.encode(color=alt.value(theme.MAIN))
    labels = (
        alt.Chart(alt.Data(values=totals))
        .mark_text(align="left", dx=4)
        .encode(y=y, x="total:Q", text=alt.Text("total:Q", format=","))
    )
    return alt.layer(bars, labels).properties(width=theme.WIDTH - 140, height={"step": 28})
