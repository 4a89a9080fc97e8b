"""A map of days by time of day: a row per day, a square per slot, nothing where it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair

__all__ = ["draw_squares"]

_ROW = 24


def draw_squares(
    records: list[dict[str, Any]], colour: altair.Color, *, days: list[str], stroke: str = "white", margin: int = 60
) -> altair.LayerChart:
    """Draw the squares of days by time of day.

    Parameters
    ----------
    records : list of dict
        ``day`` (the name of its row), ``from`` and ``to`` (hours of the day, 0-24) and what the colour encodes.
    colour : altair.Color
        With its scale and legend.
    days : list of str
        The rows' names from the top.
    stroke : str
        Colour of the lines between squares.
    margin : int
        Room left of the plot for the names, in pixels.
    """
    alt = load_altair()
    hours = alt.Axis(title=None, labelExpr="datum.value + ':00'", tickMinStep=1, tickCount=9, domain=False)
    reach = [min(r["from"] for r in records), max(r["to"] for r in records)] if records else [0, 24]
    square = alt.Chart(alt.Data(values=records)).mark_rect(stroke=stroke, strokeWidth=0.5)
    chart = square.encode(
        x=alt.X("from:Q").scale(domain=reach, nice=False).axis(hours),
        x2="to:Q",
        y=alt.Y("day:O", sort=days).axis(title=None, ticks=False, domain=False),
        color=colour,
    )
    return alt.layer(chart).properties(width=theme.WIDTH - margin, height=alt.Step(_ROW))
