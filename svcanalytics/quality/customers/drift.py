"""Weights that follow customers over the periods, as smoothly as the answers ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.customers.blocking import chosen_penalty, sure_gain, time_folds
from svcanalytics.quality.customers.evidence import Evidence, gather_evidence
from svcanalytics.quality.customers.shares import Moments, explained_shares, smooth_shares
from svcanalytics.quality.profiles import Profile

__all__ = ["WeightPath", "learn_by_period"]

Array = NDArray[np.float64]

SMOOTHNESS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Penalties tried on the change from period to period; beside them, no change at all."""

_PENALTIES = (0.01, 0.1, 1.0)


@dataclass(frozen=True)
class WeightPath:
    """What `learn_by_period` returns.

    Attributes
    ----------
    table : pandas.DataFrame
        period, metric, prior, weight (adds up to 1 in each period), low, high (95 %), answers (rows of the period).
    smoothness : float
        Chosen penalty on change; infinite when one set of weights predicts left-out times as well.
    moves : bool
        Whether weights differ between periods.
    """

    table: pd.DataFrame
    smoothness: float
    moves: bool

    def over(self, profile: Profile) -> pd.DataFrame:
        """Return period, metric and weight of all the profile's metrics, for `score` as its weights.

        Metrics learned share what they weigh together in the profile; the others keep their weight.

        Raises
        ------
        CatalogueError
            When a metric learned is not in the profile.
        """
        share = profile.shares
        learned = set(self.table["metric"])
        if learned - set(share):
            raise CatalogueError(
                f"metric {min(learned - set(share))!r} is not in the profile", where=f"profile {profile.id}"
            )
        mass = sum(share[name] for name in learned)
        rest = pd.DataFrame([(name, weight) for name, weight in share.items() if name not in learned])
        periods = self.table[["period"]].drop_duplicates()
        kept = periods.merge(rest.set_axis(["metric", "weight"], axis=1), how="cross") if len(rest) else None
        moved = self.table[["period", "metric"]].assign(weight=mass * self.table["weight"])
        return pd.concat([moved, kept], ignore_index=True)


def learn_by_period(
    frame: pd.DataFrame,
    outcome: str,
    metrics: Sequence[str],
    prior: Mapping[str, float] | Profile,
    *,
    period: str = "period",
    time: str = "start",
    better: Literal["up", "down"] = "up",
    answers: str | None = None,
    within: Sequence[str] = (),
    response: Sequence[str] = (),
    pins: Mapping[str, float] | None = None,
    replicates: int = 100,
    seed: int = 0,
) -> WeightPath:
    """Learn weights that may move from period to period, as `learn` does for all time.

    The change of the coefficients from one period to the next is penalised like their distance from the prior; how much
    is chosen by leaving out blocks of time. Unless moving weights predict these better than resting ones (one-sided
    90 %), those of `learn` hold throughout, learned within periods, since levels may drift: its own, or the prior's.

    Parameters
    ----------
    frame, outcome, metrics, prior, time, better, answers, within, response, pins
        As of `learn`.
    period : str
        Column that names each row's period; rows of one period follow each other in time.
    replicates, seed : int
        Of the intervals, at the penalties chosen.

    Returns
    -------
    WeightPath

    Raises
    ------
    CatalogueError
        As `learn`; when there are fewer than two periods, or periods overlap in time.
    """
    metrics = list(metrics)
    evidence = gather_evidence(
        frame,
        outcome,
        metrics,
        prior,
        time=time,
        better=better,
        answers=answers,
        within=within,
        response=response,
        pins=pins,
    )
    rows = frame.loc[frame[outcome].notna()]
    number, names = _numbered(rows, period, time)
    parts = [evidence.moments(number == each) for each in range(len(names))]
    whole = evidence.moments()
    penalty, smooth = _chosen_change(parts, evidence, chosen_penalty(whole, evidence.prior, evidence.basis))
    blocks = len(whole.weight)
    path = _path(parts, np.ones(blocks), evidence, penalty, smooth)
    rng = np.random.default_rng(seed)
    draws = [rng.multinomial(blocks, np.full(blocks, 1 / blocks)).astype(float) for _ in range(replicates)]
    drawn = [_path(parts, times, evidence, penalty, smooth) for times in draws]
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0) if drawn else np.full((2, *path.shape), np.nan)
    table = pd.DataFrame(
        {
            "period": np.repeat(names, len(metrics)),
            "metric": metrics * len(names),
            "prior": np.tile(evidence.prior, len(names)),
            "weight": path.ravel(),
            "low": np.fmin(low, path).ravel(),
            "high": np.fmax(high, path).ravel(),
            "answers": np.repeat(np.bincount(number), len(metrics)),
        }
    )
    return WeightPath(table, float(smooth), bool(np.isfinite(smooth)))


