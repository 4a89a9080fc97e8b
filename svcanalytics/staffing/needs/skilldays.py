"""Crews for days under a stated risk: the fewest between two certain requirements that simulation bears."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.living.presence import read_teams, whole_agents
from svcanalytics.staffing.living.scene import Scene

__all__ = ["crews_for_risk"]

_HALVINGS = 5
_HIGHEST = 8.0  # times the way from the lower requirement to the upper one


def crews_for_risk(scene: Scene, lower: pd.DataFrame, upper: pd.DataFrame, risk: float) -> pd.DataFrame:
    """Return whole agents by start and crew with which each queue's day keeps its promise with probability 1 - `risk`.

    All intervals of a day go the same share of the way from `lower` to `upper`, found by bisection; every trial lives
    through all sample paths of the scene.

    Parameters
    ----------
    scene : Scene
        With the queues, their paths and troubles; its teams are replaced.
    lower, upper : DataFrame
        start, crew, agents, in the same order of rows.
    risk : float

    Returns
    -------
    pandas.DataFrame
        start, crew, agents, kept (of the day's worst queue).

    Raises
    ------
    StaffingError
        No number of agents keeps the promise.
    """
    days, day = np.unique(pd.DatetimeIndex(lower["start"]).tz_localize(None).normalize(), return_inverse=True)
    start, step = lower["agents"].to_numpy(float), (upper["agents"] - lower["agents"]).to_numpy(float)

    def crews(level: NDArray[np.float64]) -> pd.DataFrame:
        # Somebody of every crew that one of the two has, and no fewer as the level grows.
        return _whole(lower.assign(agents=np.maximum(start + np.maximum(step, 0.25) * level[day], 0.0)))

    def kept(level: NDArray[np.float64]) -> NDArray[np.float64]:
        return _kept(replace(scene, teams=read_teams(crews(level), scene.volumes, scene.crews)), days)

    low, high = np.zeros(len(days)), np.zeros(len(days))
    found = kept(high)
    while (short := found < 1 - risk).any():
        if high.max() >= _HIGHEST:
            where = f"{pd.Timestamp(days[found.argmin()]):%Y-%m-%d}"
            raise StaffingError("no number of agents keeps the promise", where=where, fix="accept more risk")
        low, high = np.where(short, high, low), np.where(short, np.maximum(2 * high, 0.5), high)
        found = kept(high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tried = kept(middle)
        short = tried < 1 - risk
        low, high, found = np.where(short, middle, low), np.where(short, high, middle), np.where(short, found, tried)
    return crews(high).assign(kept=found[day])


def _kept(scene: Scene, days: NDArray[np.datetime64]) -> NDArray[np.float64]:
    worst = np.ones(len(days))
    for volume, tally in zip(scene.volumes, scene.tallies(), strict=True):
        group = np.searchsorted(days, volume.days.to_numpy())
        promise = scene.promises[volume.queue]
        share = promise.kept(tally.by(group).measures(promise)).mean(axis=1)
        worst[: len(share)] = np.minimum(worst[: len(share)], share)
    return worst


def _whole(crews: pd.DataFrame) -> pd.DataFrame:
    agents = np.empty(len(crews), dtype=np.int64)
    for _, rows in crews.groupby("crew", sort=False).indices.items():
        second = pd.DatetimeIndex(crews["start"].iloc[rows]).asi8 / 1e9
        gaps = np.diff(second)
        opens = np.concatenate([[True], gaps > 1.001 * gaps.min()]) if len(gaps) else np.ones(1, bool)
        agents[rows] = whole_agents(crews["agents"].to_numpy(float)[rows], opens)
    return crews.assign(agents=agents)
