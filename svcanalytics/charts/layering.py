"""Where the boxes and lines of a map of steps stand: layers from top to bottom, few crossings, lines around boxes.

The method is that of Sugiyama, Tagawa and Toda (1981), for the dozen boxes a reader can take in: links that go back are
turned, every box gets the layer of its longest way from the top, links over several layers get a stop on each, and the
order in the layers is improved by the mean place of the neighbours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Layout", "lay_out_links"]

_SWEEPS, _SETTLING = 24, 150

Link = tuple[str, str]
Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Places in units of layers: x from left to right, y the layer from 0 at the top.

    Attributes
    ----------
    boxes : dict of str to (float, float)
        Centre of each box.
    lines : dict of (str, str) to tuple of (float, float)
        The points of each link from its source to its target; those that go back are led the same way, upwards.
    width, layers : int
        Places in the widest layer, and layers.
    back : frozenset of (str, str)
        Links that go up.
    """

    boxes: dict[str, Point]
    lines: dict[Link, tuple[Point, ...]]
    width: float
    layers: int
    back: frozenset[Link]


def lay_out_links(boxes: Sequence[str], links: Mapping[Link, float], room: float = 0.35, abreast: int = 4) -> Layout:
    """Lay out boxes and the links between them.

    Parameters
    ----------
    boxes : sequence of str
        Names, those that usually come first in front.
    links : mapping of (str, str) to float
        Weight of each link between two different boxes; heavy ones go down and straight where they can.
    room : float
        Room that a line takes in a layer it passes, as a share of a box's.
    abreast : int
        Most boxes in a layer; more go further down.
    """
    rank = {name: place for place, name in enumerate(_in_order(boxes, links))}
    back = frozenset(link for link in links if rank[link[0]] > rank[link[1]])
    down = {(link[::-1] if link in back else link): 0.0 for link in links}
    for link, weight in links.items():
        down[link[::-1] if link in back else link] += weight
    layer = _layers(sorted(boxes, key=rank.__getitem__), down, abreast)
    chains = {link: _chain(link, layer) for link in down}
    place = _arrange(boxes, layer, chains, down, room)
    lines = {}
    for link in links:
        chain = chains[link[::-1] if link in back else link]
        points = tuple((place[stop], float(stop[1])) for stop in chain)
        lines[link] = points[::-1] if link in back else points
    wide = max(place.values(), default=0.0) - min(place.values(), default=0.0) + 1
    centres = {name: (place[(name, layer[name])], float(layer[name])) for name in boxes}
    return Layout(centres, lines, wide, max(layer.values(), default=0) + 1, back)


def _in_order(boxes: Sequence[str], links: Mapping[Link, float]) -> list[str]:
    # Eades, Lin and Smyth (1993): ends to the back, beginnings to the front, else what gives most more than it gets.
    left, front, rear = list(boxes), [], []
    while left:
        gives = {name: sum(w for (a, b), w in links.items() if a == name and b in left and b != name) for name in left}
        gets = {name: sum(w for (a, b), w in links.items() if b == name and a in left and a != name) for name in left}
        if ends := [name for name in left if not gives[name]]:
            rear.insert(0, ends[-1])
            left.remove(ends[-1])
            continue
        first = next((name for name in left if not gets[name]), None)
        chosen = first or max(left, key=lambda name: (gives[name] - gets[name], -left.index(name)))
        front.append(chosen)
        left.remove(chosen)
    return front + rear


def _layers(order: Sequence[str], down: Mapping[Link, float], abreast: int) -> dict[str, int]:
    layer: dict[str, int] = {}
    for name in order:
        depth = max((layer[a] + 1 for a, b in down if b == name), default=0)
        while sum(other == depth for other in layer.values()) >= abreast:
            depth += 1
        layer[name] = depth
    return layer


def _chain(link: Link, layer: Mapping[str, int]) -> list[tuple[object, int]]:
    source, target = link
    stops = [(link, depth) for depth in range(layer[source] + 1, layer[target])]
    return [(source, layer[source]), *stops, (target, layer[target])]


