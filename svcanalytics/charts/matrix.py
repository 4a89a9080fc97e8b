"""The risk matrix: chance across, impact upwards, five levels each, and in every field the numbers of its risks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from svcanalytics.charts import theme
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_risk_matrix"]

_STEP = 40
_MOST = 6  # numbers that fit into a field
# Light enough for dark text on all of them: at least 7:1.
_TINTS = ((15, "#F3B8AE"), (8, "#FADDC0"), (4, "#FBF3D0"), (0, "#EAF1EE"))
_WORDS = {
    "zh": {"x": "发生可能性", "y": "影响", "key": "数字=下表序号；字母=登记的风险；颜色越深越严重",
           "x_levels": ("<10%", "10–30%", "30–60%", "60–90%", "≥90%"),
           "y_levels": ("轻微", "较小", "中等", "较大", "重大")},
    "en": {"x": "Chance", "y": "Impact", "key": "Numbers as in the table below; letters: on the register",
           "x_levels": ("<10%", "10–30%", "30–60%", "60–90%", "≥90%"),
           "y_levels": ("slight", "small", "medium", "large", "grave")},
}  # fmt: skip


def draw_risk_matrix(frame: pd.DataFrame, *, language: str) -> altair.LayerChart:
    """Draw risks on the matrix of chance and impact.

    Parameters
    ----------
    frame : DataFrame
        ``mark`` (number or letter), ``probability`` and ``impact`` (levels of 1-5), one row per risk.
    language : str
        "zh" or "en".
    """
    alt = load_altair()
    words = _WORDS[language]
    fields = []
    for impact in range(5, 0, -1):
        for chance in range(1, 6):
            inside = frame[(frame["probability"] == chance) & (frame["impact"] == impact)]
            tint = next(colour for least, colour in _TINTS if chance * impact >= least)
            fields.append(
                {"x": words["x_levels"][chance - 1], "y": words["y_levels"][impact - 1], "tint": tint,
                 "marks": _listed([str(mark) for mark in inside["mark"]])}
            )  # fmt: skip
    base = alt.Chart(alt.Data(values=fields)).encode(
        x=alt.X("x:O", sort=None).axis(title=words["x"], labelAngle=0, domain=False, ticks=False, orient="bottom"),
        y=alt.Y("y:O", sort=None).axis(title=words["y"], domain=False, ticks=False),
    )
    field = base.mark_rect(stroke="white", strokeWidth=2).encode(color=alt.Color("tint:N", scale=None, legend=None))
    marks = base.mark_text(fontSize=13, fontWeight="bold", color=theme.INK).encode(text="marks:N")
    return alt.layer(field, marks).properties(
        width=theme.WIDTH - 60, height=alt.Step(_STEP), title=write_key(words["key"])
    )


def _listed(marks: Sequence[str]) -> str:
    return " ".join(marks if len(marks) <= _MOST else [*marks[: _MOST - 1], "…"])
