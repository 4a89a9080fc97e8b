"""The map of a process: which step follows which, how often (width) and after how long a wait (colour)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import atan2, degrees
from typing import TYPE_CHECKING, Any

from svcanalytics.charts import theme
from svcanalytics.charts.axes import text_width
from svcanalytics.charts.captions import write_key
from svcanalytics.charts.durations import WAITS, duration_text, wait_class
from svcanalytics.charts.layering import Layout, Link, Point, lay_out_links
from svcanalytics.charts.rendering import load_altair

if TYPE_CHECKING:
    import altair
    import pandas as pd

__all__ = ["draw_process_map"]

_START, _END = "\x00start", "\x00end"
_BOX, _GAP, _HEIGHT, _STEP = 148.0, 34.0, 44.0, 124.0
_WIDEST = 860.0
_MARGIN = 14.0
_THIN, _THICK = 1.2, 9.0
_PIECES = 10  # straight pieces that a bend is drawn with
_APART = 12.0  # pixels between a link and the one that goes back
_PORT = 22.0  # most pixels between the ends of links at a box
_RARE = 0.005  # of the most frequent link, below which a link is only drawn where a box has no other
_COVER = 0.995  # share of all steps taken that the boxes shown hold, when there are many kinds
_TRIES = (0.5, 0.38, 0.62, 0.26, 0.74, 0.16, 0.84)
_QUIET = "#C9CED3"
_WORDS = {
    "en": {
        "start": "Start",
        "end": "End",
        "cases": "{n} cases",
        "again": "{n} + {again} again",
        "key": "On a line: how often one step follows another (width) · the usual (median) wait before it (colour).",
        "shown": "Shown: {share} of all steps taken, {steps} of {all} kinds of steps.",
    },
    "zh": {
        "start": "开始",
        "end": "结束",
        "cases": "{n}件",
        "again": "{n}次（重复{again}）",
        "key": "线上数字：前后相接的次数（线宽）· 到下一步通常（中位数）的等待时间（颜色）。",
        "shown": "图中含全部流转的{share}，{all}种步骤中的{steps}种。",
    },
}


def draw_process_map(
    activities: pd.DataFrame, transitions: pd.DataFrame, *, language: str, boxes: int = 10, links: int = 22
) -> altair.LayerChart:
    """Draw the map of a process, its most frequent ways only when there are many.

    Parameters
    ----------
    activities : DataFrame
        One row per activity: ``activity``, ``n`` (times done), ``starts``, ``ends`` (cases that begin and end with it).
    transitions : DataFrame
        One row per pair that followed one another: ``source``, ``target``, ``n``, ``median_s`` (usual wait, seconds).
    language : str
        "zh" or "en".
    boxes, links : int
        Most steps, and about how many links; every step keeps its main way in and out.
    """
    words = _WORDS[language]
    ranked = activities.sort_values(["n", "activity"], ascending=[False, True])
    enough = int((ranked["n"].cumsum() < _COVER * ranked["n"].sum()).sum()) + 1
    shown = ranked.head(min(boxes, enough))
    counts, waits, again = _counts(shown, transitions)
    kept = _main(counts, links)
    order = [_START, *shown.sort_values(["starts", "n"], ascending=False)["activity"], _END]
    layout = lay_out_links([name for name in order if any(name in link for link in kept)], kept)
    unit = min(_BOX + _GAP, (_WIDEST - 2 * _MARGIN + _GAP) / max(layout.width, 1))
    place = _Places(layout, unit, min(_BOX, unit - 24))
    told = {name: _box_text(name, shown, again, words, place.box) for name in layout.boxes}
    n_all, n_shown = transitions["n"].sum(), sum(n for link, n in counts.items() if link in waits and link in kept)
    n_shown += sum(again.values())
    share = f"{n_shown / n_all:.0%}" if n_all else "100%"
    foot = [words["key"], words["shown"].format(share=share, steps=len(shown), all=len(activities))]
    return _chart(place, kept, waits, told, foot, language)


class _Places:
    """Pixels of boxes and lines."""

    def __init__(self, layout: Layout, unit: float, box: float) -> None:
        self.layout, self.box = layout, box
        self.width = layout.width * unit - unit + box + 2 * _MARGIN
        self.height = (layout.layers - 1) * _STEP + _HEIGHT + 2 * _MARGIN
        self._unit = unit
        self._ports = self._find_ports()

    def at(self, point: Point) -> Point:
        """Return the pixel of a place, counted from the top left."""
        return _MARGIN + self.box / 2 + point[0] * self._unit, _MARGIN + _HEIGHT / 2 + point[1] * _STEP

    def line(self, link: Link) -> list[Point]:
        """Return the points of a link: it leaves and reaches boxes upright, and bends softly past its stops."""
        up = link in self.layout.back
        way = [self.at(point) for point in self.layout.lines[link]]
        aside = 0.0 if link[::-1] not in self.layout.lines else _APART / 2 if up else -_APART / 2
        half = _HEIGHT / 2 * (-1 if up else 1)
        out, into = self._ports[(link, 0)], self._ports[(link, 1)]
        stops = [(x + aside, y) for x, y in way[1:-1]]
        way = [(way[0][0] + out, way[0][1] + half), *stops, (way[-1][0] + into, way[-1][1] - half - (-4 if up else 4))]
        return _bend(way)

    def _find_ports(self) -> dict[tuple[Link, int], float]:
        """Return how far from the middle of its box each end of a link stands, so that ends don't pile up."""
        ends: dict[tuple[str, bool], list[tuple[float, bool, Link, int]]] = {}
        for link, way in self.layout.lines.items():
            up = link in self.layout.back
            ends.setdefault((link[0], not up), []).append((way[1][0], up, link, 0))
            ends.setdefault((link[1], up), []).append((way[-2][0], up, link, 1))
        ports = {}
        for row in ends.values():
            space = min(_PORT, 0.8 * self.box / len(row))
            for number, (_, _, link, end) in enumerate(sorted(row)):
                ports[(link, end)] = (number - (len(row) - 1) / 2) * space
        return ports