def _arrange(
    boxes: Sequence[str],
    layer: Mapping[str, int],
    chains: Mapping[Link, Sequence[tuple[object, int]]],
    down: Mapping[Link, float],
    room: float,
) -> dict[tuple[object, int], float]:
    rows: dict[int, list[tuple[object, int]]] = defaultdict(list)
    for name in boxes:
        rows[layer[name]].append((name, layer[name]))
    near: dict[tuple[object, int], list[tuple[tuple[object, int], float]]] = defaultdict(list)
    for link, chain in chains.items():
        for stop in chain[1:-1]:
            rows[stop[1]].append(stop)
        for upper, lower in pairwise(chain):
            near[upper].append((lower, down[link]))
            near[lower].append((upper, down[link]))
    best = {depth: list(row) for depth, row in rows.items()}
    fewest = _crossings(best, near)
    for sweep in range(_SWEEPS):
        depths = sorted(rows, reverse=bool(sweep % 2))
        for depth in depths[1:]:
            other = depths[depths.index(depth) - 1]
            at = {stop: place for place, stop in enumerate(rows[other])}
            rows[depth].sort(key=lambda stop, at=at, row=tuple(rows[depth]): _mean(stop, at, near, row.index(stop)))
        crossings = _crossings(rows, near)
        if crossings < fewest:
            fewest, best = crossings, {depth: list(row) for depth, row in rows.items()}
    return _spread(best, near, room)


def _mean(stop: tuple[object, int], at: Mapping, near: Mapping, own: int) -> float:
    found = [(at[other], weight) for other, weight in near[stop] if other in at]
    return sum(p * w for p, w in found) / sum(w for _, w in found) if found else float(own)


def _crossings(rows: Mapping[int, Sequence], near: Mapping) -> float:
    total = 0.0
    for depth in sorted(rows)[:-1]:
        below = {stop: place for place, stop in enumerate(rows[depth + 1])}
        ends = [
            (place, below[other], weight)
            for place, stop in enumerate(rows[depth])
            for other, weight in near[stop]
            if other in below
        ]
        for number, (a, b, w) in enumerate(ends):
            total += sum(min(w, v) ** 0.5 for c, d, v in ends[number + 1 :] if (a - c) * (b - d) < 0)
    return total


def _spread(rows: Mapping[int, Sequence], near: Mapping, room: float) -> dict[tuple[object, int], float]:
    """Give every stop a place: links as short as order and room allow, the heavy ones first of all."""
    half = {stop: 0.5 if isinstance(stop[0], str) else room / 2 for row in rows.values() for stop in row}
    weight = {stop: sum(w for _, w in near[stop]) or 1.0 for stop in half}
    place: dict[tuple[object, int], float] = dict.fromkeys(half, 0.0)
    for sweep in range(_SETTLING):
        for depth in sorted(rows, reverse=bool(sweep % 2)):
            wanted = {stop: _mean(stop, place, near, 0) for stop in rows[depth]}
            place.update(_settle(rows[depth], wanted, weight, half))
    low = min((place[stop] - half[stop] for stop in place), default=0.0)
    return {stop: at - low - 0.5 for stop, at in place.items()}


def _settle(row: Sequence, wanted: Mapping, weight: Mapping, half: Mapping) -> dict:
    """Return the places nearest to those wanted, by weighted squares, that keep order and room.

    Less the room before each stop this is a monotone regression: neighbours that would overlap go to their common mean
    (Ayer et al. 1955).
    """
    before, reach = {}, 0.0
    for stop in row:
        before[stop] = reach + half[stop]
        reach += 2 * half[stop]
    blocks: list[tuple[float, float, list]] = []
    for stop in row:
        mean, total, members = wanted[stop] - before[stop], weight[stop], [stop]
        while blocks and blocks[-1][0] >= mean:
            other, sum_, earlier = blocks.pop()
            mean = (mean * total + other * sum_) / (total + sum_)
            total, members = total + sum_, [*earlier, *members]
        blocks.append((mean, total, members))
    return {stop: mean + before[stop] for mean, _, members in blocks for stop in members}
