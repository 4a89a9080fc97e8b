"""Where a process loses time, row by row: what waiting is made of, and what fixing a step would win."""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcanalytics.charts import theme
from svcanalytics.charts.axes import axis_unit
from svcanalytics.charts.captions import write_key, write_row_heads
from svcanalytics.charts.durations import duration_text
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_bottlenecks", "draw_waiting"]

_STEP, _BAR = 46, 14
_PARTS = {
    "batching": ("batching", "攒批", "#12436D"),
    "contention": ("agent busy, in turn", "坐席忙（按先后）", "#28A197"),
    "prioritisation": ("agent busy, others first", "坐席忙（他件插队）", "#A285D1"),
    "unavailability": ("off duty", "非工作时间", "#BFBFBF"),
    "extraneous": ("other, customer, supplier", "其他、等客户或供应商", "#F46A25"),
    "unsplit": ("not known", "无法区分", "#E4E4E4"),
}
_WORDS = {
    "en": {
        "step": "before {activity}",
        "state": "in {activity}",
        "transition": "{source} → {activity}",
        "rework": "back to {activity}",
        "won": "−{p90} (median −{median})",
        "key": "Filled: off the duration 9 of 10 cases keep below; hollow: off the median; line: 95% interval",
        "axis": "hours won per case",
        "total": "{total} in all, {each} each",
    },
    "zh": {
        "step": "{activity}之前的等待",
        "state": "停留在{activity}",
        "transition": "{source} → {activity}",
        "rework": "返工到{activity}",
        "won": "−{p90}（中位−{median}）",
        "key": "实心=九成事项所需时长可缩短；空心=中位时长可缩短；横线=95%区间",
        "axis": "每件可省小时数",
        "total": "共{total}，平均{each}",
    },
}


def draw_waiting(frame: pd.DataFrame, *, language: str, rows: int = 10) -> altair.LayerChart:
    """Draw what waiting is made of: one bar per row, its parts one after another.

    Parameters
    ----------
    frame : DataFrame
        As `Process.split` returns it, the longest first: ``label`` (else the columns before ``n``, joined by an arrow),
        ``n``, ``wait_s`` and the parts.
    language : str
        "zh" or "en".
    rows : int
        Most rows.
    """
    alt = load_altair()
    words, place = _WORDS[language], 1 if language == "zh" else 0
    shown = frame.head(rows)
    named = [name for name in shown.columns[: list(shown.columns).index("n")] if name != "label"]
    unit = axis_unit("duration", shown["wait_s"].astype(float), language)
    parts = [name for name in _PARTS if (shown[f"{name}_s"] > 0).any()]
    bars, heads = [], []
    for number, row in enumerate(shown.to_dict("records")):
        label = str(row["label"]) if "label" in row else " → ".join(str(row[name]) for name in named)
        total, each = (duration_text(seconds, language) for seconds in (row["wait_s"], row["wait_s"] / row["n"]))
        heads.append({"row": number, "label": label, "text": words["total"].format(total=total, each=each)})
        for order, name in enumerate(parts):
            value = float(row[f"{name}_s"]) / unit.divisor
            bars.append({"row": number, "part": _PARTS[name][place], "order": order, "value": value})
    colour = alt.Color(
        "part:N",
        scale=alt.Scale(domain=[_PARTS[name][place] for name in parts], range=[_PARTS[name][2] for name in parts]),
        legend=alt.Legend(columns=3),
    )
    y = alt.Y("row:O", sort=None).axis(None)
    axis = alt.Axis(orient="top", title=unit.title, format=unit.format, grid=False, tickCount=5, domain=False)
    base = alt.Chart(alt.Data(values=heads)).encode(y=y)
    return alt.layer(
        alt.Chart(alt.Data(values=bars))
        .mark_bar(size=_BAR, yOffset=9)
        .encode(y=y, x=alt.X("value:Q", axis=axis), color=colour, order="order:Q"),
        *write_row_heads(base),
    ).properties(width=theme.WIDTH - 20, height={"step": _STEP})


def draw_bottlenecks(frame: pd.DataFrame, *, language: str, rows: int = 10) -> altair.LayerChart:
    """Draw what fixing each step would take off the duration of cases.

    Parameters
    ----------
    frame : DataFrame
        As `Process.bottlenecks` has it, the most won first.
    language : str
        "zh" or "en".
    rows : int
        Most rows.
    """
    alt = load_altair()
    words = _WORDS[language]
    records = []
    for number, row in enumerate(frame.head(rows).to_dict("records")):
        won = {name: duration_text(3600 * row[f"{name}_h"], language) for name in ("p90", "median")}
        numbers = {name: float(row[name]) for name in ("p90_h", "p90_low", "p90_high", "median_h")}
        label = words[row["kind"]].format(source=row["source"], activity=row["activity"])
        records.append(numbers | {"row": number, "label": label, "text": words["won"].format(**won)})
    base = alt.Chart(alt.Data(values=records)).encode(y=alt.Y("row:O", sort=None).axis(None))
    axis = alt.Axis(orient="top", title=words["axis"], format=",.0f", grid=False, tickCount=5, domain=False)
    return alt.layer(
        base.mark_rule(yOffset=9, color="#D9DCE0").encode(x=alt.value(0), x2=alt.value("width")),
        base.mark_rule(yOffset=9, strokeWidth=5, opacity=0.45, color=theme.MAIN).encode(
            x=alt.X("p90_low:Q"), x2="p90_high:Q"
        ),
        base.mark_point(yOffset=9, size=46, color=theme.GREY, fill="white", opacity=1).encode(x="median_h:Q"),
        base.mark_point(yOffset=9, size=95, filled=True, opacity=1, color=theme.MAIN).encode(
            x=alt.X("p90_h:Q", axis=axis, scale=alt.Scale(zero=True))
        ),
        *write_row_heads(base),
    ).properties(
        width=theme.WIDTH - 20,
        height={"step": _STEP},
        title=write_key(words["key"]),
    )
