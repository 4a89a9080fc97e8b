"""What each measure could have been: its sampling error as a curve over a standard normal scale.

A curve gives the value at z = -4.5 to 4.5, where z = 0 is the measure itself and z = -1.96 and 1.96 are the ends of its
95 % interval. So one normal number draws one value, and numbers that are correlated draw values that move together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.quality.cells import MEASURES_Z, Cells, read_numbers, with_units

__all__ = ["GRID", "Errors", "centre", "draw_scores", "read_errors", "value_curves"]

GRID = np.linspace(-4.5, 4.5, 73)
"""Where curves are known; between these points they are straight."""

_DENSITY = np.exp(-(GRID**2) / 2) / np.exp(-(GRID**2) / 2).sum()


@dataclass(frozen=True)
class Errors:
    """What is known of each measure's sampling error; arrays of one row per unit and period, one column per metric.

    Attributes
    ----------
    value, below, above : numpy.ndarray, shape (rows, metrics)
        The measure and its standard errors to either side, in its own unit; NaN where missing, 0 without an interval.
    hits, trials : numpy.ndarray, shape (rows, metrics)
        Of a rate; NaN for anything else.
    """

    value: NDArray[np.float64]
    below: NDArray[np.float64]
    above: NDArray[np.float64]
    hits: NDArray[np.float64]
    trials: NDArray[np.float64]

    def at(self, rows: slice | NDArray[np.int64]) -> Errors:
        """Return some of the rows."""
        return Errors(*(getattr(self, name)[rows] for name in ("value", "below", "above", "hits", "trials")))


def read_errors(measures: pd.DataFrame, cells: Cells, metrics: list[str]) -> Errors:
    """Read the sampling error of each measure from its interval and, for a rate, its numerator and denominator.

    A rate is known by its interval being Wilson's. Where only one end of an interval is known (a quantile of few
    values), the other is taken to be as far away; a measure without an interval has no error.

    Parameters
    ----------
    measures : DataFrame
        As `measure` gives it.
    cells : Cells
        The same measures, as `read_cells` laid them out: which rows there are, and what is missing.
    metrics : list of str
        Names of the columns.
    """
    frame = with_units(measures[measures["metric"].isin(metrics)])
    at = (
        pd.MultiIndex.from_frame(cells.rows[["unit", "period"]]).get_indexer(
            pd.MultiIndex.from_frame(frame[["unit", "period"]])
        ),
        pd.Index(metrics).get_indexer(frame["metric"]),
    )

    def grid(column: str) -> NDArray[np.float64]:
        out = np.full(cells.value.shape, np.nan)
        if column in frame:
            out[at] = read_numbers(frame, column)
        return out

    value = cells.value
    low, high, hits, trials = (grid(name) for name in ("low", "high", "numerator", "denominator"))
    below, above = (value - low) / MEASURES_Z, (high - value) / MEASURES_Z
    below, above = np.where(np.isnan(below), above, below), np.where(np.isnan(above), below, above)
    with np.errstate(invalid="ignore"):
        wilson_low, wilson_high = wilson_interval(hits, trials)
        rate = (np.abs(low - wilson_low) < 1e-9) & (np.abs(high - wilson_high) < 1e-9)
    missing = np.isnan(value)
    return Errors(
        value=value,
        below=np.where(missing, np.nan, np.nan_to_num(below)),
        above=np.where(missing, np.nan, np.nan_to_num(above)),
        hits=np.where(rate, hits, np.nan),
        trials=np.where(rate, trials, np.nan),
    )


def value_curves(errors: Errors, factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each measure could have been, over `GRID`.

    For a rate the curve is the end of Wilson's interval (1927) at each level, so that a small number of trials, or a
    rate near 0 or 1, gives its skewed error; for anything else a normal with one spread to either side.

    Parameters
    ----------
    errors : Errors
    factors : numpy.ndarray, shape (metrics,)
        How many times the variance is what the measure's own interval takes it for.

    Returns
    -------
    numpy.ndarray, shape (rows, metrics, len(GRID))
    """
    z = np.sqrt(factors)[:, None] * GRID
    plain = errors.value[..., None] + np.where(z < 0, errors.below[..., None], errors.above[..., None]) * z
    n = errors.trials[..., None]
    p = errors.hits[..., None] / n
    rate = (p + z**2 / (2 * n) + z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))) / (1 + z**2 / n)
    return np.where(np.isnan(n), plain, rate)


def centre(curves: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move each curve of scores up or down so that its mean is the score itself.

    Goalposts bend: of the values a measure near its goal could have had, those beyond the goal all score 100, so the
    mean of the curve lies below the score. The score it was measured by has the same fault already; left in, the two
    would add up over the metrics and push the band off the index.

    Parameters
    ----------
    curves : numpy.ndarray, shape (rows, metrics, len(GRID))
        Of scores.
    scores : numpy.ndarray, shape (rows, metrics)
    """
    return curves + (scores - curves @ _DENSITY)[..., None]


def draw_scores(curves: NDArray[np.float32], normals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Look normal numbers up in curves.

    Parameters
    ----------
    curves : numpy.ndarray of float32, shape (rows, metrics, len(GRID))
    normals : numpy.ndarray of float32, shape (rows, metrics, draws)

    Returns
    -------
    numpy.ndarray of float32, shape (rows, metrics, draws)
    """
    rows, metrics, points = curves.shape
    step = np.float32(GRID[1] - GRID[0])
    drawn = np.clip(normals, np.float32(GRID[0]), np.float32(GRID[-1] - 1e-3))
    drawn -= np.float32(GRID[0])
    drawn /= step
    place = drawn.astype(np.int32)
    drawn -= place
    place += (np.arange(rows * metrics, dtype=np.int32) * points).reshape(rows, metrics, 1)
    # The last point of a curve starts no piece; its slope is never looked up.
    slopes = np.diff(curves, axis=-1, append=curves[..., -1:])
    drawn *= slopes.ravel().take(place)
    drawn += curves.ravel().take(place)
    return drawn
