"""A joint band for the index: sampling error of measures, doubt about weights, choices of method, all in one draw."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.aggregation import Shares, combine, share
from svcanalytics.quality.cells import read_cells
from svcanalytics.quality.doubt.curves import Errors, centre, draw_scores, read_errors, value_curves
from svcanalytics.quality.doubt.dependence import Dependence
from svcanalytics.quality.doubt.methods import Method, score_values
from svcanalytics.quality.doubt.standing import draw_ranks, places, superiority
from svcanalytics.quality.doubt.weightdraws import draw_ratios
from svcanalytics.quality.index import IndexChange, score
from svcanalytics.quality.profiles import Profile

__all__ = ["Propagation", "propagate"]

_AT_ONCE = 16
"""Rows drawn at a time: a few megabytes, so that what was just drawn is still near when it is summed."""


@dataclass(frozen=True)
class Propagation:
    """What `propagate` returns.

    Attributes
    ----------
    scores : pandas.DataFrame
        unit, period, family ("" is the index itself), score (as `score` gives it), low, high (the band), std.
    ranks : pandas.DataFrame
        unit, period, score, rank (of the score; 1 is best, ties share the lower number), expected (mean rank), low,
        high (band of the rank), first (probability of rank 1). Units without a score are left out.
    draws : numpy.ndarray of float32, shape (rows, 1 + families, draws)
        The index and the families in each draw; rows as in `rows`. Draw i rests on the same weights and method in all
        rows.
    rows : pandas.DataFrame
        unit, period of each row of `draws`.
    families : tuple of str
        "" for the index, then the families, as in the second axis of `draws`.
    level : float
        Of every band.
    """

    scores: pd.DataFrame
    ranks: pd.DataFrame
    draws: NDArray[np.float32]
    rows: pd.DataFrame
    families: tuple[str, ...]
    level: float

    def change(self, period: str, baseline: str, unit: str = "", family: str = "") -> IndexChange:
        """Return the change of an index or family score from `baseline` to `period`, with its interval.

        Draws of two periods are independent but for weights and method, which are the same in both: what is in doubt
        about them moves both periods, and only its effect on the change counts.

        Raises
        ------
        CatalogueError
            When one of the two periods has no score.
        """
        s = self.scores
        found = [
            s.loc[(s["unit"] == unit) & (s["period"] == at) & (s["family"] == family), "score"]
            for at in (period, baseline)
        ]
        if any(each.empty or each.isna().any() for each in found):
            raise CatalogueError("no index could be given", where=f"{unit} {period} {baseline} {family}".strip())
        now, then = (self._of(at, family)[self._units(at) == unit][0] for at in (period, baseline))
        low, high = _band(now - then, self.level)
        return IndexChange(float(found[0].iloc[0] - found[1].iloc[0]), float(low), float(high))

    def places(self, period: str, family: str = "") -> pd.DataFrame:
        """Return the probability that a unit ranks among the first k: unit, k, probability; for every k."""
        units, drawn = self._scored(period, family)
        within = places(draw_ranks(drawn))
        count = len(units)
        return pd.DataFrame(
            {
                "unit": np.repeat(units, count),
                "k": np.tile(np.arange(1, count + 1), count),
                "probability": within.ravel(),
            }
        )

    def better(self, period: str, family: str = "") -> pd.DataFrame:
        """Return the probability that the unit of the row is better than that of the column, a tie counting half."""
        units, drawn = self._scored(period, family)
        return pd.DataFrame(superiority(drawn), index=pd.Index(units, name="unit"), columns=units)

    def _of(self, period: str, family: str) -> NDArray[np.float32]:
        if family not in self.families:
            raise CatalogueError(f"there is no family {family!r}", fix=f"use one of: {', '.join(self.families[1:])}")
        return self.draws[(self.rows["period"] == period).to_numpy(), self.families.index(family)]

    def _units(self, period: str) -> NDArray[np.object_]:
        return self.rows.loc[self.rows["period"] == period, "unit"].to_numpy(dtype=object)

    def _scored(self, period: str, family: str) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
        drawn = self._of(period, family)
        known = ~np.isnan(drawn).any(axis=1)
        if not known.any():
            raise CatalogueError("no unit has a score", where=period, fix="name a period of the measures")
        return self._units(period)[known], drawn[known]


def propagate(
    measures: pd.DataFrame,
    profile: Profile,
    *,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    dependence: Dependence | None = None,
    weights: pd.DataFrame | pd.Series | None = None,
    weight_spread: float | pd.DataFrame | None = None,
    methods: Sequence[Method] = (),
) -> Propagation:
    """Carry sampling error, doubt about weights and choices of method through to the index, the families and the ranks.

    Every draw is a world: one set of weights and one method for all units and periods, and for each measure a value it
    could have had. A rate is drawn along the ends of Wilson's interval, anything else along its own interval; each is
    scored, centred on its score, and brought together exactly as `score` does, missing measures included.

    Parameters
    ----------
    measures : pandas.DataFrame
        As for `score`; uses low, high, numerator and denominator.
    profile : Profile
        Metrics, weights, goalposts.
    draws : int
        Number of draws, at least 20. 1,000 give a 95 % band to about a twentieth of its width.
    seed : int
        The same seed gives the same draws. Those of a unit and period depend on the seed and their names alone.
    level : float
        Of the bands, above 0 and below 1.
    dependence : Dependence, optional
        How the errors of measures that rest on the same cases go together, from `estimate_dependence`; they are drawn
        with these correlations (a Gaussian copula) and over-dispersion. Default: independent.
    weights : pandas.DataFrame or Series, optional
        As for `score`.
    weight_spread : float or pandas.DataFrame, optional
        How sure the weights are. A number: they are drawn from a Dirichlet distribution around the given ones with this
        concentration c, so that a weight w has variance w (1 - w) / (c + 1): with 100, one of 20 % has a standard
        deviation of 4 points. A frame (metric, weight, low, high at 95 %, such as the table of learned weights): each
        is drawn with the spread of its interval. Default: as given.
    methods : sequence of Method, optional
        Ways to normalise and to average that could as well have been chosen; each gets the same number of draws.
        Default: the profile's own way.

    Returns
    -------
    Propagation

    Raises
    ------
    CatalogueError
        Before anything is drawn, when measures, weights, methods or settings don't fit.
    """
    from threadpoolctl import threadpool_limits

    if draws < 20:
        raise CatalogueError(f"{draws} draws are too few for a band", where="draws", fix="use 1,000, at least 20")
    if not 0 < level < 1:
        raise CatalogueError(f"the level {level:g} is not between 0 and 1", where="level", fix="use 0.9 or 0.95")
    result = score(measures, profile, weights=weights)
    cells = read_cells(measures, profile)
    if cells.rows.empty:
        raise CatalogueError(f"no metric of profile {profile.id} is among them", where="measures", fix="measure these")
    names = [m.metric for m in profile.metrics]
    given = result.weights["weight"].to_numpy(dtype="float64").reshape(cells.score.shape)
    correlation, factors = (dependence or Dependence.none(names)).matrices(names)
    plan = _Plan(
        profile=replace(profile, min_coverage=0.0, min_family_coverage=0.0),
        errors=read_errors(measures, cells, names),
        counted=share(~np.isnan(cells.score), given, profile),
        given=given,
        ratios=draw_ratios(given, weight_spread, names, draws, np.random.default_rng([seed, 0])),
        factors=factors,
        root=None if dependence is None else np.linalg.cholesky(correlation).astype("float32"),
        methods=tuple(methods) or (Method(),),
        draws=draws,
        seed=seed,
    )
    rows = cells.rows[["unit", "period"]]
    labels = [f"{unit}\0{period}" for unit, period in zip(rows["unit"], rows["period"], strict=True)]
    # The matrices are small: more threads than one would only wait for each other, most of all on a busy machine.
    with threadpool_limits(1):
        drawn = np.concatenate(
            [
                plan.draw(slice(first, first + _AT_ONCE), labels[first : first + _AT_ONCE])
                for first in range(0, len(labels), _AT_ONCE)
            ]
        )
    point = result.scores["score"].to_numpy(dtype="float64").reshape(drawn.shape[:2])
    drawn[np.isnan(point)] = np.nan  # a row without an index has none in any draw
    low, high = _band(drawn, level)
    scores = result.scores[["unit", "period", "family", "score"]].assign(
        low=np.minimum(low, point).ravel(),
        high=np.maximum(high, point).ravel(),
        std=drawn.std(axis=-1, dtype="float64").ravel(),
    )
    return Propagation(
        scores, _ranks(rows, point[:, 0], drawn[:, 0], level), drawn, rows, ("", *profile.families), level
    )


@dataclass(frozen=True)
class _Plan:
    """Everything a draw needs."""

    profile: Profile
    errors: Errors
    counted: Shares
    given: NDArray[np.float64]
    ratios: NDArray[np.float64] | None
    factors: NDArray[np.float64]
    root: NDArray[np.float32] | None
    methods: tuple[Method, ...]
    draws: int
    seed: int

    def draw(self, part: slice, labels: Sequence[str]) -> NDArray[np.float32]:
        """Return index and families, shape (rows, 1 + families, draws), of some of the rows."""
        errors, normals = self.errors.at(part), self._normals(labels)
        values = np.moveaxis(value_curves(errors, self.factors), -1, 1)
        # A family left out for lack of coverage stays out, whatever its drawn weights.
        counted = self.counted.scored[part] @ self.counted.member.T > 0
        out = np.empty((len(labels), 1 + len(self.profile.families), self.draws), dtype="float32")
        for number, method in enumerate(self.methods):
            block = slice(*(np.array([number, number + 1]) * self.draws // len(self.methods)))
            own = method.apply(self.profile)
            base, curves = (
                score_values(v, self.errors.value, own, method.normalisation) for v in (errors.value, values)
            )
            curves = centre(np.moveaxis(curves, 1, -1), base).astype("float32")
            scores = draw_scores(curves, normals[..., block]).transpose(2, 0, 1)
            given = self.given[part] if self.ratios is None else self.given[part] * self.ratios[block, None, :]
            drawn = combine(np.ascontiguousarray(scores), share(~np.isnan(base) & counted, given, own), own)
            out[:, 0, block], out[:, 1:, block] = drawn.index.T, drawn.families.transpose(1, 2, 0)
        return out.clip(0, 100)

    def _normals(self, labels: Sequence[str]) -> NDArray[np.float32]:
        drawn = np.empty((len(labels), self.given.shape[1], self.draws), dtype="float32")
        for row, label in enumerate(labels):
            rng = np.random.default_rng([self.seed, zlib.crc32(label.encode())])
            rng.standard_normal(dtype="float32", out=drawn[row])
        return drawn if self.root is None else np.matmul(self.root, drawn)


def _tails(level: float) -> tuple[float, float]:
    return (1 - level) / 2, (1 + level) / 2


def _band(drawn: NDArray[np.float32], level: float) -> NDArray[np.float64]:
    # Weibull's quantiles: one more draw would fall outside with probability 1 - level, however few there are.
    return np.quantile(drawn, _tails(level), axis=-1, method="weibull")


def _ranks(rows: pd.DataFrame, point: NDArray[np.float64], drawn: NDArray[np.float32], level: float) -> pd.DataFrame:
    parts = []
    for _, at in rows.groupby("period", sort=False).indices.items():
        known = at[~np.isnan(point[at])]
        ranks = draw_ranks(drawn[known])
        # A rank is a whole number, so the ends of its band are ranks that were drawn.
        low, high = np.quantile(ranks, _tails(level), axis=1, method="inverted_cdf")
        parts.append(
            rows.iloc[known].assign(
                score=point[known],
                rank=pd.Series(point[known]).rank(ascending=False, method="min").to_numpy(dtype="int64"),
                expected=ranks.mean(axis=1),
                low=low.astype("int64"),
                high=high.astype("int64"),
                first=(ranks == 1).mean(axis=1),
            )
        )
    return pd.concat(parts, ignore_index=True)
