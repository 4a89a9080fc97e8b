"""Weights learned from what customers say, held close to the expert's as long as the answers don't say otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.drivers import variance_shares
from svcanalytics.quality.profiles import Profile
from svcanalytics.quality.response import response_weights
from svcanalytics.quality.shares import Moments, explained_shares, moments_by_block, pinned_basis

__all__ = ["LearnedWeights", "learn", "prior_shares"]

PENALTIES = (*np.logspace(-3, 1.5, 10), np.inf)
"""Penalties tried, in variances of a metric's score; the last keeps the prior."""

_BLOCKS, _FOLDS, _LEAST_BLOCKS = 40, 8, 4
_USE_LEVEL = 0.9  # one-sided: how sure the gain over the prior must be before the prior is left


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
    _check_columns(frame, [outcome, time, *metrics, *within, *([answers] if answers else [])])
    start = prior_shares(prior, metrics) if isinstance(prior, Profile) else _checked_prior(prior, metrics)
    w0, pinned = _pinned(start, pins or {}, metrics)
    said = frame[outcome].notna().to_numpy()
    row_weight = response_weights(frame, said, response)[said] if len(response) else np.ones(int(said.sum()))
    rows = frame.loc[said]
    if answers:
        row_weight = row_weight * rows[answers].to_numpy("float64")
    y = rows[outcome].to_numpy("float64") * (1 if better == "up" else -1)
    _check_rows(rows, y, metrics, outcome)
    x, y = _centred_within(rows, metrics, y, row_weight, within)
    block = _blocks(rows[time])
    moments = moments_by_block(x, y, row_weight, block)
    folds = _folds(len(moments.weight))
    basis = pinned_basis(w0, pinned)

    penalty = _chosen_penalty(moments, folds, w0, basis)
    xx, xy, variance = moments.centred()
    fitted = explained_shares(xx, xy, w0, penalty, basis)
    used = bool(np.isfinite(penalty) and fitted.sum() > 0)
    weight = fitted / fitted.sum() if used else w0
    low, high = _interval(moments, w0, pinned, weight, replicates, seed)
    table = pd.DataFrame(
        {
            "metric": metrics,
            "prior": w0,
            "weight": weight,
            "low": low,
            "high": high,
            "importance": variance_shares(xx, weight),
            "pinned": pinned,
        }
    )
    spread = float(weight @ xx @ weight)
    scale = float(weight @ xy / spread)
    return LearnedWeights(
        table=table,
        validation=_validated(x, y, row_weight, block, moments, w0, basis, replicates, seed),
        penalty=penalty if used else np.inf,
        used=used,
        surveyed=int(said.sum()),
        response_corrected=len(response) > 0,
        scale=scale if better == "up" else -scale,
        explained=scale**2 * spread / variance if scale > 0 else 0.0,
    )


def _global_shares(profile: Profile) -> dict[str, float]:
    return {m.metric: profile.families[m.family] * m.weight for m in profile.metrics}


def _check_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise CatalogueError(f"there is no column {absent[0]!r}", where="learn", fix="name columns of the frame")


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


def _check_rows(rows: pd.DataFrame, y: NDArray[np.float64], metrics: Sequence[str], outcome: str) -> None:
    if len(rows) <= len(metrics) + 1:
        raise CatalogueError(
            f"{len(rows)} rows with an outcome can't tell {len(metrics)} weights",
            where=outcome,
            fix="use more periods, or smaller cells, or fewer metrics",
        )
    if np.ptp(y) == 0:
        raise CatalogueError("the outcome never varies", where=outcome, fix="use another outcome or more rows")
    for name in metrics:
        scores = rows[name].to_numpy("float64")
        if np.isnan(scores).all() or np.nanmax(scores) == np.nanmin(scores):
            raise CatalogueError(
                "never varies among rows with an outcome, so its weight can't be learned",
                where=name,
                fix="leave it out: its weight then stays as it is",
            )


