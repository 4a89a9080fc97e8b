"""Measures by group laid out as arrays, before and after, with what the whole holds beyond the groups shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.change.margins import ATOMS, read_atoms
from svcanalytics.quality.change.splitting import Groups

__all__ = ["REST", "Grouped", "lay_out", "read_groups"]

REST = "(rest)"
"""What the whole holds beyond the groups shown: groups too small to show, and rows without a group."""

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Grouped:
    """Measures of several metrics in two periods by cell; the last cell is what the groups leave of the whole.

    Attributes
    ----------
    dimensions : dict of str to numpy.ndarray, each of shape (cells,)
        Number of the group that a cell belongs to.
    labels : dict of str to list of str
        Names of those groups; under "" the names of the cells ("team=B&channel=app").
    atoms : dict of str to numpy.ndarray, each of shape (2, metrics, cells)
        value, low, high, n, numerator, denominator.
    """

    dimensions: dict[str, NDArray[np.intp]]
    labels: dict[str, list[str]]
    atoms: dict[str, NDArray[np.float64]]

    def of(self, metric: int, whole: dict[str, NDArray[np.float64]], name: str) -> Groups | None:
        """Return a metric's groups with the rest of the whole, or None when the metric can't be split.

        Parameters
        ----------
        metric : int
            Its number.
        whole : dict of str to numpy.ndarray, each of shape (2,)
            The metric's atoms as a whole, before and after.
        name : str
            For the message.

        Raises
        ------
        CatalogueError
            When the groups add up to more than the whole, or to another value.
        """
        part = {key: values[:, metric].copy() for key, values in self.atoms.items()}
        counted = np.isnan(whole["denominator"]).all()
        known = ("value", "numerator") if counted else ("value", "numerator", "denominator")
        if np.isnan([whole[key] for key in known]).any() or np.isnan(part["numerator"]).all():
            return None
        rest = _rest_of_count(part, whole) if counted else _rest_of_ratio(part, whole, name)
        loose = rest.pop("loose")
        for key, values in rest.items():
            part[key][:, -1] = values
        if not counted:
            _check_mean(part, whole["value"], loose, name)
        return Groups(part["value"], part["low"], part["high"], part["denominator"], np.nan_to_num(part["n"]), loose)


_Atoms = dict[str, NDArray[np.float64]]


def _rest_of_ratio(part: _Atoms, whole: _Atoms, name: str) -> _Atoms:
    """Return value, interval and size of what the groups leave of the whole; missing where they leave nothing."""
    rest = {key: whole[key] - np.nansum(part[key], axis=1) for key in ("numerator", "denominator", "n")}
    near = {key: _TOLERANCE * np.maximum(np.abs(whole[key]), 1) for key in ("numerator", "denominator")}
    more = rest["denominator"] > near["denominator"]
    if (rest["denominator"] < -near["denominator"]).any():
        raise CatalogueError(
            f"the groups of {name} add up to more than the whole",
            where="total",
            fix="measure both over the same cases; a case may belong to one group only",
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        # What turns numerator / denominator into the value is one factor for all; a numerator of 0 doesn't show it.
        pairs = [np.append(part[key].ravel(), whole[key]) for key in ("value", "denominator", "numerator")]
        factors = pairs[0] * pairs[1] / pairs[2]
        factors = factors[np.isfinite(factors)]
        factor = np.median(factors) if len(factors) else 1.0
        value = np.where(more, rest["numerator"] / rest["denominator"] * factor, np.nan)
        # A part's variance stands to the whole's as the whole's size to the part's.
        widening = np.sqrt(whole["denominator"] / rest["denominator"])
        low, high = (value + (whole[side] - whole["value"]) * widening for side in ("low", "high"))
    # Cases closed in a group that opened none: a numerator that stands by no denominator.
    alone = ~more & (np.abs(rest["numerator"]) > near["numerator"])
    loose = np.where(alone, rest["numerator"], 0.0) * factor / whole["denominator"]
    size, n = np.where(more, rest["denominator"], np.nan), np.where(more, np.maximum(rest["n"], 1), 0)
    return {"value": value, "low": low, "high": high, "denominator": size, "n": n, "loose": loose}


def _check_mean(part: _Atoms, whole: NDArray[np.float64], loose: NDArray[np.float64], name: str) -> None:
    """Check that groups make up the whole's value: contributions add up to the change only if they do."""
    size = np.nan_to_num(part["denominator"])
    mean = (size * np.nan_to_num(part["value"])).sum(axis=1) / size.sum(axis=1) + loose
    if (np.abs(mean - whole) > _TOLERANCE * np.maximum(np.abs(whole), 1e-3)).any():
        raise CatalogueError(
            f"the values of {name} by group do not make up that of the whole",
            where="total",
            fix="pass values as measure() gives them, not rounded, and both on one scale",
        )


