"""Demand as it was: by weekday and time of day, and by what the calendar says of days."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from svcanalytics.charts import theme
from svcanalytics.charts.axes import WEEKDAYS
from svcanalytics.charts.daymap import draw_squares
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_calendar_effects", "draw_demand_heat"]

_HEAT = ["#EDF2F7", "#A9C0D6", "#5C86AE", "#12436D"]
_ROW, _DOT = 24, 60
_WORDS = {
    "zh": {
        "mean": "平均到达量",
        "weekday": "星期",
        "day_class": "日期类型",
        "month": "月内日期",
        "holiday": "法定节假日",
        "substituted": "调休放假",
        "make_up": "调休上班",
        "eve": "假前一天",
        "day_after": "假后第一天",
        "bridge": "桥接日",
        "school_break": "学校假期",
        "days": "天",
    },
    "en": {
        "mean": "mean arrivals",
        "weekday": "Weekday",
        "day_class": "Kind of day",
        "month": "Day of the month",
        "holiday": "public holiday",
        "substituted": "substituted day off",
        "make_up": "make-up working day",
        "eve": "day before days off",
        "day_after": "day after days off",
        "bridge": "bridge day",
        "school_break": "school break",
        "days": "days",
    },
}


def draw_demand_heat(frame: pd.DataFrame, *, language: str) -> altair.LayerChart:
    """Draw mean arrivals by weekday and time of day, one square per slot; slots that were always closed stay white.

    Parameters
    ----------
    frame : DataFrame
        ``start`` and ``arrivals`` of one queue, as in ``Arrivals.table``.
    language : str
        "zh" or "en".
    """
    alt = load_altair()
    start = frame["start"].dt.tz_localize(None)
    minute = ((start - start.dt.normalize()).dt.total_seconds() // 60).astype(int).rename("minute")
    means = frame["arrivals"].groupby([start.dt.day_of_week.rename("weekday"), minute]).mean().dropna().reset_index()
    minutes = sorted(means["minute"].unique())
    step = min((b - a for a, b in pairwise(minutes)), default=60)
    records = [
        {
            "day": WEEKDAYS[language][row.weekday],
            "from": row.minute / 60,
            "to": (row.minute + step) / 60,
            "mean": float(row.arrivals),
        }
        for row in means.itertuples()
    ]
    legend = alt.Legend(
        orient="top", title=_WORDS[language]["mean"], gradientLength=160, titleOrient="left", tickCount=4
    )
    colour = alt.Color("mean:Q", legend=legend).scale(range=_HEAT)
    return draw_squares(records, colour, days=list(WEEKDAYS[language]))


def draw_calendar_effects(frame: pd.DataFrame, *, language: str) -> altair.VConcatChart:
    """Draw how many more or fewer arrivals weekdays, kinds of days and parts of the month bring, with 95 % intervals.

    Parameters
    ----------
    frame : DataFrame
        Rows of one queue of ``demand.calendar_effects``: kind, value, days, effect, low, high.
    language : str
        "zh" or "en".

    Raises
    ------
    ValueError
        When the frame holds several queues.
    """
    if "queue" in frame and len(frame["queue"].unique()) > 1:
        raise ValueError("the frame holds several queues: choose the rows of one")
    alt = load_altair()
    words = _WORDS[language]
    reach = [float(min(frame["low"].min(), 1)) - 1, float(max(frame["high"].max(), 1)) - 1]
    # One holiday with a wide interval must not squeeze the rest together.
    scale = alt.Scale(domain=[max(reach[0], -1.0), min(reach[1], 1.0)], nice=True)
    parts = []
    for kind in ("weekday", "day_class", "month"):
        rows = frame[frame["kind"] == kind]
        if rows.empty:
            continue
        records = [
            {
                "row": _named(kind, row.value, language),
                "effect": row.effect - 1,
                "low": row.low - 1,
                "high": row.high - 1,
                "text": f"{row.effect - 1:+.0%} \u00b7 {row.days} {words['days']}",
            }
            for row in rows.itertuples()
        ]
        base = alt.Chart(alt.Data(values=records)).encode(
            y=alt.Y("row:O", sort=None).axis(title=None, ticks=False, domain=False, labelLimit=150, minExtent=130)
        )
        axis = alt.Axis(format="+.0%", title=None, tickCount=5, grid=True)
        zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=theme.GREY).encode(x="zero:Q")
        dots = base.mark_point(filled=True, size=_DOT, opacity=1, color=theme.MAIN, clip=True)
        layers = [
            zero,
            base.mark_rule(color=theme.MAIN, strokeWidth=2, clip=True).encode(
                x=alt.X("low:Q").scale(scale).axis(axis), x2="high:Q"
            ),
            dots.encode(x=alt.X("effect:Q").scale(scale)),
            base.mark_text(align="left", dx=6, color=theme.GREY).encode(x=alt.value("width"), text="text:N"),
        ]
        width = theme.WIDTH - 240
        parts.append(alt.layer(*layers).properties(width=width, height=alt.Step(_ROW), title=words[kind]))
    return alt.vconcat(*parts, spacing=14)


def _named(kind: str, value: object, language: str) -> str:
    if kind == "weekday":
        return WEEKDAYS[language][int(value)]
    return _WORDS[language].get(str(value), str(value).replace("-", "–"))