def _bend(way: Sequence[Point]) -> list[Point]:
    """Lead a smooth line through points that go up or down: cubic pieces, upright at both ends."""
    slopes = [0.0, *((c[0] - a[0]) / (c[1] - a[1]) for a, _, c in zip(way, way[1:], way[2:], strict=False)), 0.0]
    out = [way[0]]
    for ((x0, y0), (x1, y1)), (m0, m1) in zip(pairwise(way), pairwise(slopes), strict=True):
        for piece in range(1, _PIECES + 1):
            t = piece / _PIECES
            x = (2 * t**3 - 3 * t**2 + 1) * x0 + (3 * t**2 - 2 * t**3) * x1
            x += (y1 - y0) * ((t**3 - 2 * t**2 + t) * m0 + (t**3 - t**2) * m1)
            out.append((x, y0 + (y1 - y0) * t))
    return out


def _counts(
    shown: pd.DataFrame, transitions: pd.DataFrame
) -> tuple[dict[Link, float], dict[Link, float], dict[str, int]]:
    names = set(shown["activity"])
    counts: dict[Link, float] = {}
    waits: dict[Link, float] = {}
    again: dict[str, int] = {}
    for source, target, n, median in transitions[["source", "target", "n", "median_s"]].itertuples(index=False):
        if source == target and source in names:
            again[source] = int(n)
        elif source in names and target in names:
            counts[(source, target)], waits[(source, target)] = float(n), float(median)
    for name, starts, ends in shown[["activity", "starts", "ends"]].itertuples(index=False):
        if starts:
            counts[(_START, name)] = float(starts)
        if ends:
            counts[(name, _END)] = float(ends)
    return counts, waits, again


