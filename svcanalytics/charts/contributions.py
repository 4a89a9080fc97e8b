"""Why an index moved: a waterfall from one period to the next, one row per cause, with how sure each is.

Rows run from top to bottom, so that names have room on a phone; the axis need not begin at 0, since what is read are
differences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.rendering import load_altair
from svcanalytics.errors import CatalogueError

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_contributions"]

_STEP = 44
_BAR = 12
_WORDS = {
    "zh": {
        "key": "实心=确定；空心=可能是波动；细线=95%区间；灰色=非质量因素",
        "to": "～",
    },
    "en": {"key": "Filled: certain; hollow: may be noise; line: 95% interval; grey: not quality", "to": " to "},
}


def draw_contributions(
    frame: pd.DataFrame,
    *,
    language: str,
    before: tuple[str, float] | None = None,
    after: tuple[str, float] | None = None,
) -> altair.LayerChart:
    """Draw how contributions lead from one value of the index to another.

    Parameters
    ----------
    frame : DataFrame
        As `explain` or `top_contributions` returned it, or of one's own in the order to be drawn: ``label`` (else
        ``key`` is shown), ``contribution``, ``low``, ``high`` (points of the index), ``certain``, and
        optionally ``neutral`` (true for what is no change of quality, such as weights; drawn grey). The contributions
        add up to the difference of the two values.
    language : str
        "zh" or "en".
    before, after : tuple of str and float, optional
        Label and value of the index in the two periods; default: those the frame was explained for.

    Raises
    ------
    CatalogueError
        When the contributions don't add up to the difference, or nobody says between what.
    """
    told = frame.attrs
    if before is None or after is None:
        if not {"baseline", "before", "period", "after"} <= set(told):
            raise CatalogueError(
                "nothing says between which values of the index", where="chart", fix="give before and after"
            )
        before = before or (told["baseline"], told["before"])
        after = after or (told["period"], told["after"])
    if "label" not in frame:
        frame = frame.assign(label=frame["key"])
    if "neutral" not in frame and "source" in frame:
        frame = frame.assign(neutral=frame["source"].isin(["weights", "missing"]))
    gap = before[1] + float(frame["contribution"].sum()) - after[1]
    if abs(gap) > 1e-6:
        raise CatalogueError(
            f"the contributions miss the difference of the two values by {-gap:.3g}",
            where="chart",
            fix="draw all lines of one explanation",
        )
    alt = load_altair()
    words = _WORDS[language]
    records = _records(frame, before, after, words)
    places = [
        record[name] for record in records for name in ("start", "end", "low", "high") if record[name] is not None
    ]
    room = max((max(places) - min(places)) * 0.04, 0.05)
    scale = alt.Scale(domain=[min(places) - room, max(places) + room], nice=False)
    axis = alt.Axis(orient="top", title=None, grid=False, tickCount=5, domain=False, labelPadding=2)
    base = alt.Chart(alt.Data(values=records)).encode(y=alt.Y("row:O", sort=None).axis(None))
    colour = {"color": alt.Color("colour:N", scale=None, legend=None)}
    bars = base.transform_filter("datum.kind == 'part'")
    totals = base.transform_filter("datum.kind == 'total'")
    x, x2 = alt.X("start:Q", scale=scale, axis=axis), alt.X2("end:Q")
    fill = {
        "fill": alt.Fill("fill:N", scale=None, legend=None),
        "stroke": alt.Stroke("colour:N", scale=None, legend=None),
    }
    layers = [
        base.mark_rule(yOffset=9, color="#D9DCE0").encode(x=alt.value(0), x2=alt.value("width")),
        *(
            base.transform_filter("datum.row > 0")
            .mark_rule(color=theme.GREY, yOffset=top, y2Offset=foot)
            .encode(x=alt.X("start:Q", scale=scale), y2=alt.Y2("row:O"))
            for top, foot in ((9 + _BAR / 2 - _STEP, 24 - _STEP), (-1, 9 - _BAR / 2))  # above and below the words
        ),
        bars.mark_bar(yOffset=9, height=_BAR, strokeWidth=1.2).encode(x=x, x2=x2, **fill),
        *(
            bars.transform_filter("datum.low != null")
            .mark_rule(yOffset=9, strokeWidth=width, color=ink)
            .encode(x=alt.X("low:Q"), x2="high:Q")
            for width, ink in ((4, "white"), (1.5, theme.INK))  # seen on a bar too
        ),
        totals.mark_point(yOffset=9, size=110, filled=True, opacity=1, shape="diamond").encode(x=x, **colour),
        base.mark_text(dy=-11, align="left", baseline="middle", fontSize=13, limit=0.66 * theme.WIDTH).encode(
            x=alt.value(0), text="label:N"
        ),
        base.mark_text(dy=-11, align="right", baseline="middle", fontSize=12).encode(
            x=alt.value("width"), text="text:N", color=alt.Color("text_colour:N", scale=None, legend=None)
        ),
    ]
    return alt.layer(*layers).properties(
        width=theme.WIDTH - 20,
        height={"step": _STEP},
        title=write_key(words["key"]),
    )


def _records(
    frame: pd.DataFrame, before: tuple[str, float], after: tuple[str, float], words: dict[str, str]
) -> list[dict[str, Any]]:
    place = float(before[1])
    records = [_total(*before)]
    for row in frame.to_dict("records"):
        change = float(row["contribution"])
        low, high = (None if row[name] != row[name] else place + float(row[name]) for name in ("low", "high"))
        neutral = bool(row.get("neutral", False))
        colour = theme.GREY if neutral else theme.MAIN if change >= 0 else theme.SECOND
        interval = "" if low is None or high is None else f" ({_signed(row['low'])}{words['to']}{_signed(row['high'])})"
        records.append(
            {
                "kind": "part",
                "label": str(row["label"]),
                "text": f"{_signed(change)}{interval}",
                "start": place,
                "end": place + change,
                "low": low,
                "high": high,
                "colour": colour,
                "fill": colour if row["certain"] else "white",
                "text_colour": theme.INK if row["certain"] else theme.GREY,
            }
        )
        place += change
    records.append(_total(*after))
    return [record | {"row": row} for row, record in enumerate(records)]


def _total(label: str, value: float) -> dict[str, Any]:
    point = {"kind": "total", "label": label, "text": f"{value:.1f}", "start": float(value), "end": float(value)}
    return point | {"low": None, "high": None, "colour": theme.INK, "fill": theme.INK, "text_colour": theme.INK}


def _signed(value: float) -> str:
    text = f"{abs(value):.1f}"
    return text if text == "0.0" else ("+" if value > 0 else "−") + text