def _rest_of_count(part: _Atoms, whole: _Atoms) -> _Atoms:
    value = whole["value"] - np.nansum(part["value"], axis=1)
    value = np.where(np.abs(value) > _TOLERANCE * np.maximum(np.abs(whole["value"]), 1), value, np.nan)
    out = {"value": value, "loose": np.zeros(2)}
    for side in ("low", "high"):
        shown = np.nansum((part["value"] - part[side]) ** 2, axis=1)
        half = np.sqrt(np.maximum((whole["value"] - whole[side]) ** 2 - shown, 0))
        out[side] = value + (half if side == "high" else -half)
    return out


def read_groups(measures: pd.DataFrame, metrics: Sequence[str], periods: Sequence[str], by: Sequence[str]) -> Grouped:
    """Lay measures out by period, metric and cell of the dimensions.

    Parameters
    ----------
    measures : DataFrame
        One row per metric, period and cell.
    metrics, periods, by : sequence of str

    Raises
    ------
    CatalogueError
        When a dimension or column is missing.
    """
    rows = measures[measures["metric"].isin(metrics) & measures["period"].isin(periods)]
    atoms = read_atoms(rows, ["metric", "period", *by])
    codes, labels = {}, {}
    for name in by:
        codes[name], found = pd.factorize(atoms[name], use_na_sentinel=False)
        labels[name] = [*("" if pd.isna(part) else str(part) for part in found), REST]
    key = np.zeros(len(atoms), dtype="int64")
    for name in by:
        key = pd.factorize(key * len(labels[name]) + codes[name])[0]
    cells, first = np.unique(key, return_index=True)
    dimensions = {name: np.append(codes[name][first], len(labels[name]) - 1) for name in by}
    parts = [[f"{name}={labels[name][code]}" for code in dimensions[name][:-1]] for name in by]
    labels[""] = [*map("&".join, zip(*parts, strict=True)), REST]
    places = [atoms[key].map({name: i for i, name in enumerate(of)}) for key, of in _axes(periods, metrics)]
    return Grouped(dimensions, labels, _filled(atoms, (*places, key), (2, len(metrics), len(cells) + 1)))


def lay_out(measures: pd.DataFrame, metrics: Sequence[str], periods: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return the atoms of whole measures as arrays of shape (2, metrics): before and after."""
    rows = measures[measures["metric"].isin(metrics) & measures["period"].isin(periods)]
    atoms = read_atoms(rows, ["metric", "period"], sums=False)
    places = [atoms[key].map({name: i for i, name in enumerate(of)}) for key, of in _axes(periods, metrics)]
    return _filled(atoms, tuple(places), (2, len(metrics)))


def _axes(periods: Sequence[str], metrics: Sequence[str]) -> tuple[tuple[str, Sequence[str]], ...]:
    return ("period", periods), ("metric", metrics)


def _filled(atoms: pd.DataFrame, places: tuple, shape: tuple[int, ...]) -> dict[str, NDArray[np.float64]]:
    out = {}
    for name in ATOMS:
        out[name] = np.full(shape, np.nan)
        out[name][places] = atoms[name].to_numpy()
    return out
