"""People ahead: how many will be needed and there, month by month, and whom to hire when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_headcount"]

_WORDS = {
    "zh": {
        "key": "线=中位数，色带=10%–90%；灰线=不招聘；数字=当月入职",
        "names": ("所需", "可用"),
        "title": "折合熟练人数",
        "hires": "+{}人",
    },
    "en": {
        "key": "Line: middle; band: 10-90 %; grey: nobody hired; figures: people who start",
        "names": ("required", "available"),
        "title": "Productive people",
        "hires": "+{}",
    },
}
_COLOURS = (theme.SECOND, theme.MAIN)


def draw_headcount(months: pd.DataFrame, *, language: str, height: int = 220) -> altair.LayerChart:
    """Draw the people required and available by month, each with its band, and the hires of each month.

    Parameters
    ----------
    months : DataFrame
        As `staffing.CapacityPlan.months` has it: month, hires, and required, available, unhired with _low, _middle and
        _high.
    language : str
        "zh" or "en".
    height : int
        Of the plot, in pixels.
    """
    alt = load_altair()
    words = _WORDS[language]
    names = list(words["names"])
    records: list[dict[str, Any]] = [
        {"month": row["month"], "name": name, **{q: float(row[f"{key}_{q}"]) for q in ("low", "middle", "high")}}
        for row in months.to_dict("records")
        for key, name in zip(("required", "available"), names, strict=True)
    ]
    unhired = [{"month": r["month"], "middle": float(r["unhired_middle"])} for r in months.to_dict("records")]
    top = float(max(months["required_high"].max(), months["available_high"].max()))
    hires = [
        {"month": r["month"], "text": words["hires"].format(r["hires"]), "y": top * 1.06}
        for r in months.to_dict("records")
        if r["hires"]
    ]
    least = float(min(months["required_low"].min(), months["unhired_low"].min()))
    scale = alt.Scale(domain=[max(0.0, least * 0.94), top * 1.1], zero=False, nice=False)
    colour = alt.Color("name:N").scale(domain=names, range=list(_COLOURS)).legend(title=None)
    x = alt.X("month:O").axis(title=None, labelAngle=0, labelOverlap=True)
    base = alt.Chart(alt.Data(values=records)).encode(x=x)
    y = alt.Y("middle:Q").axis(title=words["title"], tickCount=5).scale(scale)
    layers = [
        base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q").scale(scale), y2="high:Q", color=colour),
        alt.Chart(alt.Data(values=unhired)).mark_line(color=theme.GREY, strokeWidth=1).encode(x=x, y=y),
        base.mark_line().encode(y=y, color=colour),
        alt.Chart(alt.Data(values=hires))
        .mark_text(fontWeight="bold", color=theme.MAIN)
        .encode(x=x, y=alt.Y("y:Q").scale(scale), text="text:N"),
    ]
    key = write_key(words["key"])
    return alt.layer(*layers).properties(width=theme.WIDTH - 50, height=height, title=key)
