"""Courses over time: a measure against its target, and the index with its band."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from svcanalytics.charts import theme
from svcanalytics.charts.axes import axis_unit, period_expression, text_width
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_index_trend", "draw_trend"]

_WORDS = {"zh": {"target": "目标"}, "en": {"target": "target"}}


def draw_trend(
    frame: pd.DataFrame,
    *,
    language: str,
    kind: str = "rate",
    target: float | None = None,
    target_text: str = "",
    height: int = 190,
) -> altair.LayerChart:
    """Draw one measure over its periods with its interval band and target.

    Parameters
    ----------
    frame : DataFrame
        In order of time, every period in it: ``period`` (key), ``value``, ``low``, ``high``, and ``flag``; a suppressed
        value is missing and breaks the line, an incomplete period is a hollow point at the end of a dashed line.
    language : str
        "zh" or "en".
    kind : str
        "rate", "duration" (seconds), "integer" or "number".
    target : float, optional
        In the units of ``value``; drawn as a line with `target_text`.
    target_text : str
        How the target reads, "目标95%".
    height : int
        Of the plot, in pixels.
    """
    alt = load_altair()
    known = [*frame["value"], *frame["low"], *frame["high"], *([] if target is None else [target])]
    unit = axis_unit(kind, (float(value) for value in known if value == value and value is not None), language)
    drawn = _points(frame, unit.divisor)
    width = theme.WIDTH - 56 - (text_width(target_text) + 6 if target is not None else 0)
    labels = period_expression(frame["period"], language, room=int(width // 28))
    x = alt.X("period:O", sort=None).axis(title=None, labelExpr=labels, labelAngle=0, labelOverlap=False)
    y = alt.Y("value:Q").scale(zero=False, nice=True).axis(title=unit.title or None, format=unit.format, tickCount=5)
    base = alt.Chart(alt.Data(values=drawn)).encode(x=x)
    layers = [
        base.mark_area(color=theme.BAND, opacity=0.16, clip=True).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.transform_filter("datum.complete").mark_line(color=theme.MAIN).encode(y=y),
        base.transform_filter("datum.tail").mark_line(color=theme.MAIN, strokeDash=[4, 3]).encode(y=y),
        base.mark_point(size=42, opacity=1, strokeWidth=1.5, color=theme.MAIN).encode(
            y=y, fill=alt.condition("datum.complete", alt.value(theme.MAIN), alt.value("white"))
        ),
    ]
    if target is not None:
        layers += _target_line(target / unit.divisor, target_text)
    return alt.layer(*layers).properties(width=width, height=height)


def draw_index_trend(
    frame: pd.DataFrame, *, language: str, target: float = 80.0, height: int = 170
) -> altair.LayerChart:
    """Draw the quality index over its periods with its band and the target of 80.

    Parameters
    ----------
    frame : DataFrame
        ``period``, ``score``, ``low``, ``high`` (0-100) and, where a period is incomplete, ``flag``.
    language : str
        "zh" or "en".
    target : float
        The score at which every measure reaches its target.
    height : int
        Of the plot, in pixels.
    """
    renamed = frame.rename(columns={"score": "value"})
    words = _WORDS[language]
    return draw_trend(
        renamed,
        language=language,
        kind="number",
        target=target,
        target_text=f"{words['target']}{'' if language == 'zh' else ' '}{target:g}",
        height=height,
    )


def _points(frame: pd.DataFrame, divisor: float) -> list[dict]:
    points = []
    flags = frame["flag"] if "flag" in frame else [""] * len(frame)
    for period, value, low, high, flag in zip(
        frame["period"], frame["value"], frame["low"], frame["high"], flags, strict=True
    ):
        complete = flag != "incomplete"
        point = {"period": str(period), "complete": complete, "tail": not complete}
        for name, number in (("value", value), ("low", low), ("high", high)):
            missing = number is None or number != number
            point[name] = None if missing else float(number) / divisor
        points.append(point)
    for before, after in pairwise(points):
        if after["tail"] and before["complete"]:
            before["tail"] = True  # the dashed part starts at the last complete point
    return points


def _target_line(value: float, text: str) -> list:
    alt = load_altair()
    line = alt.Chart(alt.Data(values=[{"target": value, "text": text}]))
    return [
        line.mark_rule(color=theme.TARGET, strokeDash=[6, 3], strokeWidth=1.5).encode(y="target:Q"),
        # Right of the plot, where no line can run through it.
        line.mark_text(align="left", baseline="middle", dx=4, color=theme.TARGET).encode(
            x=alt.value("width"), y="target:Q", text="text:N"
        ),
    ]
