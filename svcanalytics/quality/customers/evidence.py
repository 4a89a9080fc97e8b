"""Answers made ready to learn from: rows checked, groups taken off, response weighed, time cut into blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.customers.response import response_weights
from svcanalytics.quality.customers.shares import Moments, moments_by_block, pinned_basis
from svcanalytics.quality.profiles import Profile
from svcanalytics.quality.scaling import read_values

__all__ = ["Evidence", "gather_evidence", "prior_shares"]

Array = NDArray[np.float64]

_BLOCKS, _LEAST_BLOCKS = 40, 4


@dataclass(frozen=True)
class Evidence:
    """Rows with an outcome, centred within their groups.

    Attributes
    ----------
    x : numpy.ndarray, shape (rows, metrics)
        Scores; a missing one is 0, the mean.
    y : numpy.ndarray, shape (rows,)
        Outcome, more is better.
    weight : numpy.ndarray, shape (rows,)
        Answers behind the row, weighed by who answers.
    block : numpy.ndarray of int, shape (rows,)
        Blocks of time, in order.
    prior : numpy.ndarray, shape (metrics,)
        The expert's shares, those pinned in place.
    pinned : numpy.ndarray of bool, shape (metrics,)
    """

    x: Array
    y: Array
    weight: Array
    block: NDArray[np.int64]
    prior: Array
    pinned: NDArray[np.bool_]

    @property
    def basis(self) -> Array:
        """What turns free coefficients into all."""
        return pinned_basis(self.prior, self.pinned)

    def moments(self, rows: NDArray[np.bool_] | None = None) -> Moments:
        """Return the moments by block, of some rows only if asked."""
        if rows is None:
            return moments_by_block(self.x, self.y, self.weight, self.block)
        return moments_by_block(self.x, self.y, self.weight * rows, self.block)


def gather_evidence(
    frame: pd.DataFrame,
    outcome: str,
    metrics: Sequence[str],
    prior: Mapping[str, float] | Profile,
    *,
    time: str,
    better: Literal["up", "down"] = "up",
    answers: str | None = None,
    within: Sequence[str] = (),
    response: Sequence[str] = (),
    pins: Mapping[str, float] | None = None,
) -> Evidence:
    """Check rows and prior and make them ready; parameters and errors as of `learn`."""
    _check_columns(frame, [outcome, *metrics, *([answers] if answers else [])], [time, *within])
    start = prior_shares(prior, metrics) if isinstance(prior, Profile) else _checked_prior(prior, metrics)
    shares, pinned = _pinned(start, pins or {}, metrics)
    said = frame[outcome].notna().to_numpy()
    weight = response_weights(frame, said, response)[said] if len(response) else np.ones(int(said.sum()))
    rows = frame.loc[said]
    if answers:
        weight = weight * rows[answers].astype("float64").fillna(0.0).to_numpy()
    x, y = _centred_within(rows, metrics, outcome, weight, within)
    return Evidence(x, y if better == "up" else -y, weight, _time_blocks(rows[time]), shares, pinned)


def prior_shares(profile: Profile, metrics: Sequence[str]) -> dict[str, float]:
    """Return what metrics weigh in a profile's index, over all families, as shares that add up to 1.

    Raises
    ------
    CatalogueError
        When a metric is not in the profile, or all weigh nothing.
    """
    share = profile.shares
    strangers = [name for name in metrics if name not in share]
    if strangers:
        raise CatalogueError(
            f"there is no metric {strangers[0]!r}", where=f"profile {profile.id}", fix=f"use some of {', '.join(share)}"
        )
    mass = sum(share[name] for name in metrics)
    if mass <= 0:
        raise CatalogueError("the metrics weigh nothing", where=f"profile {profile.id}", fix="give them weights")
    return {name: share[name] / mass for name in metrics}


def _check_columns(frame: pd.DataFrame, numbers: Sequence[str], others: Sequence[str]) -> None:
    absent = [name for name in [*numbers, *others] if name not in frame.columns]
    if absent:
        raise CatalogueError(f"there is no column {absent[0]!r}", where="learn", fix="name columns of the frame")
    texts = [name for name in numbers if not pd.api.types.is_numeric_dtype(frame[name])]
    if texts:
        raise CatalogueError("holds no numbers", where=texts[0], fix="use scores, rates or means")
    for name in numbers:
        read_values(frame[name], name)


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


def _time_blocks(time: pd.Series) -> NDArray[np.int64]:
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
