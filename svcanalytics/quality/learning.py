"""Weights learned from what customers say, held close to the expert's as long as the answers don't say otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.blocking import chosen_penalty, share_intervals, time_blocks, validated_later
from svcanalytics.quality.drivers import effective_importance
from svcanalytics.quality.profiles import Profile
from svcanalytics.quality.response import response_weights
from svcanalytics.quality.shares import explained_shares, moments_by_block, pinned_basis

__all__ = ["LearnedWeights", "learn", "prior_shares"]


@dataclass(frozen=True)
class LearnedWeights:
    """What `learn` returns.

    Attributes
    ----------
    table : pandas.DataFrame
        metric, prior, weight (each adds up to 1), low, high (what the answers alone allow, 95 %), importance (the
        metric's share of the index's variation: a metric that hardly varies moves nothing, whatever it weighs), pinned.
    validation : pandas.DataFrame
        index (learned, prior, difference), rank_correlation (Spearman, with the outcome, on blocks of time that lie
        after everything the weights were learned from), low, high, n.
    penalty : float
        Chosen penalty; infinite when the prior is kept.
    used : bool
        Whether learned weights predict left-out blocks of time better than the prior; if not, `weight` is the prior.
    surveyed : int
        Rows with an outcome.
    response_corrected : bool
        Whether answers were weighed by who answers.
    scale : float
        Change of the outcome when the index rises by 1.
    explained : float
        Share of the outcome's variance that the index explains, 0-1.
    """

    table: pd.DataFrame
    validation: pd.DataFrame
    penalty: float
    used: bool
    surveyed: int
    response_corrected: bool
    scale: float
    explained: float

    def into(self, profile: Profile) -> Profile:
        """Return the profile with these weights, for `score`.

        The metrics learned share what they weighed together before; metrics that were not part of it keep their weight
        in the index. Families' weights follow from their metrics'.

        Raises
        ------
        CatalogueError
            When a metric learned is not in the profile.
        """
        share = _global_shares(profile)
        learned = dict(zip(self.table["metric"], self.table["weight"], strict=True))
        strangers = [name for name in learned if name not in share]
        if strangers:
            raise CatalogueError(f"metric {strangers[0]!r} is not in the profile", where=f"profile {profile.id}")
        mass = sum(share[name] for name in learned)
        share |= {name: mass * weight for name, weight in learned.items()}
        families = {f: sum(share[m.metric] for m in profile.metrics if m.family == f) for f in profile.families}
        whole = sum(families.values())
        metrics = tuple(
            replace(m, weight=share[m.metric] / families[m.family]) if families[m.family] > 0 else m
            for m in profile.metrics
        )
        return replace(profile, families={f: w / whole for f, w in families.items()}, metrics=metrics)


def prior_shares(profile: Profile, metrics: Sequence[str]) -> dict[str, float]:
    """Return what metrics weigh in a profile's index, over all families, as shares that add up to 1.

    Raises
    ------
    CatalogueError
        When a metric is not in the profile, or all weigh nothing.
    """
    share = _global_shares(profile)
    strangers = [name for name in metrics if name not in share]
    if strangers:
        raise CatalogueError(
            f"there is no metric {strangers[0]!r}", where=f"profile {profile.id}", fix=f"use some of {', '.join(share)}"
        )
    mass = sum(share[name] for name in metrics)
    if mass <= 0:
        raise CatalogueError("the metrics weigh nothing", where=f"profile {profile.id}", fix="give them weights")
    return {name: share[name] / mass for name in metrics}


def learn(
    frame: pd.DataFrame,
    outcome: str,
    metrics: Sequence[str],
    prior: Mapping[str, float] | Profile,
    *,
    time: str = "start",
    better: Literal["up", "down"] = "up",
    answers: str | None = None,
    within: Sequence[str] = (),
    response: Sequence[str] = (),
    pins: Mapping[str, float] | None = None,
    replicates: int = 400,
    seed: int = 0,
) -> LearnedWeights:
    """Learn what metrics should weigh from what customers say.

    The outcome is a scale times the index, plus a level, plus noise; the weights are shares (not negative, adding up to
    1) and are pulled towards the prior by a penalty (see `shares.explained_shares`). The penalty is chosen by leaving
    out blocks of time, never rows at random, since rows of one time resemble each other. When no penalty predicts the
    left-out blocks better than the prior does (one-sided 90 %, t over blocks), the prior is kept.

    Intervals say what the answers alone allow, next to no penalty at all, from drawing blocks of time again: the pull
    towards the prior would make a weight look certain because it is held fast.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per surveyed contact, or per cell (unit x period): scores of the metrics (0-100, more is better), the
        outcome, the time. A missing score says nothing (it is set to the mean). Rows without an outcome are customers
        who did not answer: they serve `response` only.
    outcome : str
        Column with CSAT, NPS, a share of complaints or of repeat contacts: a rate or a mean.
    metrics : sequence of str
        Columns of scores.
    prior : mapping of metric to weight, or Profile
        The expert's weights, adding up to 1; of a profile, its metrics' shares.
    time : str
        Column that orders the rows: times, days or numbers.
    better : {"up", "down"}
        "down" when less of the outcome is better (complaints, repeat contact).
    answers : str, optional
        Column with the number of answers behind a row, for cells.
    within : sequence of str
        Columns (channel, team) whose levels may differ in the outcome for other reasons: only differences within are
        learned from.
    response : sequence of str
        Columns that tell who answers; switches the correction for non-response on (see `response_weights`).
    pins : mapping of metric to weight, optional
        Weights that hold exactly.
    replicates : int
        Bootstrap draws; 0 gives no intervals.
    seed : int
        Of the draws.

    Returns
    -------
    LearnedWeights

    Raises
    ------
    CatalogueError
        For unknown columns, weights that do not add up, a metric that never varies, an outcome that is missing or never
        varies, fewer rows with an outcome than metrics, and fewer than four times.
    """
    metrics = list(metrics)
    _check_columns(frame, [outcome, *metrics, *([answers] if answers else [])], [time, *within])
    start = prior_shares(prior, metrics) if isinstance(prior, Profile) else _checked_prior(prior, metrics)
    w0, pinned = _pinned(start, pins or {}, metrics)
    said = frame[outcome].notna().to_numpy()
    row_weight = response_weights(frame, said, response)[said] if len(response) else np.ones(int(said.sum()))
    rows = frame.loc[said]
    if answers:
        row_weight = row_weight * rows[answers].astype("float64").fillna(0.0).to_numpy()
    x, y = _centred_within(rows, metrics, outcome, row_weight, within)
    y = y if better == "up" else -y
    block = time_blocks(rows[time])
    moments = moments_by_block(x, y, row_weight, block)
    basis = pinned_basis(w0, pinned)
    penalty = chosen_penalty(moments, w0, basis)
    xx, xy, variance = moments.centred()
    fitted = explained_shares(xx, xy, w0, penalty, basis)
    used = bool(np.isfinite(penalty) and fitted.sum() > 0)
    weight = fitted / fitted.sum() if used else w0
    low, high = share_intervals(moments, w0, pinned, weight, replicates, seed)
    table = pd.DataFrame(
        {
            "metric": metrics,
            "prior": w0,
            "weight": weight,
            "low": low,
            "high": high,
            "importance": effective_importance(xx, weight),
            "pinned": pinned,
        }
    )
    spread = float(weight @ xx @ weight)
    scale = float(weight @ xy / spread)
    return LearnedWeights(
        table=table,
        validation=validated_later(x, y, row_weight, block, moments, w0, basis, replicates, seed),
        penalty=float(penalty) if used else np.inf,
        used=used,
        surveyed=int(said.sum()),
        response_corrected=len(response) > 0,
        scale=scale if better == "up" else -scale,
        explained=scale**2 * spread / variance if scale > 0 else 0.0,
    )


def _global_shares(profile: Profile) -> dict[str, float]:
    return {m.metric: profile.families[m.family] * m.weight for m in profile.metrics}


def _check_columns(frame: pd.DataFrame, numbers: Sequence[str], others: Sequence[str]) -> None:
    absent = [name for name in [*numbers, *others] if name not in frame.columns]
    if absent:
        raise CatalogueError(f"there is no column {absent[0]!r}", where="learn", fix="name columns of the frame")
    texts = [name for name in numbers if not pd.api.types.is_numeric_dtype(frame[name])]
    if texts:
        raise CatalogueError("holds no numbers", where=texts[0], fix="use scores, rates or means")


def _checked_prior(prior: Mapping[str, float], metrics: Sequence[str]) -> dict[str, float]:
    if set(prior) != set(metrics):
        name = sorted(set(prior) ^ set(metrics))[0]
        raise CatalogueError(
            f"metric {name!r} has no weight" if name in metrics else f"there is no metric {name!r}",
            where="prior",
            fix="give each metric named one weight",
        )
    if min(prior.values()) < 0:
        raise CatalogueError("a weight is negative", where="prior", fix="use weights from 0 up")
    if abs(sum(prior.values()) - 1) > 1e-6:
        raise CatalogueError(
            f"weights add up to {sum(prior.values()):g}, not 1", where="prior", fix="correct the weights"
        )
    return dict(prior)


def _pinned(
    prior: Mapping[str, float], pins: Mapping[str, float], metrics: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    strangers = [name for name in pins if name not in metrics]
    if strangers:
        raise CatalogueError(f"there is no metric {strangers[0]!r}", where="pins", fix="pin one of the metrics named")
    held = sum(pins.values())
    free = sum(weight for name, weight in prior.items() if name not in pins)
    if min(pins.values(), default=0) < 0 or held >= 1 or (pins and free <= 0):
        raise CatalogueError(
            f"pinned weights add up to {held:g}", where="pins", fix="pin less than 1, from 0 up, and leave metrics free"
        )
    shares = [pins[m] if m in pins else prior[m] * (1 - held) / free for m in metrics]
    return np.array(shares), np.array([m in pins for m in metrics])


def _centred_within(
    rows: pd.DataFrame, metrics: Sequence[str], outcome: str, weight: NDArray[np.float64], within: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take off the mean of each group; a missing score then is 0, the mean."""
    if len(rows) <= len(metrics) + 1:
        raise CatalogueError(
            f"{len(rows)} rows with an outcome can't tell {len(metrics)} weights",
            where=outcome,
            fix="use more periods, or smaller cells, or fewer metrics",
        )
    groups = np.zeros(len(rows), dtype=int)
    if within:
        groups = rows.groupby(list(within), dropna=False, sort=False).ngroup().to_numpy()
    columns = {name: rows[name].astype("float64").to_numpy() for name in [*metrics, outcome]}
    centred = {name: _less_group_mean(column, weight, groups) for name, column in columns.items()}
    for name, column in centred.items():
        if np.ptp(column) <= 1e-9 * max(1.0, np.nanmax(np.abs(columns[name]), initial=0.0)):
            fix = "use another outcome or more rows" if name == outcome else "leave it out: its weight then stays"
            raise CatalogueError("never varies among rows with an outcome", where=name, fix=fix)
    return np.column_stack([centred[name] for name in metrics]), centred[outcome]


def _less_group_mean(
    column: NDArray[np.float64], weight: NDArray[np.float64], groups: NDArray[np.int64]
) -> NDArray[np.float64]:
    there = ~np.isnan(column)
    known = np.where(there, weight, 0.0)
    value = np.where(there, column, 0.0)
    total = np.bincount(groups, known)
    mean = np.bincount(groups, known * value) / np.where(total > 0, total, 1.0)
    return np.where(there, value - mean[groups], 0.0)