def _centred_within(
    rows: pd.DataFrame,
    metrics: Sequence[str],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    within: Sequence[str],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take off the mean of each group; a missing score then is 0, the mean."""
    groups = (
        rows.groupby(list(within), dropna=False, sort=False).ngroup().to_numpy() if within else np.zeros(len(y), int)
    )
    columns = [rows[name].to_numpy("float64") for name in metrics]
    centred = [_less_group_mean(column, weight, groups) for column in (*columns, y)]
    return np.column_stack(centred[:-1]), centred[-1]


def _less_group_mean(
    column: NDArray[np.float64], weight: NDArray[np.float64], groups: NDArray[np.int64]
) -> NDArray[np.float64]:
    there = ~np.isnan(column)
    known = np.where(there, weight, 0.0)
    value = np.where(there, column, 0.0)
    total = np.bincount(groups, known)
    mean = np.bincount(groups, known * value) / np.where(total > 0, total, 1.0)
    return np.where(there, value - mean[groups], 0.0)


def _blocks(time: pd.Series) -> NDArray[np.int64]:
    """Number consecutive blocks of about as many rows each; rows of one time are never parted."""
    moment, instants = pd.factorize(time, sort=True)
    if len(instants) < _LEAST_BLOCKS or (moment < 0).any():
        raise CatalogueError(
            "a time is missing" if (moment < 0).any() else f"there are only {len(instants)} times",
            where=str(time.name),
            fix=f"weights are tested on other times than they are learned from: give at least {_LEAST_BLOCKS}",
        )
    sizes = np.bincount(moment)
    middle = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
    return np.unique((middle * _BLOCKS).astype(int), return_inverse=True)[1][moment]


def _folds(blocks: int) -> NDArray[np.int64]:
    return np.arange(blocks) * min(_FOLDS, blocks) // blocks


def _loss(coefficients: NDArray[np.float64], xx: NDArray, xy: NDArray, yy: float) -> float:
    return float(yy - 2 * xy @ coefficients + coefficients @ xx @ coefficients)


def _chosen_penalty(
    moments: Moments, folds: NDArray[np.int64], prior: NDArray[np.float64], basis: NDArray[np.float64]
) -> float:
    """Return the penalty that predicts left-out folds best; infinite when the prior predicts as well."""
    from scipy.stats import t

    numbers = np.unique(folds)
    losses = np.empty((len(numbers), len(PENALTIES)))
    for row, number in enumerate(numbers):
        xx, xy, _ = moments.centred((folds != number).astype(float))
        held = moments.centred((folds == number).astype(float))
        losses[row] = [_loss(explained_shares(xx, xy, prior, p, basis), *held) for p in PENALTIES]
    best = int(losses[:, :-1].mean(axis=0).argmin())
    gain = losses[:, -1] - losses[:, best]
    error = gain.std(ddof=1) / np.sqrt(len(numbers))
    sure = gain.mean() > float(t.ppf(_USE_LEVEL, len(numbers) - 1)) * error
    return PENALTIES[best] if sure else np.inf


def _interval(
    moments: Moments,
    prior: NDArray[np.float64],
    pinned: NDArray[np.bool_],
    weight: NDArray[np.float64],
    replicates: int,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the answers alone allow: a penalty would make a weight look certain because it was held fast."""
    from scipy.stats import norm, t

    rng, basis, blocks = np.random.default_rng(seed), pinned_basis(prior, pinned), len(moments.weight)
    drawn = []
    for _ in range(replicates):
        xx, xy, _ = moments.centred(rng.multinomial(blocks, np.full(blocks, 1 / blocks)).astype(float))
        found = explained_shares(xx, xy, prior, PENALTIES[0], basis)
        if found.sum() > 0:
            drawn.append(found / found.sum())
    if not drawn:
        return np.full(len(prior), np.nan), np.full(len(prior), np.nan)
    # Few blocks draw too narrow: expanded percentiles (Hesterberg 2015, The American Statistician 69:371).
    tail = float(norm.cdf(t.ppf(0.025, blocks - 1) * np.sqrt(blocks / (blocks - 1))))
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    low, high = np.minimum(low, weight), np.maximum(high, weight)
    return np.where(pinned, weight, low), np.where(pinned, weight, high)


def _validated(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    block: NDArray[np.int64],
    moments: Moments,
    prior: NDArray[np.float64],
    basis: NDArray[np.float64],
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Learn from what lies before each of the last folds and compare the indices on it."""
    from scipy.stats import rankdata

    folds = _folds(len(moments.weight))
    tested = np.arange((folds.max() + 1) // 2, folds.max() + 1)
    index = np.zeros((len(y), 2))
    for number in tested:
        past = folds < number
        before = Moments(*(part[past] for part in vars(moments).values()))
        penalty = _chosen_penalty(before, _folds(int(past.sum())), prior, basis)
        xx, xy, _ = before.centred()
        found = explained_shares(xx, xy, prior, penalty, basis)
        here = folds[block] == number
        index[here] = np.column_stack([x[here] @ (found / found.sum() if found.sum() > 0 else prior), x[here] @ prior])
    here = np.isin(folds[block], tested)
    later = block[here]
    later = later - later.min()
    ranks = [rankdata(values) / here.sum() for values in (*index[here].T, y[here])]
    by_block = moments_by_block(np.column_stack(ranks[:2]), ranks[2], weight[here], later)
    rng = np.random.default_rng(seed)
    blocks = int(later.max()) + 1
    draws = [rng.multinomial(blocks, np.full(blocks, 1 / blocks)).astype(float) for _ in range(replicates)]
    found = np.array([_correlations(by_block, times) for times in [np.ones(blocks), *draws]])
    found = np.column_stack([found, found[:, 0] - found[:, 1]])
    low, high = np.nanquantile(found[1:], [0.025, 0.975], axis=0) if replicates else np.full((2, 3), np.nan)
    return pd.DataFrame(
        {
            "index": ["learned", "prior", "difference"],
            "rank_correlation": found[0],
            "low": low,
            "high": high,
            "n": int(here.sum()),
        }
    )


def _correlations(moments: Moments, times: NDArray[np.float64]) -> NDArray[np.float64]:
    xx, xy, yy = moments.centred(times)
    with np.errstate(invalid="ignore", divide="ignore"):
        return xy / np.sqrt(np.diag(xx) * yy)
