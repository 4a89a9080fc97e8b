"""One look for every picture: colours that keep their contrast, quiet axes, text that fits a phone."""

from __future__ import annotations

from typing import Any

from svcanalytics.charts.widths import FAMILY

__all__ = [
    "BAND",
    "FONTS",
    "GREY",
    "INK",
    "LIGHT_COLOURS",
    "LIGHT_SHAPES",
    "MAIN",
    "PALETTE",
    "QUIET",
    "SECOND",
    "TARGET",
    "WIDTH",
    "config",
]

# Six colours of the GOV.UK Analysis Function's guidance: at least 3:1 against white and against their neighbours.
PALETTE = ("#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1")
MAIN, SECOND = "#12436D", "#F46A25"
INK, GREY, QUIET, BAND, TARGET = "#0B0C0C", "#505A5F", "#BFBFBF", "#12436D", "#801650"

# A light is told by shape as well as by colour; the names are Vega's.
LIGHT_COLOURS = {"green": "#00703C", "yellow": "#B25F00", "red": "#B10E1E", "grey": "#505A5F"}
LIGHT_SHAPES = {"green": "circle", "yellow": "triangle-up", "red": "square", "grey": "circle"}

# Wide enough for a year of months, narrow enough that 13 px text is still read on a phone.
WIDTH = 460

FONTS = f"{FAMILY}, Noto Sans CJK SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, Helvetica, Arial, sans-serif"


def config() -> dict[str, Any]:
    """Return the Vega-Lite configuration every picture is drawn with."""
    text = {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelColor": INK,
        "titleColor": GREY,
        "titleFontWeight": "normal",
    }
    return {
        "font": FONTS,
        "aria": False,  # the page describes the picture and gives its numbers; labels of single marks double its size
        "background": None,
        "padding": 4,
        "view": {"stroke": None},
        "axis": {
            **text,
            "labelLimit": 320,
            "titleLimit": 420,
            "domainColor": GREY,
            "tickColor": GREY,
            "gridColor": "#E0E0E0",
        },
        "axisX": {"grid": False},
        "axisY": {
            "domain": False,
            "ticks": False,
            "titleAngle": 0,
            "titleAlign": "right",
            "titleBaseline": "bottom",
            "titleX": -4,
            "titleY": -8,
        },
        "legend": {
            **text,
            "labelLimit": 320,
            "orient": "top",
            "title": None,
            "symbolStrokeWidth": 2,
            "columnPadding": 12,
        },
        "title": {"anchor": "start", "fontSize": 14, "fontWeight": "bold", "color": INK},
        "range": {"category": list(PALETTE)},
        "line": {"strokeWidth": 2},
        "text": {"fontSize": 12, "color": INK},
    }
