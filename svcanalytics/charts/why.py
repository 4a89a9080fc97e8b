"""Why, and why that: a chain of answers from the measure down to a circumstance, each with what it carries.

One row per answer, from top to bottom; each stands a little further in than the one it is the reason of. Bars share one
scale, so one sees how much of the whole the last answer still holds.
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

__all__ = ["draw_why"]

_STEP = 48
_INDENT = 18
_NEEDED = ("kind", "column", "value", "layer", "amount", "low", "high", "share")
_COLOURS = {"data": theme.PALETTE[0], "process": theme.PALETTE[1], "people": theme.PALETTE[2], "": theme.GREY}
_CALLED = {"data": ("blue", "蓝"), "process": ("green", "绿"), "people": ("purple", "紫"), "": ("grey", "灰")}
_WORDS = {
    "en": {
        "measure": "{measure} got worse",
        "split": "Why? {what}",
        "course": "Why there? {what}",
        "circumstance": "Why that? {what}",
        "data": "system and technology",
        "process": "operating rules",
        "people": "people",
        "demand": "demand",
        "": "place or kind of case",
        "of": "{amount} ({low} to {high}), {share} of it",
        "whole": "{amount} ({low} to {high})",
        "key": "Bar: beyond the expected; line: 95% interval; colour: layer of the answer",
        "value": "{column} = {value}",
        ":": ": ",
        ";": "; ",
    },
    "zh": {
        "measure": "{measure}变差",
        "split": "为什么\uff1f{what}",
        "course": "为什么在那里\uff1f{what}",
        "circumstance": "再问为什么\uff1f{what}",
        "data": "系统与技术",
        "process": "操作规则",
        "people": "人员",
        "demand": "需求",
        "": "部门或类型",
        "of": "{amount}\uff08{low}～{high}\uff09\uff0c占{share}",
        "whole": "{amount}\uff08{low}～{high}\uff09",
        "key": "条=超出预期的数量\uff1b线=95%区间\uff1b颜色=原因所在的层",
        "value": "{column} = {value}",
        ":": "=",
        ";": "\uff1b",
    },
}


def draw_why(links: pd.DataFrame, *, language: str, measure: str = "", unit: str = "") -> altair.LayerChart:
    """Draw a chain of whys.

    Parameters
    ----------
    links : DataFrame
        As `five_why` gives them, in order: ``kind``, ``column``, ``value``, ``layer``, ``amount``, ``low``, ``high``,
        ``share`` (0-1, missing where there is none); perhaps ``label`` to be shown instead of column and value.
    language : str
        "zh" or "en".
    measure : str
        What got worse, as readers call it.
    unit : str
        What amounts are in, as readers write it ("h"); "" for cases.

    Raises
    ------
    CauseError
        When a column is missing, or there is no answer to draw.
    """
    absent = [name for name in _NEEDED if name not in links.columns]
    if absent or links.empty:
        what = f"there is no column {absent[0]!r}" if absent else "the chain is empty"
        raise CauseError(what, where="links", fix="draw the links of a chain that has some")
    alt = load_altair()
    words = _WORDS[language]
    records = [_record(row, place, measure, words, unit) for place, row in enumerate(links.to_dict("records"))]
    ends = [0.0, *(record[name] for record in records for name in ("amount", "low", "high"))]
    room = (max(ends) - min(ends)) * 0.02
    scale = alt.Scale(domain=[min(ends) - (room if min(ends) < 0 else 0), max(ends) + room], nice=False)
    axis = alt.Axis(orient="top", title=None, grid=False, tickCount=5, domain=False, labelPadding=2, format=",d")
    base = alt.Chart(alt.Data(values=records)).encode(y=alt.Y("row:O", sort=None).axis(None))
    colour = {"color": alt.Color("colour:N", scale=None, legend=None)}
    x = alt.X("amount:Q", scale=scale, axis=axis)
    layers = [
        base.mark_rule(yOffset=10, color="#D9DCE0").encode(x=alt.value(0), x2=alt.value("width")),
        base.mark_bar(yOffset=10, height=12).encode(x=x, x2=alt.datum(0), **colour),
        *(
            base.mark_rule(yOffset=10, strokeWidth=width, color=ink).encode(x=alt.X("low:Q"), x2="high:Q")
            for width, ink in ((4, "white"), (1.5, theme.INK))  # seen on a bar too
        ),
    ]
    for record in records:  # every depth has its own place to the left, and an arrow from the answer above
        inward = _INDENT * record["row"]
        one = alt.Chart(alt.Data(values=[record])).encode(y=alt.Y("row:O", sort=None).axis(None))
        if record["row"]:
            arrow = {"align": "left", "baseline": "middle", "fontSize": 13, "color": theme.GREY, "text": "\u2514"}
            layers.append(one.mark_text(dy=-12, **arrow).encode(x=alt.value(inward - 14)))
        layers.append(
            one.mark_text(
                dy=-11, align="left", baseline="middle", fontSize=13, limit=0.62 * theme.WIDTH - inward
            ).encode(x=alt.value(inward), text="label:N", **colour)
        )
    layers.append(
        base.mark_text(dy=-11, align="right", baseline="middle", fontSize=12, color=theme.GREY).encode(
            x=alt.value("width"), text="text:N"
        )
    )
    present = list(dict.fromkeys(record["layer"] for record in records if record["kind"] != "measure"))
    return alt.layer(*layers).properties(
        width=theme.WIDTH - 20,
        height={"step": _STEP},
        title=write_key([words["key"], *_legend(present, words)]),
    )


def _record(row: dict[str, Any], place: int, measure: str, words: dict[str, str], unit: str) -> dict[str, Any]:
    value = str(row["value"])
    said = f"{row['column']} {value}" if value[:1] in ("<", ">") else words["value"].format(**row)
    label = words[row["kind"]].format(measure=measure, what=row.get("label") or said)
    share = row["share"]
    told = "whole" if share != share or row["kind"] == "measure" else "of"
    numbers = {name: _number(float(row[name])) for name in ("amount", "low", "high")}
    numbers["amount"] += f" {unit}" if unit else ""
    return {
        "row": place,
        "kind": row["kind"],
        "layer": row["layer"],
        "label": label,
        "text": words[told].format(share=f"{share:.0%}" if told == "of" else "", **numbers),
        "amount": float(row["amount"]),
        "low": float(row["low"]),
        "high": float(row["high"]),
        "colour": theme.INK if row["kind"] == "measure" else _COLOURS.get(row["layer"], theme.GREY),
    }


def _legend(layers: list[str], words: dict[str, str]) -> list[str]:
    at = 1 if words is _WORDS["zh"] else 0
    names = [f"{_CALLED.get(layer, _CALLED[''])[at]}{words[':']}{words.get(layer, layer)}" for layer in layers]
    return [words[";"].join(names)] if names else []


def _number(value: float) -> str:
    return f"{value:,.0f}".replace("-", "\u2212")
