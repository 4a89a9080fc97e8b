"""Weights learned from what customers say, held close to the expert's as long as the answers don't say otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from svcanalytics.quality.customers.blocking import chosen_penalty, share_intervals, validated_later
from svcanalytics.quality.customers.drivers import effective_importance
from svcanalytics.quality.customers.evidence import gather_evidence
from svcanalytics.quality.customers.shares import explained_shares
from svcanalytics.quality.profiles import Profile, reweigh

__all__ = ["LearnedWeights", "learn"]


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
        return reweigh(profile, dict(zip(self.table["metric"], self.table["weight"], strict=True)))


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
    moments, start = evidence.moments(), evidence.prior
    penalty = chosen_penalty(moments, start, evidence.basis)
    xx, xy, variance = moments.centred()
    fitted = explained_shares(xx, xy, start, penalty, evidence.basis)
    used = bool(np.isfinite(penalty) and fitted.sum() > 0)
    weight = fitted / fitted.sum() if used else start
    low, high = share_intervals(evidence, weight, replicates, seed)
    table = pd.DataFrame(
        {
            "metric": metrics,
            "prior": start,
            "weight": weight,
            "low": low,
            "high": high,
            "importance": effective_importance(xx, weight),
            "pinned": evidence.pinned,
        }
    )
    spread = float(weight @ xx @ weight)
    scale = float(weight @ xy / spread)
    return LearnedWeights(
        table=table,
        validation=validated_later(evidence, replicates, seed),
        penalty=float(penalty) if used else np.inf,
        used=used,
        surveyed=len(evidence.y),
        response_corrected=len(response) > 0,
        scale=scale if better == "up" else -scale,
        explained=scale**2 * spread / variance if scale > 0 else 0.0,
    )
