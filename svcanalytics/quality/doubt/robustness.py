"""What the index owes to the way it was built: variance shared out over the choices made and the sampling error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.aggregation import combine, share
from svcanalytics.quality.cells import Cells, read_cells
from svcanalytics.quality.doubt.curves import centre, draw_scores, read_errors, value_curves
from svcanalytics.quality.doubt.dependence import Dependence
from svcanalytics.quality.doubt.methods import score_values
from svcanalytics.quality.doubt.variance import VarianceShares, variance_shares
from svcanalytics.quality.doubt.weightdraws import draw_ratios
from svcanalytics.quality.index import score
from svcanalytics.quality.profiles import Profile

__all__ = ["sensitivity"]

_REPLICATES = 256
"""Weights and sampling errors drawn beforehand, of which a point of the design picks one."""

_AT_ONCE = 64
_CHOICES = ("normalisation", "aggregation", "missing", "weights", "metric", "sampling")


def sensitivity(
    measures: pd.DataFrame,
    profile: Profile,
    period: str,
    *,
    normalisations: Sequence[str] = ("goalposts", "min_max", "rank"),
    powers: Sequence[float] = (1.0, 0.5, 0.0),
    missing: Sequence[str] = ("share", "average"),
    weight_spread: float | pd.DataFrame | None = 100.0,
    leave_out: bool = True,
    dependence: Dependence | None = None,
    weights: pd.DataFrame | pd.Series | None = None,
    samples: int = 1024,
    seed: int = 0,
) -> pd.DataFrame:
    """Share the variance of index and ranks out over the choices made and the sampling error.

    Each choice is drawn at random among what could as well have been chosen, all at once, on a scrambled Sobol design.
    ``first`` is the share of the variance that goes when the choice is settled first (Saltelli et al. 2010, table 2,
    estimator b), ``total`` the share that stays when it alone is left open (Jansen 1999); where they differ the choice
    matters through others. Choices with a single option are left out.

    Parameters
    ----------
    measures, profile, dependence, weights
        As for `propagate`.
    period : str
        The period whose units are looked at. Normalisations by rank or range use all periods of the measures.
    normalisations : sequence of str
        As for `Method`.
    powers : sequence of float
        Of the mean of families and that of metrics within one.
    missing : sequence of {"share", "average"}
        What is done about a missing measure: ``share`` gives its weight to the rest of the family, as `score` does;
        ``average`` takes the mean score of the period's other units.
    weight_spread : float, DataFrame or None
        As for `propagate`; None takes weights as sure.
    leave_out : bool
        Whether any one metric might as well not have been in the index.
    samples, seed : int
        As for `variance_shares`.

    Returns
    -------
    DataFrame
        output ("index": its score; "ranks": the mean absolute shift of ranks against the first option of every choice,
        with two units or more), unit ("" for all units, weighed by their variance, and for ranks), choice
        (normalisation, aggregation, missing, weights, metric, sampling), first, first_error, total, total_error
        (standard errors of the estimates).

    Raises
    ------
    CatalogueError
        When the period is not there, or a choice or setting is unknown.
    """
    if unknown := [rule for rule in missing if rule not in ("share", "average")]:
        raise CatalogueError(f"there is no rule {unknown[0]!r}", where="missing", fix="use share, average")
    result = score(measures, profile, weights=weights)
    cells = read_cells(measures, profile)
    names = [m.metric for m in profile.metrics]
    given = result.weights["weight"].to_numpy(dtype="float64").reshape(cells.score.shape)
    base = share(~np.isnan(cells.score), given, profile)
    rows = np.flatnonzero((cells.rows["period"] == period) & ~np.isnan(base.between).any(axis=-1))
    if not len(rows):
        raise CatalogueError("no unit has an index", where=f"period {period}", fix="name a period of the measures")
    rng = np.random.default_rng([seed, 1])
    scores = _replicates(measures, cells, rows, profile, normalisations, dependence, rng)
    ratios = draw_ratios(given, weight_spread, names, _REPLICATES, rng)
    sure = np.array_equal(scores, np.broadcast_to(scores[:, :1], scores.shape), equal_nan=True)
    options = {
        "normalisation": len(normalisations),
        "aggregation": len(powers),
        "missing": len(missing) if np.isnan(cells.value[rows]).any() else 1,
        "weights": 1 if ratios is None else 1 + _REPLICATES,
        "metric": 1 + len(names) if leave_out else 1,
        "sampling": 1 if sure else 1 + _REPLICATES,
    }
    model = _Model(
        profile=replace(profile, min_coverage=0.0, min_family_coverage=0.0),
        units=cells.rows["unit"].to_numpy(dtype=object)[rows],
        options={name: count for name, count in options.items() if count > 1},
        scores=scores,
        given=given[rows],
        ratios=np.ones((1, len(names))) if ratios is None else np.vstack([np.ones(len(names)), ratios]),
        powers=tuple(powers),
        missing=tuple(missing),
        counted=base.scored[rows] @ base.member.T > 0,
    )
    if not model.options:
        raise CatalogueError("nothing is left open: every choice has one option", fix="give more options")
    nominal = model.index({name: np.zeros(1, dtype="int64") for name in _CHOICES})
    ranks = _ranked(nominal)

    def outputs(x: NDArray[np.float64]) -> NDArray[np.float64]:
        options = zip(x, model.options.items(), strict=True)
        index = model.index({name: np.minimum((u * n).astype("int64"), n - 1) for u, (name, n) in options})
        return np.vstack([index.T, np.abs(_ranked(index) - ranks).mean(axis=1)])

    return _table(model, variance_shares(outputs, len(model.options), samples, seed))


@dataclass(frozen=True)
class _Model:
    """The index of the units of one period as a function of the choices.

    Attributes
    ----------
    options : dict of str to int
        Choices that are open, and how many options each has.
    scores : numpy.ndarray, shape (normalisations, 1 + replicates, units, metrics)
        The first replicate is the measures themselves.
    ratios : numpy.ndarray, shape (1 + replicates, metrics)
        Of weights; the first is 1.
    """

    profile: Profile
    units: NDArray[np.object_]
    options: dict[str, int]
    scores: NDArray[np.float32]
    given: NDArray[np.float64]
    ratios: NDArray[np.float64]
    powers: tuple[float, ...]
    missing: tuple[str, ...]
    counted: NDArray[np.bool_]

    def index(self, chosen: dict[str, NDArray[np.int64]]) -> NDArray[np.float64]:
        """Return the index, shape (points, units), for numbers of options by choice, each of shape (points,)."""
        count = len(next(iter(chosen.values())))
        own = {name: chosen.get(name, np.zeros(count, dtype="int64")) for name in _CHOICES}
        out = np.empty((count, len(self.units)))
        for power, exponent in enumerate(self.powers):
            profile = replace(self.profile, power=exponent, power_within=exponent)
            at = np.flatnonzero(own["aggregation"] == power)
            for points in np.array_split(at, len(at) // _AT_ONCE + 1):
                out[points] = self._built(profile, {name: numbers[points] for name, numbers in own.items()})
        return out

    def _built(self, profile: Profile, own: dict[str, NDArray[np.int64]]) -> NDArray[np.float64]:
        scores = self.scores[own["normalisation"], own["sampling"]].astype("float64")
        if "average" in self.missing:
            filled = np.array([rule == "average" for rule in self.missing])[own["missing"]]
            with np.errstate(invalid="ignore"):
                there = ~np.isnan(scores)
                mean = np.nan_to_num(scores).sum(axis=1, keepdims=True) / there.sum(axis=1, keepdims=True)
            scores = np.where(filled[:, None, None] & ~there, mean, scores)
        out = np.arange(1, scores.shape[-1] + 1) == own["metric"][:, None]
        there = ~np.isnan(scores) & ~out[:, None, :] & self.counted
        given = self.given * self.ratios[own["weights"]][:, None, :]
        return combine(scores, share(there, given, profile), profile).index.clip(0, 100)


def _replicates(
    measures: pd.DataFrame,
    cells: Cells,
    rows: NDArray[np.int64],
    profile: Profile,
    normalisations: Sequence[str],
    dependence: Dependence | None,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return scores of some of the rows as they are, and with sampling errors drawn, under every normalisation."""
    names = [m.metric for m in profile.metrics]
    errors = read_errors(measures, cells, names)
    correlation, factors = (dependence or Dependence.none(names)).matrices(names)
    normals = rng.standard_normal((len(rows), len(names), _REPLICATES), dtype="float32")
    normals = np.matmul(np.linalg.cholesky(correlation).astype("float32"), normals)
    values = np.moveaxis(value_curves(errors.at(rows), factors), -1, 1)
    scores = np.empty((len(normalisations), 1 + _REPLICATES, len(rows), len(names)), dtype="float32")
    for number, name in enumerate(normalisations):
        own, curves = (score_values(v, errors.value, profile, name) for v in (errors.value[rows], values))
        curves = centre(np.moveaxis(curves, 1, -1), own).astype("float32")
        scores[number, 0], scores[number, 1:] = own, draw_scores(curves, normals).transpose(2, 0, 1)
    return scores


def _ranked(index: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    return rankdata(-index, axis=-1)


def _table(model: _Model, found: VarianceShares) -> pd.DataFrame:
    units = list(model.units)
    parts = [found.pooled(slice(0, len(units))), *(found.pooled(slice(at, at + 1)) for at in range(len(units) + 1))]
    labels = [("index", ""), *(("index", unit) for unit in units), ("ranks", "")]
    if len(units) == 1:  # all units are that one, and it has no rank
        parts, labels = parts[:1], labels[:1]
    tables = [
        pd.DataFrame({"output": output, "unit": unit, "choice": list(model.options)} | part)
        for (output, unit), part in zip(labels, parts, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)
