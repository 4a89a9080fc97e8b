"""Which segments went worse from one time to another, beyond what they already were: one cause after another.

`segments` holds leaves of all dimensions against what dimensions said one by one. Cases with a dozen dimensions that
overlap (category, subcategory, team) have leaves of one case each, and what they say one by one counts twice. Here each
segment is held against itself: its cases now against its cases before, both less what a model of all dimensions
together expects, so that neither a standing interaction nor another mix of cases looks like a change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.cube import Cube, build

__all__ = ["Contrast", "Frame", "contrast", "lay_out"]

Array = NDArray[np.float64]

_WEIGHTS = (0.05, 0.45, 0.30, 0.20)  # share of the error that segments of 0, 1, 2, 3 dimensions may make
_STRENGTH = 20.0  # rows that what is expected of all weighs against a segment's own past
_SWEEPS = 6
_CELLS = 4_000_000  # rows x combinations up to which the third dimension is looked at
_SAME = 0.9  # a segment that holds this share of a shorter one is another name for it
_MOST_CAUSES = 12
_Z = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Frame:
    """Rows laid out for a scan: the cube of all, and which segments are looked at.

    Attributes
    ----------
    cube : Cube
        Of all rows, now and before.
    now : numpy.ndarray of bool, shape ``(rows,)``
    n, before : numpy.ndarray, shape ``(segments + 1,)``
        Rows now and before of each segment; the last is all rows.
    looked_at : numpy.ndarray of int, shape ``(candidates,)``
    tests : numpy.ndarray, shape ``(candidates,)``
        By how much a p-value of each is multiplied: the segments of its depth over their share of the error.
    """

    cube: Cube
    now: NDArray[np.bool_]
    n: Array
    before: Array
    looked_at: NDArray[np.int64]
    tests: Array

    def total(self, quantity: Array) -> Array:
        """Return the sum of a quantity over every segment, and over all rows."""
        return np.append(self.cube.total(quantity), quantity.sum())

    def inside(self, segment: int) -> NDArray[np.bool_]:
        """Return which rows lie in a segment."""
        if segment == len(self.cube.first):
            return np.ones(len(self.now), dtype=bool)
        return self.cube.place[self._row(segment)] == segment

    def name(self, segment: int) -> str:
        """Return a segment as ``channel=app&team=B``; all rows are ""."""
        return "" if segment == len(self.cube.first) else self.cube.name(segment)

    def _row(self, segment: int) -> int:
        return int(np.searchsorted(self.cube.place.max(axis=1), segment))


@dataclass(frozen=True, eq=False)
class Contrast:
    """One segment that went worse.

    Attributes
    ----------
    segment : int
    where : str
    n : int
        Rows in it now.
    excess, low, high : float
        What went wrong beyond the expected, with its 95 % interval (without regard to the choice of the segment).
    z, p_value : float
        Standardised excess; its probability by chance, corrected for all segments looked at.
    standing : float
        How many standard errors it had been worse than the whole before; NaN without a baseline.
    others : tuple of str
        Other segments that hold much the same of the excess.
    inside : numpy.ndarray of bool, shape ``(rows,)``
    left : numpy.ndarray, shape ``(rows,)``
        What came beyond the expected, row by row (normal scores of what is no share).
    """

    segment: int
    where: str
    n: int
    excess: float
    low: float
    high: float
    z: float
    p_value: float
    standing: float
    others: tuple[str, ...]
    inside: NDArray[np.bool_]
    left: Array


def lay_out(rows: pd.DataFrame, by: list[str], least: int) -> Frame:
    """Lay rows out for `contrast`; metrics with the same rows share it.

    Parameters
    ----------
    rows : DataFrame
        With ``period`` and the dimensions.
    by : list of str
        Dimensions.
    least : int
        Smallest number of rows now that a segment is looked at with.
    """
    depth = 3
    while depth > 1 and len(rows) * _combinations(len(by), depth) > _CELLS:
        depth -= 1
    cube = build(rows, by, depth)
    now = (rows["period"] == "now").to_numpy()
    n = np.append(cube.total(now.astype("float64")), now.sum())
    before = np.append(cube.total((~now).astype("float64")), (~now).sum())
    size = np.array([*(len(each) for each in cube.dimensions), 0])
    looked_at = np.flatnonzero((n >= least) & ~_renamed(cube, n))
    counts = np.bincount(size[looked_at], minlength=4)
    tests = counts[size[looked_at]] / np.array(_WEIGHTS)[size[looked_at]]
    return Frame(cube, now, n, before, looked_at, tests)


def contrast(frame: Frame, bad: Array, *, level: float = 0.2) -> list[Contrast]:
    """Find the segments that went worse, the least likely by chance first.

    Of every row the part is taken away that a model with an effect of every value of every dimension, fitted to the
    rows before, expects (ridge regression by backfitting; Buja, Hastie and Tibshirani 1989). A segment's excess is what
    is left now, less what was left before in proportion, the past shrunk as if `_STRENGTH` more rows had been as
    expected. Shares are compared on the scale of the arcsine (Anscombe 1948), other numbers by their normal scores
    (van der Waerden 1952). P-values are widened by how much segments vary anyway, and corrected for the number of
    segments looked at, depth by depth. The least likely is taken for a cause, its excess becomes expected, and the scan
    begins again while what it finds has a p-value below `level`.

    Without rows before, all is held against the mean of all rows.

    Parameters
    ----------
    frame : Frame
    bad : numpy.ndarray, shape ``(rows,)``
        0 and 1, or other numbers; more is worse.
    level : float
        Corrected p-value at which it stops.

    Returns
    -------
    list of Contrast
    """
    rate = bool(np.isin(bad, (0.0, 1.0)).all())
    scan = _Scan(frame, bad, rate)
    found: list[Contrast] = []
    while len(found) < _MOST_CAUSES:
        each = scan.strongest()
        if each is None or each.p_value >= level or each.excess <= 0 or any(f.where == each.where for f in found):
            break
        found.append(each)
        scan.expect(each.segment)
    return found


class _Scan:
    """What is expected of every row, moved up with every cause found."""

    def __init__(self, frame: Frame, bad: Array, rate: bool) -> None:
        self.frame, self.bad, self.rate = frame, bad, rate
        self.earlier = bool((~frame.now).any())
        self.expected = _fit(frame, bad)
        if rate:
            self.score, self.moved = bad, self.expected.copy()
        else:
            self.score = _normal_scores(bad)
            self.moved = _fit(frame, self.score)
        self.noise = None if rate else _variance(self.score - self.moved, frame)
        self.raw_noise = None if rate else _variance(bad - self.expected, frame)
        self.inflation = 1.0
        self.inflation = self._spread()

    def _excess(self, values: Array, expected: Array) -> Array:
        now = self.frame.now
        left = values - expected
        ratio = self.frame.n / (self.frame.before + _STRENGTH)
        return self.frame.total(np.where(now, left, 0.0)) - (
            ratio * self.frame.total(np.where(now, 0.0, left)) if self.earlier else 0.0
        )

    def _variance(self, each: Array) -> tuple[Array, Array]:
        # Of the excess of every segment: its own rows now, and with those of its past.
        now = self.frame.now
        own = self.frame.total(np.where(now, each, 0.0))
        if not self.earlier:
            return own, own * np.maximum(1 - self.frame.n / max(now.sum(), 1), 1e-9)
        ratio = self.frame.n / (self.frame.before + _STRENGTH)
        return own, own + ratio**2 * (self.frame.total(np.where(now, 0.0, each)) + _STRENGTH * each.mean())

    def _z(self) -> Array:
        excess, n = self._excess(self.score, self.moved), self.frame.n
        if not self.rate:
            _, whole = self._variance(np.full(len(self.bad), self.noise))
            return excess / np.sqrt(np.maximum(whole, 1e-12))
        p = np.clip(self.moved, 1e-4, 1 - 1e-4)
        own, whole = self._variance(p * (1 - p))
        came = self.frame.total(np.where(self.frame.now, self.bad, 0.0))
        rates = [np.clip((x + 0.375) / (n + 0.75), 0, 1) for x in (came, np.clip(came - excess, 0, n))]
        angle = np.arcsin(np.sqrt(rates[0])) - np.arcsin(np.sqrt(rates[1]))
        # Rows of different rates vary less than their mean says: hence own against n p (1 - p).
        plain = n * rates[1] * (1 - rates[1])
        return 2 * np.sqrt(n + 0.5) * angle * np.sqrt(plain / np.maximum(plain - own + whole, 1e-12))

    def _spread(self) -> float:
        # Segments vary from one time to the next by more than chance; the middle half says by how much.
        z = self._z()[self.frame.looked_at]
        if len(z) < 20:
            return 1.0
        low, high = np.quantile(z, [0.25, 0.75])
        return max(1.0, float(high - low) / 1.349)

    def strongest(self) -> Contrast | None:
        from scipy.special import ndtr

        frame = self.frame
        if not len(frame.looked_at):
            return None
        z = self._z() / self.inflation
        chosen = z[frame.looked_at]
        with np.errstate(divide="ignore"):
            order = np.log(np.maximum(ndtr(-chosen), 1e-300)) + np.log(frame.tests)
        order = np.where(chosen > 35, -chosen, order)
        top = int(np.lexsort((frame.looked_at, np.round(order, 9)))[0])
        segment = int(frame.looked_at[top])
        p = float(-np.expm1(frame.tests[top] * np.log1p(-min(ndtr(-chosen[top]), 1 - 1e-16))))
        excess = self._excess(self.bad, self.expected)
        wide = _Z * self.inflation * np.sqrt(self._width(segment))
        return Contrast(
            segment,
            frame.name(segment),
            int(frame.n[segment]),
            float(excess[segment]),
            float(excess[segment] - wide),
            float(excess[segment] + wide),
            float(chosen[top]),
            p,
            self._standing(segment),
            self._others(segment, chosen),
            frame.inside(segment),
            self.score - self.moved,
        )

    def _width(self, segment: int) -> float:
        # Around what the segment became: its own variance now, and the doubt about its past.
        inside = self.frame.inside(segment)
        here, then = self.bad[inside & self.frame.now], self.bad[inside & ~self.frame.now]
        own = len(here) * here.var()
        if not self.earlier:
            return float(own)
        ratio = len(here) / (len(then) + _STRENGTH)
        typical = self.bad[~self.frame.now].var()
        return float(own + ratio**2 * (len(then) * then.var() if len(then) else 0.0) + ratio**2 * _STRENGTH * typical)

    def _standing(self, segment: int) -> float:
        before = self.bad[~self.frame.now]
        inside = self.bad[self.frame.inside(segment) & ~self.frame.now]
        if not len(inside) or len(inside) == len(before):
            return 0.0 if self.earlier else float("nan")
        return float((inside.mean() - before.mean()) / np.sqrt(max(before.var(), 1e-12) / len(inside)))

    def _others(self, segment: int, z: Array) -> tuple[str, ...]:
        # Segments that are nearly as striking and hold mostly the same rows.
        frame, inside = self.frame, self.frame.inside(segment) & self.frame.now
        near = frame.looked_at[np.argsort(-z, kind="stable")[:20]]
        shared = frame.total(inside.astype("float64"))
        alike = [s for s in near if s != segment and shared[s] > 0.5 * max(frame.n[s], frame.n[segment])]
        return tuple(frame.name(s) for s in alike[:3])

    def expect(self, segment: int) -> None:
        """Take a segment's excess for granted from now on."""
        rows = self.frame.inside(segment) & self.frame.now
        count = max(rows.sum(), 1)
        self.moved = self.moved + np.where(rows, self._excess(self.score, self.moved)[segment] / count, 0.0)
        if self.rate:
            self.expected = self.moved
        else:
            more = self._excess(self.bad, self.expected)[segment] / count
            self.expected = self.expected + np.where(rows, more, 0.0)