def _main(counts: dict[Link, float], most: int) -> dict[Link, float]:
    """Keep every box's main link in and out, then the most frequent ones."""
    ranked = sorted(counts, key=lambda link: (-counts[link], link))
    kept: dict[Link, float] = {}
    for end in (0, 1):
        for name in {link[end] for link in ranked}:
            best = next(link for link in ranked if link[end] == name)
            kept[best] = counts[best]
    for link in ranked:
        if len(kept) >= most or counts[link] < _RARE * counts[ranked[0]]:
            break
        kept[link] = counts[link]
    return {link: counts[link] for link in ranked if link in kept}


def _box_text(
    name: str, shown: pd.DataFrame, again: dict[str, int], words: dict[str, str], room: float
) -> tuple[list[str], str]:
    if name in (_START, _END):
        total = int(shown["starts" if name == _START else "ends"].sum())
        return [words["start" if name == _START else "end"]], words["cases"].format(n=f"{total:,}")
    n = int(shown.loc[shown["activity"] == name, "n"].iloc[0])
    count = f"{n:,}"
    if name in again:
        count = words["again"].format(n=f"{n - again[name]:,}", again=f"{again[name]:,}")
    return _wrap(name, room - 10), count


def _wrap(text: str, room: float) -> list[str]:
    """Break a name into two lines at most, the second cut short where it is too long."""
    lines, rest = [], text
    while rest and len(lines) < 2:
        fits = len(rest)
        while fits > 1 and text_width(rest[:fits], 12) > room:
            fits -= 1
        if fits < len(rest):
            space = rest.rfind(" ", 1, fits + 1)
            fits = space if space > 0 else fits
        lines.append(rest[:fits].strip())
        rest = rest[fits:].strip()
    if rest:
        lines[-1] = lines[-1][:-1] + "…"
    return lines


def _chart(
    place: _Places,
    kept: dict[Link, float],
    waits: dict[Link, float],
    told: dict[str, tuple[list[str], str]],
    foot: Sequence[str],
    language: str,
) -> altair.LayerChart:
    alt = load_altair()
    classes = [text[language] for _, text, _ in WAITS]
    across = alt.Scale(domain=[0, place.width], nice=False)
    down = alt.Scale(domain=[0, place.height], nice=False, reverse=True)
    x, y = alt.X("x:Q", scale=across, axis=None), alt.Y("y:Q", scale=down, axis=None)
    present = {wait_class(waits[link]) for link in kept if link in waits}
    shades = alt.Scale(domain=[*classes, ""], range=[*(shade for _, _, shade in WAITS), _QUIET])
    legend = alt.Legend(
        values=[classes[number] for number in sorted(present)], symbolType="stroke", symbolStrokeWidth=4
    )
    colour = alt.Color("wait:N", scale=shades, legend=legend, title=None)
    lines, heads, labels = _marks(place, kept, waits, language)
    thick = alt.Size("thick:Q", scale=None, legend=None)
    boxes = list(_boxes(place, told))
    names = [row | {"text": text, "y": y_} for row in boxes for text, y_ in row["lines"]]
    layers = [
        alt.Chart(alt.Data(values=lines))
        .mark_trail(opacity=0.9)
        .encode(x=x, y=y, detail="link:N", order="order:Q", size=thick, color=colour),
        alt.Chart(alt.Data(values=heads))
        .mark_point(shape="triangle-up", filled=True, opacity=1)
        .encode(
            x=x,
            y=y,
            angle=alt.Angle("angle:Q", scale=None),
            size=alt.Size("size:Q", scale=None, legend=None),
            color=colour,
        ),
        alt.Chart(alt.Data(values=boxes))
        .mark_rect(cornerRadius=6, fill="white", stroke=theme.GREY, strokeWidth=1.2)
        .encode(
            x=alt.X("left:Q", scale=across, axis=None),
            x2="right:Q",
            y=alt.Y("top:Q", scale=down, axis=None),
            y2="bottom:Q",
        ),
        alt.Chart(alt.Data(values=names))
        .mark_text(fontSize=12, fontWeight="bold", baseline="middle")
        .encode(x=x, y=y, text="text:N"),
        alt.Chart(alt.Data(values=boxes))
        .mark_text(fontSize=11, color=theme.GREY, baseline="middle")
        .encode(x=x, y=alt.Y("count_y:Q", scale=down, axis=None), text="count:N"),
        alt.Chart(alt.Data(values=labels))
        .mark_text(fontSize=11, baseline="middle", stroke="white", strokeWidth=4, strokeJoin="round")
        .encode(x=x, y=y, text="text:N"),
        alt.Chart(alt.Data(values=labels)).mark_text(fontSize=11, baseline="middle").encode(x=x, y=y, text="text:N"),
    ]
    return alt.layer(*layers).properties(
        width=place.width,
        height=place.height,
        title=write_key(list(foot)),
    )


