"""What the index owes to its choices: shares of its variance, one row per choice, the largest uppermost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.captions import write_key, write_row_heads
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_sensitivity"]

_STEP, _BAR = 44, 12
_WORDS = {
    "zh": {
        "normalisation": "标准化方法",
        "aggregation": "汇总方法",
        "missing": "缺失值处理",
        "weights": "权重",
        "metric": "剔除某项指标",
        "sampling": "抽样误差",
        "key": "深色=单独作用；浅色=含与其他选择的交互；细线=95%区间",
    },
    "en": {
        "normalisation": "How measures are normalised",
        "aggregation": "How scores are averaged",
        "missing": "What is done about missing measures",
        "weights": "Weights",
        "metric": "Leaving a metric out",
        "sampling": "Sampling error",
        "key": "Dark: alone; pale: with other choices; line: 95% interval",
    },
}


def draw_sensitivity(
    frame: pd.DataFrame, *, language: str, labels: Mapping[str, str] | None = None
) -> altair.LayerChart:
    """Draw how much of the variance of an index, or of ranks, each choice is behind.

    Parameters
    ----------
    frame : DataFrame
        Rows of one output and unit of ``quality.sensitivity``: ``choice``, ``first``, ``total`` (shares, 0-1), and
        ``total_error`` (standard error).
    language : str
        "zh" or "en".
    labels : mapping of str to str, optional
        How choices are named to the reader; those of ``quality.sensitivity`` have names already.

    Raises
    ------
    ValueError
        When a choice occurs twice: the rows are of several outputs or units.
    """
    if frame["choice"].duplicated().any():
        raise ValueError("the frame holds several outputs or units: choose the rows of one")
    alt = load_altair()
    words = _WORDS[language]
    records = _records(frame, {**words, **(labels or {})})
    base = alt.Chart(alt.Data(values=records)).encode(y=alt.Y("row:O", sort=None).axis(None))
    axis = alt.Axis(format="%", tickCount=5, grid=False, orient="top", title=None, domain=False, labelPadding=2)
    scale = alt.Scale(domain=[0, 1], nice=False)
    start = alt.X("zero:Q").scale(scale).axis(axis)
    layers = [
        base.mark_bar(yOffset=9, size=_BAR, color=theme.MAIN, opacity=0.3).encode(x=start, x2="total:Q"),
        base.mark_bar(yOffset=9, size=_BAR, color=theme.MAIN).encode(x=start, x2="first:Q"),
        base.mark_rule(yOffset=9, color=theme.INK).encode(x=alt.X("low:Q"), x2="high:Q"),
        *write_row_heads(base, room=0.7),
    ]
    title = write_key(words["key"])
    return alt.layer(*layers).properties(width=theme.WIDTH - 20, height={"step": _STEP}, title=title)


def _records(frame: pd.DataFrame, names: Mapping[str, str]) -> list[dict[str, Any]]:
    ordered = frame.sort_values("total", ascending=False, kind="stable").to_dict("records")
    records = []
    for place, row in enumerate(ordered):
        # Estimates of small shares can fall below 0, and one choice's two shares can cross by chance.
        total = min(max(float(row["total"]), 0.0), 1.0)
        first = min(max(float(row["first"]), 0.0), total)
        half = 1.96 * float(row["total_error"])
        records.append(
            {
                "row": place,
                "label": names.get(row["choice"], row["choice"]),
                "text": f"{first:.0%} / {total:.0%}",
                "zero": 0.0,
                "first": first,
                "total": total,
                "low": max(total - half, 0.0),
                "high": min(total + half, 1.0),
            }
        )
    return records
