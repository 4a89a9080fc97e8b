"""Which segments went worse from one time to another, beyond what they already were: one cause after another.

`segments` holds leaves of all dimensions against what dimensions said one by one. Cases with a dozen dimensions that
overlap (category, subcategory, team) have leaves of one case each, and what they say one by one counts twice. Here each
segment is held against itself: its cases now against its cases before, both less what a model of all dimensions
together expects, so that neither a standing interaction nor another mix of cases looks like a change.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.ranking.effects import fit_effects, learn_strengths
from svcanalytics.causes.ranking.layout import Layout
from svcanalytics.causes.ranking.sizing import size_excess

__all__ = ["Contrast", "Scan", "contrast"]

Array = NDArray[np.float64]

_ONSETS = (0.0, 1 / 6, 1 / 3, 1 / 2)  # parts of the period that may have passed before a cause set in
_CLOSEST = 60  # segments whose onset is looked for
_MOST_CAUSES = 12
_WEEKS = 13  # parts of a period that may have luck of their own; weeks of a quarter
_PLAIN_WEEKS = 4  # how many parts without any such luck are believed in beforehand
_FEW_SEGMENTS = 20
_SET_ASIDE = 2
# A part of a segment is the cause when it lies in it, holds most of the excess, and nothing is left beside it.
_INSIDE, _MOST_OF, _NOTHING_LEFT, _CLEARLY = 0.9, 0.7, 1.5, 3.5
_ALSO = 2.0  # standard errors by which the rest of a shorter segment went worse too, and at least half as much
_Z = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Contrast:
    """One segment that went worse.

    Attributes
    ----------
    where : str
        The segment, "channel=app&team=B"; "" is all rows.
    rows : numpy.ndarray of bool, shape ``(rows,)``
        Those that lie in it.
    counted : numpy.ndarray of bool, shape ``(rows,)``
        Those of them now from when on it was worse.
    excess, low, high : float
        What went wrong beyond the expected, with its 95 % interval: of all days from which on it may have been worse
        (`size_excess`), without regard to the choice of the segment.
    z, p_value : float
        Standardised excess; its probability by chance, corrected for all segments looked at.
    left : numpy.ndarray, shape ``(rows,)``
        What came beyond the expected, row by row, its own past included (normal scores of what is no share).
    others : tuple of str
        Other segments that hold much the same of the excess.
    """

    where: str
    rows: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    excess: float
    low: float
    high: float
    z: float
    p_value: float
    left: Array
    others: tuple[str, ...]


def contrast(
    layout: Layout,
    bad: Array,
    order: Array,
    known: Sequence[NDArray[np.bool_]] = (),
    *,
    least: int = 20,
    level: float = 0.2,
) -> list[Contrast]:
    """Find the segments that went worse, the least likely by chance first.

    Of every row the part is taken away that a model with an effect of every value of every dimension, fitted to the
    rows before, expects (ridge regression by backfitting; Buja, Hastie and Tibshirani 1989). A segment's excess is what
    is left now, less what was left before in proportion. Effects and segments' pasts are shrunk as the variance between
    values says (empirical Bayes; DerSimonian and Laird 1986, eq. 8), so that a value never seen before is held against
    all others with the doubt that belongs to it. Shares are compared on the scale of the arcsine (Anscombe 1948),
    other numbers by their normal scores (van der Waerden 1952). P-values are widened by how much segments vary anyway
    and by how much a segment's own weeks do, and corrected for the number of segments of each size and the days from
    which on they may have gone worse. The least likely is taken for a cause, its excess becomes expected, and the scan
    begins again while what it finds has a p-value below `level`.

    Without rows before, all is held against the mean of all rows.

    Parameters
    ----------
    layout : Layout
    bad : numpy.ndarray, shape ``(rows,)``
        0 and 1, or other numbers; more is worse.
    order : numpy.ndarray, shape ``(rows,)``
        When each row came, as a part of the period (0-1); of rows before it doesn't matter.
    known : sequence of numpy.ndarray of bool, shape ``(rows,)``
        Rows that are known to have gone worse by another cause; that much is expected of them.
    least : int
        Fewest rows that a cause is made of.
    level : float
        Corrected p-value at which it stops.

    Returns
    -------
    list of Contrast
    """
    return Scan(layout, bad, order, least=least).causes(known, level=level)


class Scan:
    """A metric's rows ready to be scanned, as often as asked; `contrast` says how, and what the parameters are."""

    def __init__(self, layout: Layout, bad: Array, order: Array, *, least: int = 20) -> None:
        self.layout, self.bad, self.order, self.least = layout, bad, order, least
        self.now = layout.now
        self.earlier = bool((~self.now).any())
        self.rate = bool(np.isin(bad, (0.0, 1.0)).all())
        self.score = bad if self.rate else _normal_scores(bad)
        self.strengths = learn_strengths(self.score, self.now, layout.values)
        # What a combination had of its own is told by no single dimension.
        pooled = np.append(self.strengths, np.median(self.strengths))
        self.strength = pooled[layout.dimension]
        self.expected = fit_effects(self.score, self.now, layout.values, self.strengths)
        self.raw = self.expected if self.rate else fit_effects(bad, self.now, layout.values, self.strengths)
        self.n = np.asarray(layout.inside.sum(axis=1)).ravel()
        self.n_before = np.asarray(layout.inside_before.sum(axis=1)).ravel()
        self.came = layout.inside @ bad[self.now].astype("float64")
        # Causes are looked for among the rows now: what was left before stays as it is.
        self.left_before = layout.inside_before @ (self.score - self.expected)[~self.now]
        self.noise_before = layout.inside_before @ self._noise()[~self.now] if self.rate else np.zeros(len(self.n))
        self.inflation = 1.0
        self.inflation = self._spread()

    def causes(self, known: Sequence[NDArray[np.bool_]] = (), *, level: float = 0.2) -> list[Contrast]:
        """Return what went worse, with what is known taken for granted; as `contrast`."""
        scan = copy(self)  # whose expectations are replaced, never written into
        for rows in known:
            scan.take(rows & self.now)
        found: list[Contrast] = []
        while len(found) < _MOST_CAUSES:
            each = scan.strongest(level)
            if each is None or each.p_value >= level or each.excess <= 0 or any(f.where == each.where for f in found):
                break
            found.append(each)
            scan.expect(each)
        return found

    def _spread(self) -> float:
        # Segments vary from one time to the next by more than chance; the middle half says by how much, when what
        # stands out most no longer stands in it.
        # Without a time before, differences that always were are what is asked for.
        if len(self.n) < _FEW_SEGMENTS or not self.earlier:
            return 1.0
        expected = self.expected
        for _ in range(_SET_ASIDE):
            z = self._z_of_all()
            rows = self.layout.rows(int(z.argmax())) & self.now
            self.expected = self.expected + np.where(rows, (self.score - self.expected)[rows].mean(), 0.0)
        low, high = np.quantile(self._z_of_all()[:-1], [0.25, 0.75])
        self.expected = expected
        return max(1.0, float(high - low) / 1.349)

    def _noise(self) -> Array:
        if not self.rate:
            return np.full(len(self.bad), max(float((self.score - self.expected).var()), 1e-12))
        p = np.clip(self.expected, 1e-4, 1 - 1e-4)
        return p * (1 - p)

    def _past(self, noise: Array) -> tuple[Array, Array]:
        """Return of every segment what was left before, per row, shrunk, and the variance of that."""
        if not self.earlier:
            # Held against a mean that its own rows are part of.
            return np.zeros(len(self.n)), np.zeros(len(self.n))
        noises = self.noise_before if self.rate else self.n_before * noise[0]
        whole = self.n_before + self.strength
        return self.left_before / whole, (noises + self.strength * noise[~self.now].mean()) / whole**2

    def _z_of_all(self) -> Array:
        left, noise = self.score - self.expected, self._noise()
        past, doubt = self._past(noise)
        noises = self.layout.inside @ noise[self.now] if self.rate else self.n * noise[0]
        return self._z(self.n, self.layout.inside @ left[self.now] - self.n * past, noises, doubt, self.came)

    def _z(self, n: Array, excess: Array, own: Array, doubt: Array, came: Array) -> Array:
        whole = own + n**2 * doubt if self.earlier else own * np.maximum(1 - n / self.n[-1], 1e-9)
        if not self.rate:
            return excess / np.sqrt(np.maximum(whole, 1e-12))
        rates = [np.clip((x + 0.375) / (n + 0.75), 0, 1) for x in (came, np.clip(came - excess, 0, n))]
        angle = np.arcsin(np.sqrt(rates[0])) - np.arcsin(np.sqrt(rates[1]))
        # Rows of different rates vary less than their mean says: hence own against n p (1 - p).
        plain = n * rates[1] * (1 - rates[1])
        return 2 * np.sqrt(n + 0.5) * angle * np.sqrt(plain / np.maximum(plain - own + whole, 1e-12))

    def strongest(self, level: float = 1.0) -> Contrast | None:
        """Return the segment that is least likely by chance, with when it set in; None if none is below a level."""
        z = self._z_of_all() / self.inflation
        rank = _log_tail(z) + np.log(self.layout.tests)
        # All rows are a cause only where no part of them stands out more.
        if len(z) > 1 and z[-1] < z[:-1].max():
            rank[-1] = np.inf
        closest = np.lexsort((np.arange(len(z)), np.round(rank, 9)))[:_CLOSEST]
        closest = closest[np.isfinite(rank[closest])]
        left, noise = self.score - self.expected, self._noise()
        past, doubt = self._past(noise)
        onsets = np.array(_ONSETS if self.earlier else (0.0,))
        n, sure = self._by_onset(closest, onsets, left, noise, past, doubt)
        tests = np.log(self.layout.tests[closest] * len(onsets))
        log_p = np.where(n >= self.least, _log_tail(sure) + tests[:, None], np.inf)
        if not log_p.size or _probability(float(log_p.min())) >= level:
            return None
        best, chosen = np.inf, None
        place = np.flatnonzero(self.now)
        for number, segment in enumerate(closest):
            for onset in np.flatnonzero(log_p[number] < best - 1e-9):
                rows = place[self._inside(segment)]
                after = rows[self.order[rows] >= onsets[onset]] if onsets[onset] else rows
                lucky = float(sure[number, onset]) / self._luck(segment, after, left - past[segment], noise)
                if (told := float(_log_tail(lucky)) + tests[number]) < best - 1e-9:
                    best, chosen = told, (segment, after, lucky)
        if chosen is None:
            return None
        segment, after, lucky = chosen
        segment, after = self._renamed(segment, after, left, noise, past)
        return self._contrast(segment, after, lucky, _probability(best), past, z)

    def _by_onset(
        self, segments: NDArray[np.int64], onsets: Array, left: Array, noise: Array, past: Array, doubt: Array
    ) -> tuple[Array, Array]:
        """Return rows and standardised excess of segments from each onset on, shape ``(segments, onsets)`` both."""
        part, order = self.layout.inside[segments], self.order[self.now]
        later = [(order >= onset) if onset else np.ones(len(order), dtype=bool) for onset in onsets]
        columns = np.ones(len(order)), left[self.now], noise[self.now], self.bad[self.now]
        n, summed, noises, came = (np.column_stack([part @ (column * since) for since in later]) for column in columns)
        excess = summed - n * past[segments, None]
        with np.errstate(divide="ignore", invalid="ignore"):  # a segment without rows since then
            return n, self._z(n, excess, noises, doubt[segments, None], came) / self.inflation

    def _inside(self, segment: int) -> NDArray[np.int64]:
        # Which of the rows now lie in a segment.
        inside = self.layout.inside
        return inside.indices[inside.indptr[segment] : inside.indptr[segment + 1]]

    def _renamed(
        self, segment: int, after: NDArray[np.int64], left: Array, noise: Array, past: Array
    ) -> tuple[int, NDArray[np.int64]]:
        """Return a segment that names the same excess better, with its rows.

        A shorter one, when what it holds beside went worse too; else a part that holds nearly all of the excess, though
        it may be surer of the whole: what is new, such as a version, has no past to be sure of.
        """
        if not self.earlier:
            return segment, after
        onset = self.order[after].min()
        since = self.order[self.now] >= onset
        inside = np.zeros(len(since))
        inside[np.searchsorted(np.flatnonzero(self.now), after)] = 1.0
        # Rows, what is left and noise of every segment, and of what it shares with this one.
        columns = np.ones(len(since)), left[self.now], noise[self.now]
        of_all, common = (
            np.column_stack([self.layout.inside @ (column * those) for column in columns]) for those in (since, inside)
        )
        n, mine = len(after), left[after].sum() - len(after) * past[segment]

        beside = of_all - common
        worse = beside[:, 1] - beside[:, 0] * past
        wider = (self.layout.sizes < self.layout.sizes[segment]) & (common[:, 0] >= n) & (self.layout.sizes > 0)
        wider &= (worse > _ALSO * np.sqrt(np.maximum(beside[:, 2], 1e-12))) & (2 * worse * n > mine * beside[:, 0])
        if wider.any():
            return self._since(int(np.argmax(np.where(wider, worse, -np.inf))), onset)

        excess, rest = common[:, 1] - common[:, 0] * past, n - common[:, 0]
        other, noises = mine - excess, np.maximum(noise[after].sum() - common[:, 2], 1e-12)
        split = (excess / np.maximum(common[:, 0], 1) - other / np.maximum(rest, 1)) / np.sqrt(
            common[:, 2] / np.maximum(common[:, 0], 1) ** 2 + noises / np.maximum(rest, 1) ** 2
        )
        fits = (common[:, 0] >= np.maximum(_INSIDE * of_all[:, 0], self.least)) & (rest >= self.least)
        fits &= (excess >= _MOST_OF * mine) & (np.abs(other) < _NOTHING_LEFT * np.sqrt(noises)) & (split > _CLEARLY)
        if fits.any():
            return self._since(int(np.argmax(np.where(fits, split, -np.inf))), onset)
        return segment, after

    def _since(self, segment: int, onset: float) -> tuple[int, NDArray[np.int64]]:
        rows = np.flatnonzero(self.now)[self._inside(segment)]
        return segment, rows[self.order[rows] >= onset]

    def _luck(self, segment: int, after: NDArray[np.int64], left: Array, noise: Array) -> float:
        # How much more than by chance a segment's weeks usually differ: they may be lucky or unlucky together. What is
        # new has no other weeks than those in question.
        if not self.earlier:
            return 1.0
        rows = np.flatnonzero(~self.now)[self.layout.inside_before[[segment]].indices]
        rows = rows if len(rows) >= self.least else after
        week = np.floor(self.order[rows] * _WEEKS).astype(np.int64)
        week -= week.min()
        sums, chance = (np.bincount(week, part[rows]) for part in (left - left[rows].mean(), noise))
        ratios = sums[chance > 0] ** 2 / chance[chance > 0]
        return float(np.sqrt(max((ratios.sum() + _PLAIN_WEEKS) / (len(ratios) - 1 + _PLAIN_WEEKS), 1.0)))

    def _contrast(
        self, segment: int, after: NDArray[np.int64], z: float, p_value: float, past: Array, all_z: Array
    ) -> Contrast:
        counted = np.zeros(len(self.bad), dtype=bool)
        counted[after] = True
        rows = self.layout.rows(segment)
        left, then, here = self.bad - self.raw, rows & ~self.now, rows & self.now
        usual = doubt = 0.0
        if self.earlier:
            whole = then.sum() + self.strength[segment]
            own = then.sum() * self.bad[then].var() if then.any() else 0.0
            usual = float(left[then].sum() / whole)
            doubt = float(own + self.strength[segment] * self.bad[~self.now].var()) / whole**2
        luck = self._luck(segment, after, self.score - self.expected - past[segment], self._noise())
        order = self.order[here] if self.earlier else np.zeros(here.sum())
        excess, error = size_excess(
            order, left[here], self.bad[here], usual, doubt, widen=self.inflation * luck, least=self.least
        )
        wide = _Z * error
        return Contrast(
            self.layout.names[segment], rows, counted, excess, excess - wide, excess + wide, z, p_value,
            self.score - self.expected - past[segment], self._others(segment, counted, all_z),
        )  # fmt: skip

    def _others(self, segment: int, counted: NDArray[np.bool_], z: Array) -> tuple[str, ...]:
        # Segments that are nearly as striking and hold mostly the same rows.
        shared = self.layout.inside @ counted[self.now].astype("float64")
        near = [s for s in np.argsort(-z, kind="stable")[:20] if s != segment]
        alike = [s for s in near if shared[s] > 0.5 * max(self.n[s], self.n[segment])]
        return tuple(self.layout.names[s] for s in alike[:3])

    def take(self, rows: NDArray[np.bool_]) -> None:
        """Take what these rows came to, more or less, for granted."""
        if rows.any():
            self.expected = self.expected + np.where(rows, (self.score - self.expected)[rows].mean(), 0.0)
            self.raw = self.expected if self.rate else self.raw + np.where(rows, (self.bad - self.raw)[rows].mean(), 0)

    def expect(self, found: Contrast) -> None:
        """Take a cause's excess for granted from now on."""
        moved = found.left[found.counted].mean()
        self.expected = self.expected + np.where(found.counted, moved, 0.0)
        if self.rate:
            self.raw = self.expected
        else:
            self.raw = self.raw + np.where(found.counted, found.excess / found.counted.sum(), 0.0)


def _probability(log_p: float) -> float:
    # Of the least of so many p-values, from the logarithm of the p-value times their number.
    return float(-np.expm1(-np.exp(min(log_p, 50.0))))


def _log_tail(z: Array | float) -> Array:
    from scipy.special import log_ndtr

    return log_ndtr(-z)


def _normal_scores(values: Array) -> Array:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return ndtri(rankdata(values) / (len(values) + 1))
