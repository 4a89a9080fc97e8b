"""Weights that are not known for sure: how far each may be off, drawn once for all units and periods."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.cells import MEASURES_Z

__all__ = ["draw_ratios"]


def draw_ratios(
    given: NDArray[np.float64],
    spread: float | pd.DataFrame | None,
    metrics: list[str],
    draws: int,
    rng: np.random.Generator,
) -> NDArray[np.float64] | None:
    """Draw by how much each weight differs from the given one.

    Ratios, not weights, so that one draw fits every row when weights differ by period.

    Parameters
    ----------
    given : numpy.ndarray, shape (rows, metrics)
        Shares of the index.
    spread : float, DataFrame or None
        Concentration of a Dirichlet distribution around the mean of the rows; or metric, weight, low, high (95 %), each
        drawn around the weight with the spread of its interval.
    metrics : list of str
        Names of the columns.
    draws : int
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray, shape (draws, metrics), or None
        To multiply weights with, which then no longer add up to 1. None when weights are sure.

    Raises
    ------
    CatalogueError
        When the concentration is not above 0, or the frame lacks a column or has an interval that is upside down.
    """
    if spread is None:
        return None
    if isinstance(spread, pd.DataFrame):
        return _from_intervals(spread, metrics, draws, rng)
    if not spread > 0:
        raise CatalogueError(f"a concentration of {spread:g} is not above 0", where="weight_spread", fix="use 100")
    # Independent gammas, seen as shares of their sum, are Dirichlet (Devroye 1986, section XI.4).
    shape = spread * given.mean(axis=0)
    drawn = rng.standard_gamma(shape, (draws, len(metrics)))
    return np.divide(drawn, shape, out=np.ones_like(drawn), where=shape > 0)


def _from_intervals(
    spread: pd.DataFrame, metrics: list[str], draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    absent = [name for name in ("metric", "weight", "low", "high") if name not in spread]
    if absent:
        raise CatalogueError(
            f"there is no column {absent[0]}", where="weight_spread", fix="give weights with intervals"
        )
    table = spread.drop_duplicates("metric").set_index("metric")[["weight", "low", "high"]].astype("float64")
    if unknown := sorted(set(table.index) - set(metrics)):
        raise CatalogueError(f"the profile has no metric {unknown[0]!r}", where="weight_spread")
    if wrong := table.index[~(table["low"] <= table["high"])].tolist():
        raise CatalogueError(f"the interval of {wrong[0]} is upside down", where="weight_spread")
    weight, low, high = (table[name].reindex(metrics).to_numpy() for name in ("weight", "low", "high"))
    z = rng.standard_normal((draws, len(metrics)))
    # The spread alone is taken: a weight that was shrunk towards an expert's may lie outside its interval.
    moved = weight + z * (high - low) / (2 * MEASURES_Z)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.maximum(moved, 0) / weight
    # What the frame says nothing about, or gives no weight, is taken as given.
    return np.where(np.isfinite(ratios), ratios, 1.0)
