"""Demand to come: forecasts with their bands, beside what came, and how good they are by how far ahead."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_forecast", "draw_forecast_errors"]

_WORDS = {
    "zh": {
        "expected": "线=预测",
        "band": "；深色={}%区间，浅色={}%区间",
        "one_band": "；色带={}%区间",
        "came": "；点=实际，橙色=超出区间",
        "before": "；灰线=此前实际",
        "baseline": "八周平均",
        "floor": "随机性下限",
        "wape": "绝对误差占到达量的比例，按提前天数",
        "day": "%-m月%-d日",
    },
    "en": {
        "expected": "Line: expected",
        "band": "; bands: {} % and {} %",
        "one_band": "; band: {} %",
        "came": "; dots: came, orange outside",
        "before": "; grey: before",
        "baseline": "eight-week average",
        "floor": "pure chance",
        "wape": "Absolute error as a share of arrivals, by days ahead",
        "day": "%-d %b",
    },
}
_OPACITY = (0.14, 0.24, 0.34)
_DAY = timedelta(hours=20)


def draw_forecast(
    frame: pd.DataFrame, *, language: str, history: pd.DataFrame | None = None, height: int = 210
) -> altair.LayerChart:
    """Draw a forecast as a fan: the expected course within its intervals; with what came, where that is known.

    Parameters
    ----------
    frame : DataFrame
        One queue's ``start``, ``mean`` and bounds such as ``lower_80`` and ``upper_80``, of slots, days or weeks; and,
        to compare, ``actual``: points, with a colour of their own outside the widest interval.
    language : str
        "zh" or "en".
    history : DataFrame, optional
        ``start`` and ``arrivals`` of what came before: a thin line.
    height : int
        Of the plot, in pixels.

    Raises
    ------
    ValueError
        When a start occurs twice: the frame holds several queues.
    """
    if frame["start"].duplicated().any():
        raise ValueError("the frame holds several queues or forecasts: choose the rows of one")
    alt = load_altair()
    words = _WORDS[language]
    levels = sorted((m[1] for m in (re.fullmatch(r"lower_(.+)", str(c)) for c in frame.columns) if m), key=float)
    records = _records(frame, levels)
    axis = alt.Axis(title=None, format=words["day"], tickCount=8, labelOverlap=True)
    base = alt.Chart(alt.Data(values=records)).encode(x=alt.X("start:T").axis(axis), detail="part:N")
    y = alt.Y("mean:Q").axis(title=None, tickCount=5)
    layers: list[Any] = []
    if history is not None and len(history):
        line = alt.Chart(alt.Data(values=_parts(history, "arrivals"))).mark_line(color=theme.GREY, strokeWidth=1)
        layers.append(line.encode(x="start:T", y="arrivals:Q", detail="part:N"))
    # The widest band first, so that the narrower ones lie on it.
    for opacity, level in zip(_OPACITY, reversed(levels), strict=False):
        band = base.mark_area(color=theme.BAND, opacity=opacity)
        layers.append(band.encode(y=alt.Y(f"lower_{level}:Q"), y2=f"upper_{level}:Q"))
    layers.append(base.mark_line(color=theme.MAIN).encode(y=y))
    if "actual" in frame:
        dots = base.mark_point(filled=True, size=16, opacity=1).transform_filter("isValid(datum.actual)")
        colour = alt.condition("datum.outside", alt.value(theme.SECOND), alt.value(theme.INK))
        layers.append(dots.encode(y="actual:Q", color=colour))
    text = words["expected"]
    if levels:
        text += words["one_band" if len(levels) == 1 else "band"].format(levels[0], levels[-1])
    text += words["came"] if "actual" in frame else ""
    text += words["before"] if history is not None else ""
    return alt.layer(*layers).properties(width=theme.WIDTH - 50, height=height, title=write_key(text))


def draw_forecast_errors(frame: pd.DataFrame, *, language: str, height: int = 190) -> altair.LayerChart:
    """Draw the error of forecasts by how many days ahead they were made, beside the eight-week average and pure chance.

    Parameters
    ----------
    frame : DataFrame
        ``demand.scores(backtest, by="lead")``: model, lead, wape, baseline, floor; up to five models.
    language : str
        "zh" or "en".
    height : int
        Of the plot, in pixels.
    """
    alt = load_altair()
    words = _WORDS[language]
    models = list(dict.fromkeys(frame["model"].astype(str)))
    records = [{"name": str(row.model), "lead": int(row.lead), "value": float(row.wape)} for row in frame.itertuples()]
    first = frame[frame["model"].astype(str) == models[0]]
    for name in ("baseline", "floor"):
        if name in first and first[name].notna().any():
            rows = zip(first["lead"], first[name], strict=True)
            records += [{"name": words[name], "lead": int(lead), "value": float(value)} for lead, value in rows]
    names = list(dict.fromkeys(record["name"] for record in records))
    colours = [*theme.PALETTE[: len(models)], theme.GREY, theme.QUIET][: len(names)]
    dashes = [[1, 0]] * len(models) + [[6, 3], [2, 2]]
    base = alt.Chart(alt.Data(values=records)).encode(
        x=alt.X("lead:Q").axis(title=None, tickMinStep=1, format="d", tickCount=10).scale(nice=False),
        y=alt.Y("value:Q").axis(title=None, format=".0%", tickCount=5).scale(zero=True),
        color=alt.Color("name:N").scale(domain=names, range=colours).legend(title=None),
        strokeDash=alt.StrokeDash("name:N").scale(domain=names, range=dashes[: len(names)]).legend(title=None),
    )
    return alt.layer(base.mark_line()).properties(width=theme.WIDTH - 56, height=height, title=write_key(words["wape"]))


def _records(frame: pd.DataFrame, levels: list[str]) -> list[dict]:
    bounds = [f"{side}_{level}" for level in levels for side in ("lower", "upper")]
    records = _parts(frame, "mean", *bounds, *(["actual"] if "actual" in frame else []))
    for record in records:
        actual = record.get("actual")
        low, high = (record.get(f"{side}_{levels[-1]}") if levels else None for side in ("lower", "upper"))
        record["outside"] = None not in (actual, low, high) and not low <= actual <= high
    return records


def _parts(frame: pd.DataFrame, *names: str) -> list[dict]:
    """Return records with the time as the wall shows it, and a number that changes where slots were closed between."""
    rows = frame.sort_values("start")
    start = rows["start"].dt.tz_localize(None)
    gap = start.diff()
    usual = gap.median()
    # A line must not run through the night; days and weeks follow one another over what is closed.
    part = (gap > 1.5 * usual).cumsum() if usual < _DAY else 0 * gap.fillna(gap.min()).dt.days
    records = [{"start": f"{moment:%Y-%m-%dT%H:%M:%S}", "part": int(p)} for moment, p in zip(start, part, strict=True)]
    for name in names:
        for record, value in zip(records, rows[name].astype(float), strict=True):
            record[name] = None if value != value else round(value, 3)
    return records