def _fit(frame: Frame, values: Array) -> Array:
    # An effect of every value of every dimension, learned from the rows before; none without such rows.
    from_rows = ~frame.now if (~frame.now).any() else None
    if from_rows is None:
        return np.full(len(values), values.mean())
    mean = values[from_rows].mean()
    fitted = np.full(len(values), mean)
    places = [frame.cube.place[d] - frame.cube.place[d].min() for d in range(len(frame.cube.by))]
    counts = [np.bincount(place[from_rows], minlength=place.max() + 1) for place in places]
    effects = [np.zeros(len(count)) for count in counts]
    for _ in range(_SWEEPS):
        for d, place in enumerate(places):
            fitted -= effects[d][place]
            sums = np.bincount(place[from_rows], (values - fitted)[from_rows], minlength=len(counts[d]))
            effects[d] = sums / (counts[d] + _STRENGTH)
            fitted += effects[d][place]
    low, high = values.min(), values.max()
    return np.clip(fitted, low, high)


def _variance(left: Array, frame: Frame) -> float:
    return max(float(left.var()), 1e-12)


def _normal_scores(values: Array) -> Array:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return ndtri(rankdata(values) / (len(values) + 1))


def _combinations(count: int, depth: int) -> int:
    from math import comb

    return sum(comb(count, d) for d in range(1, depth + 1))


def _renamed(cube: Cube, n: Array) -> NDArray[np.bool_]:
    # A segment that holds nearly all of a shorter one is only a longer name for it.
    place = {dimensions: number for number, dimensions in enumerate(dict.fromkeys(cube.dimensions))}
    depth_rows: dict[tuple[int, ...], list[int]] = {}
    for segment, dimensions in enumerate(cube.dimensions):
        depth_rows.setdefault(dimensions, []).append(segment)
    out = np.zeros(len(n), dtype=bool)
    for dimensions, members in depth_rows.items():
        chosen = np.array(members)
        rows = cube.first[chosen]
        shorter = [n[-1] * np.ones(len(chosen))]
        for left_out in dimensions if len(dimensions) > 1 else ():
            above = cube.place[place[tuple(d for d in dimensions if d != left_out)]]
            shorter.append(n[above[rows]])
        out[chosen] = (n[chosen][None, :] > _SAME * np.array(shorter)).any(axis=0)
    return out