def _numbered(rows: pd.DataFrame, period: str, time: str) -> tuple[NDArray[np.int64], NDArray]:
    if period not in rows or rows[period].isna().any():
        what = "a period is missing" if period in rows else f"there is no column {period!r}"
        raise CatalogueError(what, where="learn_by_period", fix="name a column that gives each row's period")
    spans = rows.groupby(period)[time].agg(["min", "max"]).sort_values("min")
    if len(spans) < 2:
        raise CatalogueError("there is only one period", where=period, fix="use learn")
    if (spans["min"].to_numpy()[1:] <= spans["max"].to_numpy()[:-1]).any():
        raise CatalogueError("two periods overlap in time", where=period, fix="give each time to one period")
    return spans.index.get_indexer(rows[period]), spans.index.to_numpy()


def _chosen_change(parts: Sequence[Moments], evidence: Evidence, resting: float) -> tuple[float, float]:
    """Return the penalties that predict left-out folds best; infinite smoothness when resting weights do as well."""
    folds = time_folds(len(parts[0].weight))
    numbers = np.unique(folds)
    tried = [(resting, np.inf), *product(_PENALTIES, SMOOTHNESS)]
    losses = np.zeros((len(numbers), len(tried)))
    for row, number in enumerate(numbers):
        size, xx, xy, yy = _centred(parts, (folds == number).astype(float))
        inside = _centred(parts, (folds != number).astype(float))
        for column, (penalty, smooth) in enumerate(tried):
            b = _coefficients(*inside[:3], evidence, penalty, smooth)
            lost = yy - 2 * (xy * b).sum(axis=1) + np.einsum("ti,tij,tj->t", b, xx, b)
            losses[row, column] = size @ lost / size.sum()
    best = 1 + int(losses[:, 1:].mean(axis=0).argmin())
    return tried[best] if sure_gain(losses[:, 0] - losses[:, best]) else tried[0]


def _path(parts: Sequence[Moments], times: Array, evidence: Evidence, penalty: float, smooth: float) -> Array:
    """Return shares, periods x metrics."""
    size, xx, xy, _ = _centred(parts, times)
    found = _coefficients(size, xx, xy, evidence, penalty, smooth)
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.where(total > 0, total, 1.0), evidence.prior)


def _centred(parts: Sequence[Moments], times: Array) -> tuple[Array, Array, Array, Array]:
    """Return each period's size and its own covariances; a period without rows has none."""
    p = parts[0].x.shape[1]
    size = np.array([times @ part.weight for part in parts])
    xx, xy, yy = np.zeros((len(parts), p, p)), np.zeros((len(parts), p)), np.zeros(len(parts))
    for number in np.flatnonzero(size > 0):
        xx[number], xy[number], yy[number] = parts[number].centred(times)
    return size, xx, xy, yy


def _coefficients(size: Array, xx: Array, xy: Array, evidence: Evidence, penalty: float, smooth: float) -> Array:
    share = size / size.sum()
    if np.isfinite(smooth):
        return smooth_shares(xx, xy, share, evidence.prior, penalty, smooth, evidence.basis)
    still = explained_shares(np.tensordot(share, xx, axes=1), share @ xy, evidence.prior, penalty, evidence.basis)
    return np.tile(still, (len(size), 1))
