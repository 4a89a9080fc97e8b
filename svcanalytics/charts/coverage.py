"""What shifts give against what is required: over time, and as a map of day by time of day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from svcanalytics.charts import theme
from svcanalytics.charts.axes import day_label
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.daymap import draw_squares
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_coverage", "draw_coverage_heat"]

# Too few is told from too many by hue and, in grey, by darkness.
_SHADES = ["#801650", "#D98BB0", "#F4F4F4", "#B9D3E6", "#5C86AE"]
_WORDS = {
    "zh": {
        "key": "阶梯=排班人数；线=需求人数；橙色=缺口",
        "agents": "人数",
        "difference": "排班－需求（人）",
        "day": "%-m月%-d日",
    },
    "en": {
        "key": "Steps: planned; line: required; orange: missing",
        "agents": "Agents",
        "difference": "planned − required, agents",
        "day": "%a %-d %b",
    },
}


def draw_coverage(frame: pd.DataFrame, *, language: str, height: int = 200) -> altair.LayerChart:
    """Draw the agents that shifts give beside those required; what is missing stands out.

    Parameters
    ----------
    frame : DataFrame
        ``start``, ``required`` and ``planned`` of one queue, as in ``ShiftPlan.coverage``.
    language : str
        "zh" or "en".
    height : int
        Of the plot, in pixels.

    Raises
    ------
    ValueError
        When a start occurs twice: the frame holds several queues.
    """
    rows, step = _local(frame)
    alt = load_altair()
    words = _WORDS[language]
    records = [
        {
            "from": row.local.isoformat(),
            "to": (row.local + step).isoformat(),
            "required": round(float(row.required), 3),
            "planned": round(float(row.planned), 3),
            "missing": bool(row.planned < row.required - 0.5),
        }
        for row in rows.itertuples()
    ]
    axis = alt.Axis(
        title=None, format=words["day"], tickCount="day", labelOverlap=True, labelAlign="left", labelBound=True
    )
    # From midnight, so that the first day has its label too.
    reach = [f"{rows['local'].min().normalize():%Y-%m-%dT%H:%M:%S}", records[-1]["to"]] if records else []
    x = alt.X("from:T").axis(axis).scale(domain=reach, nice=False)
    base = alt.Chart(alt.Data(values=records)).encode(x=x, x2="to:T")
    y = alt.Y("planned:Q").axis(title=words["agents"], tickCount=5)
    bars = base.mark_rect(color=theme.MAIN, opacity=0.28)
    gaps = base.mark_rect(color=theme.SECOND, opacity=0.9).transform_filter("datum.missing")
    line = base.mark_rule(color=theme.MAIN, strokeWidth=2)
    layers = [
        bars.encode(y=y, y2=alt.datum(0)),
        gaps.encode(y="planned:Q", y2="required:Q"),
        line.encode(y="required:Q"),
    ]
    return alt.layer(*layers).properties(width=theme.WIDTH - 56, height=height, title=write_key(words["key"]))


def draw_coverage_heat(frame: pd.DataFrame, *, language: str) -> altair.LayerChart:
    """Draw by day and time of day how many agents are planned beyond those required, or missing.

    Parameters
    ----------
    frame : DataFrame
        ``start``, ``required`` and ``planned`` of one queue, as in ``ShiftPlan.coverage``.
    language : str
        "zh" or "en".

    Raises
    ------
    ValueError
        When a start occurs twice: the frame holds several queues.
    """
    rows, step = _local(frame)
    alt = load_altair()
    words = _WORDS[language]
    hours = step.total_seconds() / 3600
    records = []
    for row in rows.itertuples():
        begins = row.local.hour + row.local.minute / 60
        records.append(
            {
                "day": day_label(row.local, language),
                "from": begins,
                "to": min(begins + hours, 24),
                "difference": round(float(row.planned - row.required), 3),
            }
        )
    widest = max((abs(record["difference"]) for record in records), default=1.0) or 1.0
    # The few slots far off must not pale the rest.
    widest = max(1.0, min(widest, 4 * float((rows["planned"] - rows["required"]).abs().median()) + 1))
    scale = alt.Scale(domain=[-widest, -widest / 3, 0, widest / 3, widest], range=_SHADES, clamp=True)
    legend = alt.Legend(orient="top", title=words["difference"], gradientLength=160, titleOrient="left", format="+.1f")
    colour = alt.Color("difference:Q", legend=legend).scale(scale)
    return draw_squares(records, colour, days=list(dict.fromkeys(r["day"] for r in records)), margin=90)


def _local(frame: pd.DataFrame) -> tuple[pd.DataFrame, timedelta]:
    """Rows in order of time with their wall clock, and the length of a slot."""
    if frame["start"].duplicated().any():
        raise ValueError("the frame holds several queues: choose the rows of one")
    rows = frame.sort_values("start", ignore_index=True)
    step = rows["start"].diff().min()
    local = rows["start"].dt.tz_localize(None)
    return rows.assign(local=local), step.to_pytimedelta() if len(rows) > 1 else timedelta(minutes=30)
