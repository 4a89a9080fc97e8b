"""Funnel limits: how far a unit of its size may lie from the mean before chance, or the usual spread, is ruled out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import CatalogueError, ContractError
from svcanalytics.quality.comparison.overdispersion import between_variance, dispersion_ratio, truncate, winsorise
from svcanalytics.quality.scaling import read_values

__all__ = ["Funnel", "exact_limits", "funnel"]

Kind = Literal["rate", "ratio", "mean"]
Dispersion = Literal["none", "multiplicative", "additive", "shmi"]

_COLUMNS = {
    "rate": ("numerator", "denominator"),
    "ratio": ("observed", "expected"),
    "mean": ("value", "error"),
}


_MOST = {"rate": 1.0, "ratio": np.inf}


@dataclass(frozen=True)
class Funnel:
    """What `funnel` returns.

    Attributes
    ----------
    units : pandas.DataFrame
        The units given, with value, size (the horizontal axis: denominator, expected, or 1 / error^2), z (distance from
        the centre in standard errors, before any allowance for over-dispersion), outlier ("high", "low" or "": outside
        the widest limits) and, for each level, limits such as low_95 and high_95 at the unit's own size.
    limits : pandas.DataFrame
        The curves to draw: size and the same limits.
    centre : float
        Mean the limits stand around: pooled rate, 1, or weighted mean.
    ratio : float
        Dispersion ratio of the winsorised (or truncated) z: 1 when chance explains how units differ.
    spread : float
        Standard deviation between units on the scale the limits are made on; 0 without an additive allowance.
    kind, dispersion : str
        As asked.
    """

    units: pd.DataFrame
    limits: pd.DataFrame
    centre: float
    ratio: float
    spread: float
    kind: str
    dispersion: str


def funnel(
    units: pd.DataFrame,
    kind: Kind = "rate",
    *,
    dispersion: Dispersion = "additive",
    levels: Sequence[float] = (0.95, 0.998),
    winsor: float = 0.1,
    centre: float | None = None,
    points: int = 120,
) -> Funnel:
    """Set funnel limits around the mean of the units (Spiegelhalter 2005, Statistics in Medicine 24:1185).

    Without over-dispersion the limits are exact binomial or Poisson ones (for a mean, normal ones). Real units usually
    differ more than that, because no case-mix adjustment is perfect; then nearly all lie outside and nothing is said.
    ``multiplicative`` widens the limits by the root of the dispersion ratio; ``additive`` adds a variance between units
    to each unit's own, both from z-scores winsorised at `winsor`, on a scale where the variance is stable (arcsine root
    of a rate, root of a ratio). ``shmi`` does as the NHS Summary Hospital-level Mortality Indicator: logarithms of
    ratios, the outermost `winsor` left out, additive. Where the units differ no more than chance makes them, all of
    these give the exact limits.

    Parameters
    ----------
    units : pandas.DataFrame
        One row per unit. ``rate``: numerator, denominator (above 0). ``ratio``: observed, expected (above 0).
        ``mean``: value and error (standard error, above 0) or, as `compare` gives them, low and high (95 %). Rows with
        a missing value are left out.
    kind : {"rate", "ratio", "mean"}
    dispersion : {"none", "multiplicative", "additive", "shmi"}
    levels : sequence of float
        Two-sided levels of the limits; 0.998 is the customary three-sigma limit.
    winsor : float
        Share pulled in (or left out) at each end before dispersion is measured.
    centre : float, optional
        What to compare with instead of the mean of the units, such as a target.
    points : int
        Of the curves.

    Returns
    -------
    Funnel

    Raises
    ------
    CatalogueError
        When a column is missing or holds no numbers, an option is unknown, or fewer than two units are there.
    ContractError
        When counts are negative, a numerator is above its denominator, or a denominator or error is not above 0.
    """
    if kind not in _COLUMNS or dispersion not in ("none", "multiplicative", "additive", "shmi"):
        raise CatalogueError(f"there is no funnel {kind!r} with dispersion {dispersion!r}", fix="see its docstring")
    if dispersion == "shmi" and kind != "ratio":
        raise CatalogueError("shmi is defined for ratios", fix='use kind="ratio", or dispersion="additive"')
    if not levels or not all(0 < level < 1 for level in levels):
        raise CatalogueError("levels must lie between 0 and 1", where="funnel", fix="give 0.95 for 95 %")
    if not 0 <= winsor < 0.5:
        raise CatalogueError(f"{winsor:g} can't be pulled in at each end", where="winsor", fix="give 0 to below 0.5")
    frame, top, bottom = _checked(units, kind)
    if centre is not None and not (np.isfinite(centre) and (kind == "mean" or 0 <= centre <= _MOST[kind])):
        raise CatalogueError(f"no {kind} can be {centre:g}", where="centre", fix="give it on the scale of the units")
    middle = _centre(top, bottom, kind) if centre is None else float(centre)
    value = top if kind == "mean" else top / bottom
    size = 1 / bottom**2 if kind == "mean" else bottom
    scale = "log" if dispersion == "shmi" else {"rate": "arcsine", "ratio": "root", "mean": "plain"}[kind]
    error = _errors(size, kind, scale)
    z = (_transform(value, scale) - _transform(middle, scale)) / error
    trimmed = truncate(z, winsor) if scale == "log" else np.ones(len(z), dtype=bool)
    scores = z[trimmed] if scale == "log" else winsorise(z, winsor)
    # Too few to tell spread from chance once the ends are off: no allowance is made.
    ratio = dispersion_ratio(scores) if len(scores) > 1 else 1.0
    variance = 0.0
    if dispersion in ("additive", "shmi") and len(scores) > 1:
        variance = between_variance(scores, error[trimmed])
    factor = max(1.0, ratio) if dispersion == "multiplicative" else 1.0

    def limits(at: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        named = {}
        for level in levels:
            if variance == 0 and factor == 1:
                low, high = exact_limits(at, middle, kind, level)
            else:
                wide = _normal(level) * np.sqrt(factor * _errors(at, kind, scale) ** 2 + variance)
                middle_at = _transform(middle, scale)
                low, high = _back(middle_at - wide, scale), _back(middle_at + wide, scale)
            named |= {f"low_{level * 100:g}": low, f"high_{level * 100:g}": high}
        return named

    own = limits(size)
    widest = f"{max(levels) * 100:g}"
    side = np.where(value > own[f"high_{widest}"], "high", np.where(value < own[f"low_{widest}"], "low", ""))
    curve = np.geomspace(size.min() * 0.8, size.max() * 1.05, points)
    return Funnel(
        frame.assign(value=value, size=size, z=z, outlier=side, **own),
        pd.DataFrame({"size": curve, **limits(curve)}),
        float(middle),
        ratio,
        float(np.sqrt(variance)),
        kind,
        dispersion,
    )


def exact_limits(
    size: ArrayLike, centre: float, kind: Kind = "ratio", level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return limits around a mean without over-dispersion.

    Those of a ratio are the exact interval of a Poisson count (Garwood 1936) that equals the expected, over the
    expected; those of a rate the exact interval of Clopper and Pearson (1934) at the mean rate; those of a mean normal.

    Parameters
    ----------
    size : array_like
        Expected count, denominator, or 1 / error^2.
    centre : float
        A ratio's may differ from 1 (a target).
    kind : {"rate", "ratio", "mean"}
    level : float
        Two-sided.
    """
    from scipy import special

    n, tail = np.asarray(size, dtype="float64"), (1 - level) / 2
    if kind == "mean":
        wide = _normal(level) / np.sqrt(n)
        return centre - wide, centre + wide
    mean = n * centre
    if kind == "ratio":
        low = special.gammaincinv(np.maximum(mean, 1e-300), tail)
        return np.where(mean > 0, low, 0.0) / n, special.gammaincinv(mean + 1, 1 - tail) / n
    rest = n - mean
    low = np.where(mean > 0, special.betaincinv(np.maximum(mean, 1e-300), rest + 1, tail), 0.0)
    high = np.where(rest > 0, special.betaincinv(mean + 1, np.maximum(rest, 1e-300), 1 - tail), 1.0)
    return low, high


