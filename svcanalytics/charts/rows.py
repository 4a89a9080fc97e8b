"""One row per thing: its name above, below it its value as a point with its interval and what it is compared with.

Names stand above their lines, not left of them, so that long names leave the picture room on a phone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.axes import axis_unit
from svcanalytics.charts.captions import write_key, write_row_heads
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_attainment", "draw_family_profile", "draw_units"]

_STEP = 46
_WORDS = {
    "zh": {
        "floor": "底线",
        "target": "目标",
        "goal": "卓越",
        "key": "实心=本期（形状示灯）；空心=上期；横线=95%区间；竖线=目标",
        "family_key": "实心=本期；空心=上期；横线=95%区间；竖线=目标80分",
        "units_key": "点=本期；横线=95%区间；竖线=总体；深色=与总体差异显著",
    },
    "en": {
        "floor": "floor",
        "target": "target",
        "goal": "goal",
        "key": "Filled: this period (shape = light); hollow: last period; line: 95% interval",
        "family_key": "Filled: this period; hollow: last period; line: 95% interval; tick: target 80",
        "units_key": "Point: this period; line: 95% interval; tick: overall; dark: differs for sure",
    },
}


def draw_attainment(frame: pd.DataFrame, *, language: str) -> altair.LayerChart:
    """Draw measures against their targets on one scale: floor at 0, target at 80, goal at 100, one target for all rows.

    Parameters
    ----------
    frame : DataFrame
        ``label``, ``text`` (how value and target read), ``score``, ``low``, ``high``, ``previous`` (0-100 on the
        goalpost scale; missing where there is none) and ``light`` (green, yellow, red, grey); optionally ``strong``:
        the row sums up the others.
    language : str
        "zh" or "en".
    """
    words = _WORDS[language]
    records = _records(frame, "score", clip=(0.0, 100.0))
    names = {0: words["floor"], 80: words["target"], 100: words["goal"]}
    expression = " : ".join(f"datum.value == {place} ? '{name}'" for place, name in names.items()) + " : ''"
    axis = {"values": list(names), "labelExpr": expression, "orient": "top", "title": None, "domain": False}
    return _rows(records, reference=80.0, domain=(0.0, 100.0), axis=axis, key=words["key"])


def draw_family_profile(frame: pd.DataFrame, *, language: str, target: float = 80.0) -> altair.LayerChart:
    """Draw the families of the index with their bands, this period against last.

    Parameters
    ----------
    frame : DataFrame
        ``label``, ``text``, ``score``, ``low``, ``high``, ``previous`` (0-100), optionally ``light``.
    language : str
        "zh" or "en".
    target : float
        Drawn as a tick in every row.
    """
    axis = {"values": [0, 20, 40, 60, 80, 100], "orient": "top", "title": None, "domain": False}
    key = _WORDS[language]["family_key"]
    return _rows(_records(frame, "score", clip=(0.0, 100.0)), reference=target, domain=(0.0, 100.0), axis=axis, key=key)


def draw_units(
    frame: pd.DataFrame, *, language: str, kind: str = "rate", reference: float | None = None
) -> altair.LayerChart:
    """Draw teams or channels with their intervals around the overall value.

    Parameters
    ----------
    frame : DataFrame
        ``label``, ``text``, ``value``, ``low``, ``high``, ``differs`` (the interval leaves the overall value out);
        small units are left out by the caller.
    language : str
        "zh" or "en".
    kind : str
        "rate", "duration" (seconds), "integer" or "number".
    reference : float, optional
        The overall value, in the units of ``value``.
    """
    known = [*frame["value"], *frame["low"], *frame["high"], *([] if reference is None else [reference])]
    unit = axis_unit(kind, (float(value) for value in known if value is not None and value == value), language)
    scaled = frame.assign(**{name: frame[name].astype(float) / unit.divisor for name in ("value", "low", "high")})
    records = _records(scaled, "value")
    for record, differs in zip(records, frame["differs"], strict=True):
        record["colour"] = theme.MAIN if differs else "#7A8A99"
    axis = {"orient": "top", "title": unit.title or None, "format": unit.format, "tickCount": 5, "domain": False}
    middle = None if reference is None else reference / unit.divisor
    return _rows(records, reference=middle, domain=None, axis=axis, key=_WORDS[language]["units_key"])


def _records(frame: pd.DataFrame, value: str, clip: tuple[float, float] | None = None) -> list[dict[str, Any]]:
    def number(given: Any) -> float | None:
        if given is None or given != given:
            return None
        return min(max(float(given), clip[0]), clip[1]) if clip else float(given)

    records = []
    for row in frame.to_dict("records"):
        light = row.get("light")
        light = light if light in theme.LIGHT_COLOURS else None
        records.append(
            {
                "label": str(row["label"]),
                "text": str(row.get("text", "")),
                "value": number(row[value]),
                "low": number(row["low"]),
                "high": number(row["high"]),
                "previous": number(row.get("previous")),
                "colour": theme.LIGHT_COLOURS[light] if light else theme.MAIN,
                "shape": theme.LIGHT_SHAPES[light] if light else "circle",
                "strong": row.get("strong") is True,
            }
        )
    return records


def _rows(
    records: list[dict[str, Any]],
    *,
    reference: float | None,
    domain: tuple[float, float] | None,
    axis: dict[str, Any],
    key: str,
) -> altair.LayerChart:
    alt = load_altair()
    for place, record in enumerate(records):
        record["row"] = place  # names may repeat; rows may not
    base = alt.Chart(alt.Data(values=records)).encode(y=alt.Y("row:O", sort=None).axis(None))
    scale = alt.Scale(domain=list(domain), nice=False) if domain else alt.Scale(zero=False, nice=True, padding=8)
    x = alt.X("value:Q", scale=scale, axis=alt.Axis(grid=False, labelPadding=2, **axis))
    colour = {"color": alt.Color("colour:N", scale=None, legend=None)}
    layers = [
        base.mark_rule(yOffset=9, color="#D9DCE0", strokeWidth=1).encode(x=alt.value(0), x2=alt.value("width")),
        base.mark_rule(yOffset=9, strokeWidth=5, opacity=0.45).encode(x=alt.X("low:Q"), x2="high:Q", **colour),
        base.transform_filter("datum.previous != null")
        .mark_point(yOffset=9, size=46, color=theme.GREY, fill="white", opacity=1, strokeWidth=1.5)
        .encode(x=alt.X("previous:Q")),
        base.transform_filter("datum.value != null")
        .mark_point(yOffset=9, size=95, filled=True, opacity=1)
        .encode(x=x, shape=alt.Shape("shape:N", scale=None, legend=None), **colour),
        *write_row_heads(base.transform_filter("!datum.strong")),
    ]
    if any(record["strong"] for record in records):
        layers += write_row_heads(base.transform_filter("datum.strong"), bold=True)
    if reference is not None:
        layers.insert(
            1, base.mark_tick(yOffset=9, thickness=2, size=18, color=theme.TARGET).encode(x=alt.datum(reference))
        )
    return alt.layer(*layers).properties(
        width=theme.WIDTH - 20,
        height={"step": _STEP},
        title=write_key(key),
    )
