"""What is written around a plot: its key below, a name and a value above each of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair

__all__ = ["write_key", "write_row_heads"]


def write_key(text: str | list[str], offset: int = 6) -> altair.TitleParams:
    """Return the key of a picture as its title, below the plot: an axis title there would be the place of tick labels.

    Parameters
    ----------
    text : str or list of str
        One line, or several.
    offset : int
        Distance from the plot, in pixels.
    """
    return load_altair().TitleParams(
        text, orient="bottom", anchor="start", fontSize=11, fontWeight="normal", color=theme.GREY, offset=offset
    )


def write_row_heads(base: altair.Chart, room: float = 0.62, *, bold: bool = False) -> tuple[altair.Chart, altair.Chart]:
    """Return the texts above each row of a chart: what it is on the left, its value on the right.

    Parameters
    ----------
    base : altair.Chart
        With ``label`` and ``text`` in its data, and a row each on its y axis.
    room : float
        Share of the width that a name may take; what is longer is cut.
    bold : bool
        For rows that sum up the others.
    """
    alt = load_altair()
    weight: dict[str, Any] = {"fontWeight": "bold", "color": theme.INK} if bold else {}
    name = base.mark_text(dy=-11, align="left", baseline="middle", fontSize=13, limit=room * theme.WIDTH, **weight)
    value = base.mark_text(dy=-11, align="right", baseline="middle", fontSize=12, **(weight or {"color": theme.GREY}))
    return name.encode(x=alt.value(0), text="label:N"), value.encode(x=alt.value("width"), text="text:N")
