"""Findings beside one another: what each costs, how sure that is, and on which layer it lies.

The name stands above its bar, so that long ones have room on a phone; what the bar says stands at the right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.rendering import load_altair
from svcanalytics.errors import CauseError

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_findings"]

_STEP, _BAR = 50, 13
_BARS = 236  # pixels that bars have; the rest of the row is for its number and layer
_LIMIT = theme.WIDTH - 80
"""Of a label, in pixels as they are measured here: a reader's browser may have a wider font."""
_NEEDED = ("label", "amount", "low", "high", "layer")
_COLOURS = {"data": theme.PALETTE[0], "process": theme.PALETTE[1], "people": theme.PALETTE[2], "": theme.GREY}
_WORDS = {
    "zh": {
        "points": "条=损失的指数分；线=95%区间；颜色=所在层面",
        "cases": "条=超出预期的件数；颜色=所在层面",
        "apart": "空心=数据变了，不是服务变了",
        "interval": "{amount}（{low}～{high}）",
        "layers": {"data": "数据与系统", "process": "流程", "people": "人员", "demand": "需求", "": "层面未定"},
    },
    "en": {
        "points": "Bar: index points lost; line: 95% interval; colour: layer",
        "cases": "Bar: cases beyond the expected; colour: layer",
        "apart": "Hollow: the data changed, not the service",
        "interval": "{amount} ({low} to {high})",
        "layers": {
            "data": "data, systems",
            "process": "process",
            "people": "people",
            "demand": "demand",
            "": "layer open",
        },
    },
}


def draw_findings(frame: pd.DataFrame, *, language: str, unit: str = "points") -> altair.LayerChart:
    """Draw what findings cost.

    Parameters
    ----------
    frame : DataFrame
        A row per finding, the one to be read first on top: ``label``, ``amount``, ``low``, ``high`` (missing where not
        known), ``layer`` (data, process, people, demand or "") and perhaps ``artefact`` (drawn hollow: the data
        changed, not the service).
    language : str
        "zh" or "en".
    unit : str
        What the amounts are: "points" of the index, or "cases" that went wrong beyond the expected.

    Raises
    ------
    CauseError
        When a column is missing, there is nothing to draw, or the unit is none of these.
    """
    absent = [name for name in _NEEDED if name not in frame.columns]
    if absent or frame.empty:
        what = f"there is no column {absent[0]!r}" if absent else "there are no findings"
        raise CauseError(what, where="frame", fix="draw findings of a period that has some")
    if unit not in ("points", "cases"):
        raise CauseError(f"amounts are no {unit!r}", where="unit", fix='use "points" or "cases"')
    alt, words = load_altair(), _WORDS[language]
    records = [_record(at, row, unit, words) for at, row in enumerate(frame.to_dict("records"))]
    ends = [r[name] for r in records for name in ("amount", "low", "high") if r[name] is not None]
    # A loss may be smaller than nothing at one end of its interval: then bars begin a little further in.
    scale = alt.Scale(domain=[min(0.0, *ends), max(1e-9, *ends)], range=[0, _BARS], nice=False)
    base = alt.Chart(alt.Data(values=records)).encode(y=alt.Y("row:O", sort=None).axis(None))
    x = alt.X("amount:Q", scale=scale, axis=None)
    colours = {
        "fill": alt.Fill("fill:N", scale=None, legend=None),
        "stroke": alt.Stroke("colour:N", scale=None, legend=None),
    }
    known = base.transform_filter("datum.low !== null && datum.high !== null")
    layers = [
        base.mark_bar(yOffset=10, height=_BAR, strokeWidth=1.2).encode(x=x, x2=alt.datum(0), **colours),
        *(
            known.mark_rule(yOffset=10, strokeWidth=width, color=ink).encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
            for width, ink in ((4, "white"), (1.5, theme.INK))  # seen on a bar too
        ),
        base.mark_text(dy=-11, align="left", baseline="middle", fontSize=13, limit=_LIMIT).encode(
            x=alt.value(0), text="label:N"
        ),
        base.mark_text(dy=10, align="right", baseline="middle", fontSize=12, color=theme.GREY).encode(
            x=alt.value("width"), text="text:N"
        ),
    ]
    key = [words[unit], *([words["apart"]] if any(record["artefact"] for record in records) else [])]
    return alt.layer(*layers).properties(
        width=theme.WIDTH - 20,
        height={"step": _STEP},
        title=write_key(key),
    )


def _record(at: int, row: dict[str, Any], unit: str, words: dict[str, Any]) -> dict[str, Any]:
    layer = row["layer"] if row["layer"] in words["layers"] else ""
    artefact = bool(row.get("artefact", False))
    colour = theme.GREY if artefact else _COLOURS.get(layer, theme.SECOND)
    amount, low, high = (None if row[name] != row[name] else float(row[name]) for name in ("amount", "low", "high"))
    # What is small keeps a digit more: an interval of 0.0 to 0.0 says nothing.
    pattern = "{:,.0f}" if unit == "cases" else "{:.2f}" if abs(amount or 0) < 0.2 else "{:.1f}"
    said = {name: pattern.format(value or 0).replace("-", "\u2212") for name, value in
            (("amount", amount), ("low", low), ("high", high))}  # fmt: skip
    number = words["interval"].format(**said) if low is not None and high is not None else said["amount"]
    return {
        "row": at,
        "label": f"{at + 1}  {row['label']}",
        "text": f"{number} · {words['layers'][layer]}",
        "amount": amount or 0.0,
        "low": low,
        "high": high,
        "colour": colour,
        "fill": "white" if artefact else colour,
        "artefact": artefact,
    }
