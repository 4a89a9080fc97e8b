"""Two measurements of the same things: their difference over their mean, with the limits most differences keep to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcanalytics.charts import theme
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_agreement"]

_WORDS = {
    "zh": {
        "mean": "两方得分率的平均",
        "gap": "外部－内部（个百分点）",
        "key": ["实心=本期，空心=以往各期；圆=现场，菱形=线上",
                "实线=平均差异（色带为95%区间），虚线=95%的差异所在范围"],
        "more": "外部评分较高",
        "less": "内部评分较高",
    },
    "en": {
        "mean": "mean of both scores",
        "gap": "outside less own (points)",
        "key": ["Filled: this period, hollow: earlier; circle: on site, diamond: online",
                "Line: mean difference (band: 95% interval); dashed: where 95% of differences lie"],
        "more": "outside scores higher",
        "less": "own scores higher",
    },
}  # fmt: skip


def draw_agreement(
    pairs: pd.DataFrame, *, bias: tuple[float, float, float], limits: tuple[float, float], language: str
) -> altair.LayerChart:
    """Draw each pair's difference over its mean, as Bland and Altman (1986) do.

    Parameters
    ----------
    pairs : DataFrame
        ``outside`` and ``inside`` (scores 0-1), ``scene`` ("on_site", "online") and ``current`` (bool: of this period).
    bias : tuple of float
        Mean difference with its interval: value, low, high (shares).
    limits : tuple of float
        Lower and upper limit of agreement (shares).
    language : str
        "zh" or "en".
    """
    alt, words = load_altair(), _WORDS[language]
    records = [
        {
            "mean": 50.0 * (row["outside"] + row["inside"]),
            "gap": 100.0 * (row["outside"] - row["inside"]),
            "shape": "diamond" if row["scene"] == "online" else "circle",
            "fill": theme.MAIN if row["current"] else "white",
            "order": int(row["current"]),
        }
        for row in pairs.to_dict("records")
    ]
    records.sort(key=lambda record: record["order"])
    furthest = 1.1 * max([abs(record["gap"]) for record in records] + [abs(100 * limit) for limit in limits])
    scale = alt.Scale(domain=[-furthest, furthest], nice=False)
    y = alt.Y("gap:Q", scale=scale).axis(title=words["gap"], tickCount=7, format="+.0f")
    x = alt.X("mean:Q", scale=alt.Scale(zero=False, nice=True, padding=10)).axis(title=words["mean"], tickCount=6)
    points = alt.Chart(alt.Data(values=records))
    band = alt.Chart(alt.Data(values=[{"low": 100 * bias[1], "high": 100 * bias[2]}]))
    layers = [
        band.mark_rect(color=theme.BAND, opacity=0.12).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q"),
        _level(0.0, scale, color=theme.GREY, strokeWidth=0.8),
        _level(100 * bias[0], scale, color=theme.MAIN, strokeWidth=1.8),
        *(_level(100 * limit, scale, color=theme.GREY, strokeDash=[4, 3]) for limit in limits),
        points.mark_point(size=48, opacity=1, strokeWidth=1.4, color=theme.MAIN).encode(
            x=x,
            y=y,
            shape=alt.Shape("shape:N", scale=None, legend=None),
            fill=alt.Fill("fill:N", scale=None, legend=None),
        ),
    ]
    for text, place, baseline in ((words["more"], 2, "top"), (words["less"], 298, "bottom")):
        corner = alt.Chart(alt.Data(values=[{}])).mark_text(
            align="right", baseline=baseline, fontSize=12, color=theme.GREY, text=text
        )
        layers.append(corner.encode(x=alt.value(theme.WIDTH - 62), y=alt.value(place)))
    return alt.layer(*layers).properties(width=theme.WIDTH - 60, height=300, title=write_key(words["key"]))


def _level(height: float, scale: object, **mark: object):  # type: ignore[no-untyped-def]
    alt = load_altair()
    data = alt.Chart(alt.Data(values=[{"height": height}]))
    return data.mark_rule(**mark).encode(y=alt.Y("height:Q", scale=scale))  # type: ignore[arg-type]