def _checked(units: pd.DataFrame, kind: str) -> tuple[pd.DataFrame, NDArray[np.float64], NDArray[np.float64]]:
    names = _COLUMNS[kind]
    if kind == "mean" and "error" not in units.columns and {"low", "high"} <= set(units.columns):
        units = units.assign(error=(units["high"] - units["low"]) / (2 * _normal(0.95)))
    absent = [name for name in names if name not in units.columns]
    if absent:
        raise CatalogueError(
            f"a funnel of a {kind} needs a column {absent[0]!r}", where="funnel", fix=f"give {' and '.join(names)}"
        )
    pair = np.column_stack([read_values(units[name], f"funnel, {name}") for name in names])
    known = ~np.isnan(pair).any(axis=1)
    frame, (top, bottom) = units[known].reset_index(drop=True), pair[known].T
    if len(frame) < 2:
        raise CatalogueError("a funnel needs two units or more", where="funnel", fix="take in more units")
    if (bottom <= 0).any():
        raise ContractError(f"{names[1]} must be above 0", where=_first(frame, bottom <= 0), fix="leave that unit out")
    if kind != "mean" and (top < 0).any():
        raise ContractError(f"{names[0]} is negative", where=_first(frame, top < 0), fix="correct the counts")
    if kind == "rate" and (top > bottom * (1 + 1e-9)).any():
        raise ContractError(
            "numerator is above denominator", where=_first(frame, top > bottom), fix='a rate per case is kind="ratio"'
        )
    return frame, top, bottom


def _first(frame: pd.DataFrame, wrong: NDArray[np.bool_]) -> str:
    row = frame[wrong].iloc[0]
    return f"unit {row['unit']}" if "unit" in frame else f"row {row.name}"


def _centre(top: NDArray[np.float64], bottom: NDArray[np.float64], kind: str) -> float:
    if kind == "mean":
        return float(np.average(top, weights=1 / bottom**2))
    # The expected add up to the observed when they come from the same units; then this is 1.
    return float(top.sum() / bottom.sum())


def _errors(size: NDArray[np.float64], kind: str, scale: str) -> NDArray[np.float64]:
    return 1 / np.sqrt(size) if kind == "mean" or scale == "log" else 1 / (2 * np.sqrt(size))


def _transform(value: ArrayLike, scale: str) -> NDArray[np.float64]:
    v = np.asarray(value, dtype="float64")
    if scale == "log":
        with np.errstate(divide="ignore"):
            return np.log(v)
    return {"arcsine": lambda: np.arcsin(np.sqrt(v.clip(0, 1))), "root": lambda: np.sqrt(v), "plain": lambda: v}[
        scale
    ]()


def _back(value: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    if scale == "arcsine":
        return np.sin(value.clip(0, np.pi / 2)) ** 2
    if scale == "root":
        return value.clip(0) ** 2
    return np.exp(value) if scale == "log" else value


def _normal(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))
