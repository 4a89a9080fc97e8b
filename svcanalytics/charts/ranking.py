"""Units side by side: who lies outside what chance allows, and the places that noise leaves open.

Of many units only those outside are named, and only where names don't run into one another.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.axes import axis_unit, text_width
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_funnel", "draw_rank_intervals"]

_WORDS = {
    "zh": {
        "rate": "样本量",
        "ratio": "期望数",
        "mean": "精度（1/标准误²）",
        "funnel_key": "横线=总体；两层带={inner}和{outer}范围；着色=超出{outer}范围（离得最远的标名）",
        "place": "名次",
        "tie_key": "两条虚线之间的单位互相无法区分",
        "rank_key": "点=名次，横线=可能的名次；蓝=显著更好，红=显著更差，空心=无法区分",
    },
    "en": {
        "rate": "cases",
        "ratio": "expected",
        "mean": "precision (1/error²)",
        "funnel_key": "Line: overall; bands: {inner} and {outer} limits; coloured: outside {outer}",
        "place": "place",
        "tie_key": "Between two dotted lines nobody is better than another for sure.",
        "rank_key": "Dot: place; line: places it can have; blue: better for sure, red: worse, hollow: neither",
    },
}
_WORSE, _NEITHER = "#B10E1E", "#7A8A99"
_FUNNEL_WIDTH, _FUNNEL_HEIGHT = theme.WIDTH - 56, 300
_NAME_SIZE = 11
_MOST_ROWS = 45  # beyond, rows are drawn tight and only some are named
_MOST_NAMES = 14


def draw_funnel(
    units: pd.DataFrame,
    limits: pd.DataFrame,
    *,
    centre: float,
    language: str,
    kind: str = "rate",
    value_kind: str | None = None,
    up: bool | None = None,
) -> altair.LayerChart:
    """Draw a funnel: each unit's value over its size, within limits around the mean.

    Parameters
    ----------
    units : DataFrame
        ``unit`` (as readers see it), ``value``, ``size``, ``z`` (furthest from 0 is named first) and ``outlier``
        (high, low or ""), as `quality.funnel` gives them.
    limits : DataFrame
        ``size`` and pairs such as ``low_95`` and ``high_95``, two levels at most.
    centre : float
        The mean, in the units of ``value``.
    language : str
        "zh" or "en".
    kind : str
        "rate", "ratio" or "mean": what ``size`` is.
    value_kind : str, optional
        "rate", "duration" (seconds), "integer" or "number"; default: "rate" for rates, else "number".
    up : bool, optional
        Whether high is good: units outside are then blue or red.
    """
    alt, words = load_altair(), _WORDS[language]
    unit = axis_unit(value_kind or ("rate" if kind == "rate" else "number"), units["value"].astype(float), language)
    levels = sorted({float(name.split("_")[1]) for name in limits if name.startswith("low_")})
    low, high = _domain(units, limits, centre, levels)
    smallest, largest = float(limits["size"].min()), float(limits["size"].max())
    log = largest / smallest > 20
    across = [smallest, largest] if log else [0, largest]
    scale_x = alt.Scale(type="log" if log else "linear", domain=across, nice=False)
    scale_y = alt.Scale(domain=[low / unit.divisor, high / unit.divisor], nice=False, zero=False)
    x = alt.X("size:Q", scale=scale_x).axis(
        title=words[kind],
        format="~s",
        tickCount=5,
        labelOverlap=True,
        titleAnchor="end",
        **({"values": _powers(smallest, largest)} if log else {}),
    )
    curve = [
        {"size": float(row["size"])}
        | {
            f"{side}{place}": min(max(float(row[f"{side}_{level:g}"]), low), high) / unit.divisor
            for place, level in enumerate(levels)
            for side in ("low", "high")
        }
        for row in limits.to_dict("records")
    ]
    bands = alt.Chart(alt.Data(values=curve)).encode(x=x)
    layers = [
        bands.mark_area(color=theme.BAND, opacity=0.1, clip=True).encode(
            y=alt.Y(f"low{place}:Q", scale=scale_y).axis(title=unit.title or None, format=unit.format, tickCount=6),
            y2=f"high{place}:Q",
        )
        for place in reversed(range(len(levels)))
    ]
    layers.append(
        alt.Chart(alt.Data(values=[{"centre": centre / unit.divisor}]))
        .mark_rule(color=theme.TARGET, strokeWidth=1.5)
        .encode(y=alt.Y("centre:Q", scale=scale_y))
    )
    records = _funnel_records(units, unit.divisor, up)
    points = alt.Chart(alt.Data(values=records)).encode(x=x, y=alt.Y("value:Q", scale=scale_y))
    layers += [
        points.transform_filter("!datum.outside").mark_point(
            filled=True, size=26, color=_NEITHER, opacity=0.75, clip=True
        ),
        points.transform_filter("datum.outside")
        .mark_point(filled=True, size=42, opacity=1, clip=True)
        .encode(color=alt.Color("colour:N", scale=None, legend=None)),
    ]
    layers += _names(_placed_names(records, across, log, (low / unit.divisor, high / unit.divisor)))
    shown = [f"{level:g}%" for level in levels]
    key = words["funnel_key"].format(inner=shown[0], outer=shown[-1])
    return alt.layer(*layers).properties(width=_FUNNEL_WIDTH, height=_FUNNEL_HEIGHT, title=write_key(key))


def draw_rank_intervals(frame: pd.DataFrame, *, language: str) -> altair.LayerChart:
    """Draw places with the places each unit can have; tight rows and fewer names beyond 45 units.

    Parameters
    ----------
    frame : DataFrame
        Best first: ``unit`` (as readers see it), ``rank``, ``rank_low``, ``rank_high``, ``stands_out`` (better, worse,
        no) and optionally ``tie`` (group of places that can't be told apart) and ``text`` (how the value reads), as
        `quality.compare` gives them; rows without a rank are left out.
    language : str
        "zh" or "en".
    """
    alt, words = load_altair(), _WORDS[language]
    rows = frame[frame["rank"].notna()].to_dict("records")
    tight = len(rows) > _MOST_ROWS
    step = max(3.0, 700 / len(rows)) if tight else 19
    colours = {"better": theme.MAIN, "worse": _WORSE}
    records = [
        {
            "row": place,
            "y": (place + 0.5) * step,
            "unit": str(row["unit"]),
            "text": str(row.get("text", "")),
            "rank": int(row["rank"]),
            "low": int(row["rank_low"]) - 0.4,
            "high": int(row["rank_high"]) + 0.4,
            "colour": colours.get(row["stands_out"], _NEITHER),
            "fill": colours.get(row["stands_out"], "white"),
        }
        for place, row in enumerate(rows)
    ]
    side = 0 if tight else 10 + min(150, max((text_width(r["unit"], 12) for r in records), default=0))
    right = 0 if tight else 8 + max((text_width(r["text"], 12) for r in records), default=0)
    width = theme.WIDTH - 24 - side - right
    scale = alt.Scale(domain=[0.3, len(rows) + 0.7], nice=False, zero=False)
    axis = alt.Axis(
        orient="top", title=words["place"], titleAnchor="end", format="d", grid=True, values=_places(len(rows))
    )
    # Rows stand at pixels of their own, so that names can be placed between them.
    base = alt.Chart(alt.Data(values=records)).encode(y=alt.Y("y:Q", scale=None, axis=None))
    colour = {"color": alt.Color("colour:N", scale=None, legend=None)}
    layers = [
        base.mark_rule(strokeWidth=min(5.0, step * 0.62), opacity=0.4).encode(
            x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q", **colour
        ),
        base.mark_point(size=12 if tight else 62, opacity=1, strokeWidth=1 if tight else 1.5).encode(
            x=alt.X("rank:Q", scale=scale), fill=alt.Fill("fill:N", scale=None, legend=None), **colour
        ),
    ]
    edges = [
        {"y": record["row"] * step}
        for record, (above, below) in zip(records[1:], pairwise(rows), strict=True)
        if above.get("tie") != below.get("tie")
    ]
    if edges:
        rule = alt.Chart(alt.Data(values=edges)).mark_rule(color=theme.GREY, strokeWidth=0.7, strokeDash=[2, 2])
        layers.append(rule.encode(y=alt.Y("y:Q", scale=None), x=alt.value(0), x2=alt.value("width")))
    if tight:
        layers += _names(_named_rows(records, width))
    else:
        layers += [
            base.mark_text(align="right", baseline="middle", dx=-8, fontSize=12, limit=150).encode(
                x=alt.value(0), text="unit:N"
            ),
            base.mark_text(align="left", baseline="middle", dx=8, fontSize=12, color=theme.GREY).encode(
                x=alt.value("width"), text="text:N"
            ),
        ]
    key = [words["rank_key"], words["tie_key"]] if edges else [words["rank_key"]]
    return alt.layer(*layers).properties(width=width, height=step * len(rows), title=write_key(key))


def _domain(units: pd.DataFrame, limits: pd.DataFrame, centre: float, levels: list[float]) -> tuple[float, float]:
    """Return the heights shown: all units, and the limits where units are, not the open mouth of the funnel."""
    middle = limits.iloc[len(limits) // 3]
    low = min(float(units["value"].min()), float(middle[f"low_{levels[-1]:g}"]), centre)
    high = max(float(units["value"].max()), float(middle[f"high_{levels[-1]:g}"]), centre)
    room = 0.06 * (high - low) or 0.01
    return (0.0 if 0 <= low < 0.15 * (high - low) else low - room), high + room


def _powers(smallest: float, largest: float) -> list[float]:
    """Return ticks of a logarithmic axis: 1, 2, 5 or, over many powers of ten, 1 and 3."""
    powers = range(math.floor(math.log10(smallest)), math.ceil(math.log10(largest)) + 1)
    steps = (1, 3) if len(powers) > 3 else (1, 2, 5)
    return [m * 10.0**p for p in powers for m in steps if smallest <= m * 10.0**p <= largest]


def _funnel_records(units: pd.DataFrame, divisor: float, up: bool | None) -> list[dict[str, Any]]:
    records = []
    for row in units.to_dict("records"):
        good = None if up is None or not row["outlier"] else (row["outlier"] == "high") == up
        records.append(
            {
                "unit": str(row["unit"]),
                "size": float(row["size"]),
                "value": float(row["value"]) / divisor,
                "far": abs(float(row["z"])),
                "outside": bool(row["outlier"]),
                "colour": _WORSE if good is False else theme.MAIN,
            }
        )
    return records


def _placed_names(
    records: list[dict[str, Any]], across: list[float], log: bool, heights: tuple[float, float]
) -> list[dict[str, Any]]:
    """Place the names of those outside, furthest first, where they cover no other name and no other point outside."""
    first, last = across

    def point(record: dict[str, Any]) -> tuple[float, float]:
        size = record["size"]
        share = math.log(size / first) / math.log(last / first) if log else (size - first) / (last - first)
        return share * _FUNNEL_WIDTH, (heights[1] - record["value"]) / (heights[1] - heights[0]) * _FUNNEL_HEIGHT

    outside = sorted((r for r in records if r["outside"]), key=lambda r: (-r["far"], r["unit"]))
    taken = [(x - 3, y - 3, x + 3, y + 3) for x, y in map(point, outside)]
    names: list[dict[str, Any]] = []
    for record in outside:
        if len(names) == _MOST_NAMES:
            break
        x, y = point(record)
        wide = text_width(record["unit"], _NAME_SIZE) + 2
        for align, left in (("left", x + 5), ("right", x - 5 - wide)):
            box = (left, y - 6, left + wide, y + 6)
            if left >= 0 and box[2] <= _FUNNEL_WIDTH and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                names.append(_name(record["unit"], x + (5 if align == "left" else -5), y, align, record["colour"]))
                break
    return names


def _named_rows(records: list[dict[str, Any]], width: float) -> list[dict[str, Any]]:
    """Name rows from both ends inwards, those that stand out, as far apart as the letters are high."""
    scale = width / (len(records) + 0.4)
    names: list[dict[str, Any]] = []
    for record in sorted(records, key=lambda r: (min(r["row"], len(records) - 1 - r["row"]), r["row"])):
        y = record["y"]
        if record["fill"] == "white" or any(abs(y - name["y"]) < _NAME_SIZE + 1 for name in names):
            continue
        # Places run from the upper left to the lower right, so there is room right of the upper and left of the lower.
        upper = record["row"] < len(records) / 2
        x = (record["high"] - 0.3) * scale + 5 if upper else (record["low"] - 0.3) * scale - 5
        names.append(_name(record["unit"], x, y, "left" if upper else "right", record["colour"]))
    return names


def _name(text: str, x: float, y: float, align: str, colour: str) -> dict[str, Any]:
    return {"name": text, "x": round(x, 1), "y": round(y, 1), "align": align, "colour": colour}


def _names(names: list[dict[str, Any]]) -> list[altair.Chart]:
    alt = load_altair()
    layers = []
    for align in ("left", "right"):
        chosen = [name for name in names if name["align"] == align]
        if not chosen:
            continue
        base = alt.Chart(alt.Data(values=chosen)).encode(
            x=alt.X("x:Q", scale=None), y=alt.Y("y:Q", scale=None), text="name:N"
        )
        mark = {"align": align, "baseline": "middle", "fontSize": _NAME_SIZE}
        # White around the letters keeps them apart from lines they cross.
        layers.append(base.mark_text(stroke="white", strokeWidth=3, strokeJoin="round", color="white", **mark))
        layers.append(base.mark_text(**mark).encode(color=alt.Color("colour:N", scale=None, legend=None)))
    return layers


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _places(count: int) -> list[int]:
    step = next((s for s in (1, 2, 5, 10, 20, 25, 50, 100, 200, 500) if count / s <= 12), 1000)
    return sorted({1, *range(step, count + 1, step)})
