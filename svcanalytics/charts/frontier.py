"""What service costs: the week's cost against the service level it buys, and where the plan stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcanalytics.charts import theme
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_frontier"]

_WORDS = {
    "zh": {
        "x": "费用（{unit}）",
        "y": "预期服务水平",
        "key": "线=按需求配足时的服务水平，数字=目标；色带=100周中80周的范围；点=本计划",
    },
    "en": {
        "x": "Cost ({unit})",
        "y": "Expected service level",
        "key": "Line: what each target (figures) buys when staffed in full; band: 80 of 100 weeks; dot: this plan",
    },
}


def draw_frontier(
    targets: pd.DataFrame, cost: float, service_level: float, *, unit: str, language: str, height: int = 240
) -> altair.LayerChart:
    """Draw the service level that each cost buys, with the plan as a dot beside the line.

    Parameters
    ----------
    targets : DataFrame
        As `staffing.weigh_targets` has it: target, cost, service_level, low, high.
    cost, service_level : float
        Of the plan.
    unit : str
        Of the cost, such as "EUR".
    language : str
        "zh" or "en".
    height : int
        Of the plot, in pixels.
    """
    alt = load_altair()
    words = _WORDS[language]
    records = targets[["target", "cost", "service_level", "low", "high"]].astype("float64").to_dict("records")
    records = [row | {"text": f"{row['target']:.0%}"} for row in records]
    x = alt.X("cost:Q").scale(zero=False, nice=True).axis(title=words["x"].format(unit=unit), format=",.0f")
    y = alt.Y("service_level:Q").scale(zero=False).axis(title=words["y"], format=".0%", tickCount=5)
    base = alt.Chart(alt.Data(values=records)).encode(x=x)
    here = alt.Chart(alt.Data(values=[{"cost": cost, "service_level": service_level}]))
    key = write_key(words["key"])
    return alt.layer(
        base.mark_area(opacity=0.18, color=theme.MAIN).encode(y=alt.Y("low:Q").scale(zero=False), y2="high:Q"),
        base.mark_line(color=theme.MAIN, point=True).encode(y=y),
        base.mark_text(dy=-12, color=theme.MAIN).encode(y=y, text="text:N"),
        here.mark_point(color=theme.SECOND, size=140, filled=True, opacity=1).encode(x=x, y=y),
    ).properties(width=theme.WIDTH - 60, height=height, title=key)
