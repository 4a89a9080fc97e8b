"""Themes of texts: how large each is, whether it grew, and what goes wrong in it, one row per theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_themes"]

_STEP, _BAR = 44, 10
_LEFT, _GAP, _RIGHT = 250, 18, 176
_HOLLOW = "#7A8A99"
_WORDS = {
    "zh": {
        "size": "文本数（竖线=上期折算）",
        "cost": "多出的问题件数（横线=95%区间）",
        "emerging": "▲ 显著增多",
        "key": "橙色=比上期显著增多；深色点=确定有影响，灰色点=可能是波动",
    },
    "en": {
        "size": "texts (tick: expected from last period)",
        "cost": "cases gone wrong too many (95 %)",
        "emerging": "▲ emerging",
        "key": "Orange: grew for sure; dark point: costs for sure; grey point: may be noise",
    },
}


def draw_themes(frame: pd.DataFrame, *, language: str, most: int = 12) -> altair.LayerChart:
    """Draw themes by size with their growth, and beside it what they cost.

    Parameters
    ----------
    frame : DataFrame
        A row per theme, the one to be read first on top: ``label``, ``n`` (texts), ``expected`` (texts that the last
        period lets expect; missing without one), ``emerging``, ``excess``, ``low``, ``high`` (cases that went wrong
        beyond the others' share; missing where it is not known) and ``certain`` (whether that is no noise).
    language : str
        "zh" or "en".
    most : int
        Rows drawn.
    """
    alt, words = load_altair(), _WORDS[language]
    records = [_record(at, row, words) for at, row in enumerate(frame.head(most).to_dict("records"))]
    height = _STEP * max(len(records), 1)
    largest = max([1.0, *(r["n"] for r in records), *(r["expected"] or 0 for r in records)])
    ends = [r[name] for r in records for name in ("low", "high") if r[name] is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends, 1e-9])
    room = 0.04 * (high - low)
    left = _LEFT / (largest * 1.16)
    scale = (_RIGHT - 4) / (high - low + 2 * room)
    for record in records:
        record["x_n"] = record["n"] * left
        record["x_expected"] = None if record["expected"] is None else record["expected"] * left
        record["x_beside"] = max(record["x_n"], record["x_expected"] or 0)
        for name in ("excess", "low", "high"):
            value = record[name]
            record[f"x_{name}"] = None if value is None else _LEFT + _GAP + (value - low + room) * scale
    zero = _LEFT + _GAP + (room - low) * scale
    base = alt.Chart(alt.Data(values=records))
    x = {"scale": alt.Scale(domain=[0, theme.WIDTH], range=[0, theme.WIDTH], nice=False), "axis": None}

    def y(offset: float) -> Any:
        scale_y = alt.Scale(domain=[0, height], range=[0, height], nice=False)
        return alt.Y(f"y{int(offset)}:Q", scale=scale_y, axis=None)

    def text(field: str, at: str, offset: int, **how: Any) -> Any:
        return base.mark_text(baseline="middle", **how).encode(x=alt.X(f"{at}:Q", **x), y=y(offset), text=f"{field}:N")

    colour = alt.Color("colour:N", scale=None)
    known = base.transform_filter("datum.x_excess !== null")
    layers = [
        text("label", "x_start", 8, align="left", fontSize=13, color=theme.INK, limit=_LEFT - 84),
        text("mark", "x_middle", 8, align="right", fontSize=12, color="#B5450B"),
        text("amount", "x_end", 8, align="right", fontSize=12, color=theme.GREY),
        base.mark_bar(height=_BAR).encode(x=alt.X("x_start:Q", **x), x2="x_n", y=y(27), color=colour),
        text("n_text", "x_beside", 27, align="left", dx=5, fontSize=12, color=theme.GREY),
        base.transform_filter("datum.x_expected !== null")
        .mark_rule(strokeWidth=2, color=theme.INK)
        .encode(x=alt.X("x_expected:Q", **x), y=y(19), y2="y35"),
        known.mark_rule(strokeWidth=1.5).encode(
            x=alt.X("x_low:Q", **x), x2="x_high", y=y(27), color=alt.Color("point:N", scale=None)
        ),
        known.mark_circle(size=60, opacity=1).encode(
            x=alt.X("x_excess:Q", **x), y=y(27), color=alt.Color("point:N", scale=None)
        ),
    ]
    mark = alt.Chart(alt.Data(values=[{"x": zero, "y": 0, "y2": height}]))
    layers.append(
        mark.mark_rule(strokeDash=[2, 3], color=theme.GREY).encode(
            x=alt.X("x:Q", **x), y=alt.Y("y:Q", scale=alt.Scale(domain=[0, height], range=[0, height])), y2="y2"
        )
    )
    heads = [
        {"x": 0, "text": words["size"], "align": "left"},
        {"x": _LEFT + _GAP, "text": words["cost"], "align": "left"},
    ]
    head = (
        alt.Chart(alt.Data(values=heads))
        .mark_text(align="left", baseline="bottom", fontSize=12, color=theme.GREY, dy=-4)
        .encode(x=alt.X("x:Q", **x), y=alt.value(0), text="text:N")
    )
    zero_text = (
        alt.Chart(alt.Data(values=[{"x": zero, "text": "0"}]))
        .mark_text(baseline="top", fontSize=12, color=theme.GREY, dy=3)
        .encode(x=alt.X("x:Q", **x), y=alt.value(height), text="text:N")
    )
    return alt.layer(*layers, head, zero_text).properties(
        width=theme.WIDTH,
        height=height,
        title=write_key(words["key"], offset=22),
    )


def _record(at: int, row: dict[str, Any], words: dict[str, str]) -> dict[str, Any]:
    def number(name: str) -> float | None:
        value = row.get(name)
        return None if value is None or value != value else float(value)

    top = at * _STEP
    emerging = bool(row.get("emerging", False))
    return {
        "label": str(row["label"]),
        "n": float(row["n"]),
        "n_text": f"{int(row['n']):,}",
        "expected": number("expected"),
        "excess": number("excess"),
        "low": number("low"),
        "high": number("high"),
        "mark": words["emerging"] if emerging else "",
        "amount": "" if number("excess") is None else f"{number('excess'):+,.0f}".replace("-", "\u2212"),
        "colour": theme.SECOND if emerging else theme.MAIN,
        "point": theme.INK if bool(row.get("certain", False)) else _HOLLOW,
        "x_start": 0,
        "x_middle": _LEFT,
        "x_end": theme.WIDTH - 4,
        **{f"y{offset}": top + offset for offset in (8, 19, 27, 35)},
    }
