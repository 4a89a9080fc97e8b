"""What counts when: the weight of each family of the index over the days of a year, and the situations behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_weights"]

_BANDS = [theme.PALETTE[n] for n in (3, 1, 5, 2, 4)]  # neighbours that tell apart best when pale
_STEP, _FILL = 46, 0.55  # height of a row in pixels, and how much of it the greatest weight takes
_WORDS = {
    "zh": {"key": "高度=占指数的权重；右侧=全年范围", "months": "utcmonth(datum.value) + 1 + '月'"},
    "en": {"key": "Height: share of the index; right: range", "months": "utcFormat(datum.value, '%b')"},
}


def draw_weights(frame: pd.DataFrame, *, language: str, labels: Mapping[str, str] | None = None) -> altair.LayerChart:
    """Draw the weight of every family over time, one row each, over bands that show when a situation counts.

    Parameters
    ----------
    frame : DataFrame
        As ``quality.weights_over`` gives it by day, in order of time: ``start``, ``situation`` ("" for none),
        ``family``, ``weight`` (share of the index; a family's rows are added up).
    language : str
        "zh" or "en".
    labels : mapping of str to str, optional
        How families and situations are named to the reader, by id.
    """
    alt = load_altair()
    names = dict(labels or {})
    courses, rows = _courses(frame, names)
    spans, known = _spans(frame, names)
    x = alt.X("start:T").scale(type="utc", nice=False)
    months = alt.Axis(title=None, format="%b", tickCount="month", labelExpr=_WORDS[language]["months"], grid=False)
    y = alt.Y("top:Q").axis(None).scale(domain=[0, len(rows)], nice=False)
    course = alt.Chart(alt.Data(values=courses)).encode(x=x.axis(months), y=y, detail="row:O")
    row = alt.Chart(alt.Data(values=rows)).encode(y=alt.Y("top:Q"))
    layers = [
        course.mark_area(color=theme.MAIN, opacity=0.25).encode(y2="base:Q"),
        course.mark_line(color=theme.MAIN),
        row.mark_text(align="left", baseline="middle", fontSize=13).encode(x=alt.value(0), text="label:N"),
        row.mark_text(align="right", baseline="middle", fontSize=12, color=theme.GREY).encode(
            x=alt.value("width"), text="text:N"
        ),
    ]
    if spans:
        colours = alt.Scale(domain=known, range=[_BANDS[n % len(_BANDS)] for n in range(len(known))])
        band = alt.Chart(alt.Data(values=spans)).mark_rect(opacity=0.3)
        layers.insert(0, band.encode(x=x, x2="end:T", color=alt.Color("situation:N", sort=None, scale=colours)))
    return alt.layer(*layers).properties(
        width=theme.WIDTH - 20,
        height=_STEP * len(rows),
        title=write_key(_WORDS[language]["key"]),
    )


def _courses(frame: pd.DataFrame, names: Mapping[str, str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the points of every family's course, and each family's name and range, the first family uppermost."""
    weights = frame.groupby(["family", "start"], sort=False)["weight"].sum()
    families, most = list(dict.fromkeys(frame["family"])), float(weights.max())
    points, rows = [], []
    for place, family in enumerate(families):
        base = len(families) - 1 - place
        for start, weight in weights[family].items():
            top = base + _FILL * float(weight) / most
            points.append({"row": place, "start": f"{start:%Y-%m-%d}", "base": base, "top": round(top, 4)})
        low, high = (f"{value:.0%}" for value in (weights[family].min(), weights[family].max()))
        text = high if low == high else f"{low} – {high}"
        rows.append({"label": names.get(family, family), "text": text, "top": base + 0.8})
    return points, rows


def _spans(frame: pd.DataFrame, names: Mapping[str, str]) -> tuple[list[dict[str, str]], list[str]]:
    """Return from when to when which situation counts, and the situations by their first day."""
    days = frame.drop_duplicates("start")[["start", "situation"]].reset_index(drop=True)
    spans = []
    for _, run in days.groupby((days["situation"] != days["situation"].shift()).cumsum()):
        situation = run["situation"].iloc[0]
        if situation:
            last = days["start"].iloc[min(run.index[-1] + 1, len(days) - 1)]
            spans.append(
                {
                    "situation": names.get(situation, situation),
                    "start": f"{run['start'].iloc[0]:%Y-%m-%d}",
                    "end": f"{last:%Y-%m-%d}",
                }
            )
    return spans, list(dict.fromkeys(span["situation"] for span in spans))