def _marks(
    place: _Places, kept: dict[Link, float], waits: dict[Link, float], language: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    lines, heads, labels = [], [], []
    taken = [_around(x, y, place.box, _HEIGHT) for x, y in map(place.at, place.layout.boxes.values())]
    most = max(kept.values(), default=1.0)
    ways = {link: place.line(link) for link in kept}
    for number, (link, n) in enumerate(kept.items()):
        way = ways[link]
        others = [point for other, its in ways.items() if other != link for point in its]
        known = link in waits
        wait = WAITS[wait_class(waits[link])][1][language] if known else ""
        thick = _THIN + (_THICK - _THIN) * (n / most) ** 0.5
        lines += [
            {"link": number, "order": order, "x": px, "y": py, "thick": thick, "wait": wait}
            for order, (px, py) in enumerate(way)
        ]
        (ax, ay), (bx, by) = way[-2], way[-1]
        heads.append(
            {"x": bx, "y": by, "angle": degrees(atan2(by - ay, bx - ax)) + 90, "size": 40 + 22 * thick, "wait": wait}
        )
        text = f"{int(n):,} · {duration_text(waits[link], language)}" if known else f"{int(n):,}"
        wide = text_width(text, 11)
        # Of two that run side by side, each has its numbers on its own side.
        aside = 0.0 if link[::-1] not in kept else (wide / 2 + 4) * (1 if link in place.layout.back else -1)
        spot = _free([(px + aside, py) for px, py in way], wide, taken, others) or _free(way, wide, taken, others)
        if spot:
            taken.append(_around(*spot, wide, 13))
            labels.append({"x": spot[0], "y": spot[1], "text": text})
    return lines, heads, labels


def _free(
    way: Sequence[Point], wide: float, taken: Sequence[tuple[float, float, float, float]], others: Sequence[Point]
) -> Point | None:
    """Return where on its line a text covers no box and no other text, and as little of other lines as can be."""
    best, least = None, float("inf")
    for share in _TRIES:
        x, y = way[round(share * (len(way) - 1))]
        left, top, right, bottom = _around(x, y, wide, 13)
        if any(right >= a and left <= c and bottom >= b and top <= d for a, b, c, d in taken):
            continue
        crossed = sum(left < px < right and top - 4 < py < bottom + 4 for px, py in others)
        if crossed < least:
            best, least = (x, y), crossed
    return best


def _around(x: float, y: float, wide: float, high: float) -> tuple[float, float, float, float]:
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _boxes(place: _Places, told: dict[str, tuple[list[str], str]]) -> Iterator[dict[str, Any]]:
    for name, point in place.layout.boxes.items():
        x, y = place.at(point)
        left, top, right, bottom = _around(x, y, place.box, _HEIGHT)
        lines, count = told[name]
        first = y - 7 if len(lines) == 1 else y - 13
        yield {
            "x": x,
            "left": left,
            "right": right,
            "top": top,
            "bottom": bottom,
            "lines": [(text, first + 13 * number) for number, text in enumerate(lines)],
            "count": count,
            "count_y": y + (10 if len(lines) == 1 else 14),
        }
