"""Case mix: what each unit would be expected to reach with the cases it had, and how it did against that."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError, ContractError

__all__ = ["average_cases", "expect", "standardise", "standardise_cases"]

MIN_OVERLAP = 0.5
"""Share of a unit's cases that must be of kinds other units have too; below, it isn't compared."""


def standardise(
    counts: pd.DataFrame,
    unit: str,
    mix: Sequence[str],
    *,
    numerator: str = "numerator",
    denominator: str = "denominator",
    reference: Literal["joint", "all", "others"] = "joint",
    min_overlap: float = MIN_OVERLAP,
) -> pd.DataFrame:
    """Standardise each unit's rate for its case mix, indirectly: observed over expected, times the rate of all.

    Expected is the sum over strata of the unit's denominator times the stratum's rate. ``reference`` says whose rate:
    ``all`` takes all units, the unit itself among them, so a unit that makes up most of a stratum judges itself;
    ``others`` leaves the unit out; ``joint`` takes the strata's rates as they are once the units' own differences are
    taken out: rates are unit effect x stratum effect, fitted to the margins (Breslow and Day 1987, section 4.6; the
    Poisson model's likelihood equations, by turns). Only with ``joint`` are units with unlike mixes comparable with one
    another, and without strata it gives the plain rates.

    A stratum that one unit alone has says nothing about how it compares and is left out. Units that share no stratum,
    directly or through others, can't be compared: those apart from the largest connected group are flagged.

    Parameters
    ----------
    counts : pandas.DataFrame
        One or more rows per unit and stratum with non-negative numerator and denominator.
    unit : str
        Column of units.
    mix : sequence of str
        Columns that make up a stratum.
    numerator, denominator : str
        Columns.
    reference : {"joint", "all", "others"}
    min_overlap : float
        Share of a unit's denominator that must lie in strata that others of its group have too.

    Returns
    -------
    pandas.DataFrame
        One row per unit, sorted: the unit column, observed, denominator (both over what could be compared), expected,
        ratio, crude, adjusted, overlap (0-1), flag ("" or "no_overlap", then ratio and adjusted are missing).

    Raises
    ------
    CatalogueError
        When a column is missing, or no two units have any kind of case in common.
    ContractError
        When counts are negative or missing.
    """
    observed, exposure, units = _grids(counts, unit, list(mix), numerator, denominator)
    total = exposure.sum(axis=1)
    shared = (exposure > 0).sum(axis=0) > 1
    members = _largest_group(exposure[:, shared], total)
    inside = np.where(shared & (exposure[members] > 0).any(axis=0), exposure, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        overlap = np.where(members & (total > 0), inside.sum(axis=1) / total, 0.0)
    kept = members & (overlap >= min_overlap)
    if kept.sum() < 2:
        raise CatalogueError(
            "no two units have enough kinds of cases in common to be compared",
            where=f"case mix by {', '.join(mix)}",
            fix="adjust for fewer or coarser columns",
        )
    o, d = np.where(inside > 0, observed, 0.0), inside
    expected = np.full(len(units), np.nan)
    expected[kept] = _expected(o[kept], d[kept], reference)
    return _adjusted(unit, units, o.sum(axis=1), d.sum(axis=1), expected, overlap)


def average_cases(standardised: pd.DataFrame) -> NDArray[np.float64]:
    """Return how many cases of average kind each unit's own are worth: expected over the rate of all.

    Observed hits of so many cases is the adjusted rate, so whatever is done with plain counts can be done with these.

    Parameters
    ----------
    standardised : pandas.DataFrame
        As `standardise` gives it.

    Returns
    -------
    numpy.ndarray, shape (units,)
        Missing where a unit couldn't be compared.
    """
    kept = standardised["flag"].eq("")
    overall = standardised.loc[kept, "observed"].sum() / standardised.loc[kept, "denominator"].sum()
    return np.where(kept, standardised["expected"] / overall, np.nan)


def expect(
    cases: pd.DataFrame,
    outcome: str,
    mix: Sequence[str],
    *,
    unit: str,
    kind: Literal["logistic", "poisson"] = "logistic",
    folds: int = 10,
) -> pd.Series:
    """Expect each case's outcome from its kind alone, by a regression that has not seen the case's own unit.

    Parameters
    ----------
    cases : pandas.DataFrame
        One row per case.
    outcome : str
        Column: 0 or 1 for ``logistic``, a count or duration from 0 up for ``poisson``.
    mix : sequence of str
        Columns the outcome is regressed on; numbers enter as they are, all else as categories.
    unit : str
        Column of units.
    kind : {"logistic", "poisson"}
    folds : int
        Units are dealt into this many groups, each predicted by the rest. 0 fits all cases at once, as the published
        indicators with hundreds of hospitals do.

    Returns
    -------
    pandas.Series of float
        Expected outcome of each case; missing where no other unit has a category that the case has.

    Raises
    ------
    CatalogueError
        When a column is missing, the kind is unknown, or there are fewer than two units.
    ContractError
        When outcomes are missing or out of range, or a mix column has missing values.
    """
    _check_columns(cases, [unit, outcome, *mix])
    if kind not in ("logistic", "poisson"):
        raise CatalogueError(f"there is no regression of kind {kind!r}", fix="use logistic or poisson")
    y = cases[outcome].to_numpy(dtype="float64")
    top = 1.0 if kind == "logistic" else np.inf
    if not ((y >= 0) & (y <= top)).all():
        raise ContractError(
            f"{kind} outcomes lie between 0 and {top:g}",
            where=f"column {outcome}",
            fix="correct or leave out rows",
        )
    if cases[list(mix)].isna().any(axis=None):
        column = next(name for name in mix if cases[name].isna().any())
        raise ContractError("missing values can't be adjusted for", where=f"column {column}", fix="fill or drop them")
    names, number = np.unique(cases[unit].astype(str), return_inverse=True)
    if len(names) < 2:
        raise CatalogueError("one unit alone can't be compared", where=f"column {unit}", fix="take in more units")
    design = _design(cases[list(mix)])
    fold = number % min(folds, len(names)) if folds else np.zeros(len(cases), dtype="int64")
    expected = np.full(len(cases), np.nan)
    for part in np.unique(fold):
        out = fold == part
        rest = ~out if folds else out
        seen = design[rest].any(axis=0)
        known = np.flatnonzero(out)[~design[out][:, ~seen].any(axis=1)]
        expected[known] = _predict(design[rest][:, seen], y[rest], design[known][:, seen], kind)
    return pd.Series(expected, index=cases.index, name="expected")


def standardise_cases(
    cases: pd.DataFrame, outcome: str, expected: pd.Series, *, unit: str, min_overlap: float = MIN_OVERLAP
) -> pd.DataFrame:
    """Bring cases with their expected outcomes together by unit; columns as `standardise` gives them.

    Parameters
    ----------
    cases, outcome, unit
        As for `expect`.
    expected : pandas.Series
        What `expect` returned.
    min_overlap : float
        Share of a unit's cases that must have an expected outcome.
    """
    known = expected.notna().to_numpy()
    frame = pd.DataFrame(
        {
            unit: cases[unit].astype(str).to_numpy(),
            "observed": np.where(known, cases[outcome].to_numpy(dtype="float64"), 0.0),
            "denominator": known.astype("float64"),
            "expected": np.where(known, expected.to_numpy(), 0.0),
            "cases": 1.0,
        }
    )
    summed = frame.groupby(unit, sort=True).sum()
    overlap = (summed["denominator"] / summed["cases"]).to_numpy()
    sums = np.where(overlap >= min_overlap, summed["expected"], np.nan)
    observed, count = summed["observed"].to_numpy(), summed["denominator"].to_numpy()
    return _adjusted(unit, summed.index.to_numpy(), observed, count, sums, overlap)


def _grids(
    counts: pd.DataFrame, unit: str, mix: list[str], numerator: str, denominator: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray]:
    _check_columns(counts, [unit, *mix, numerator, denominator])
    sums = counts[[numerator, denominator]].astype("float64")
    if sums.isna().any(axis=None) or (sums < 0).any(axis=None):
        raise ContractError(
            "a count is missing or negative",
            where=f"{numerator}, {denominator}",
            fix="correct or leave out rows",
        )
    units, row = np.unique(counts[unit].astype(str), return_inverse=True)
    column = counts.groupby(mix, dropna=False, sort=True).ngroup().to_numpy() if mix else np.zeros(len(counts), int)
    shape = len(units), int(column.max(initial=-1)) + 1
    grids = []
    for name in (numerator, denominator):
        grid = np.zeros(shape)
        np.add.at(grid, (row, column), sums[name].to_numpy())
        grids.append(grid)
    return grids[0], grids[1], units


def _check_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    absent = [name for name in names if name not in frame.columns]
    if absent:
        fix = f"use one of: {', '.join(map(str, frame.columns))}"
        raise CatalogueError(f"there is no column {absent[0]!r}", where="case mix", fix=fix)


def _largest_group(exposure: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which units hang together through shared strata, in the group with the most cases."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    held = exposure > 0
    _, group = connected_components(csr_array(held.astype("int8") @ held.T.astype("int8")), directed=False)
    weight = np.bincount(group, weights=np.where(held.any(axis=1), size, 0.0))
    return (group == weight.argmax()) & held.any(axis=1)


def _expected(o: NDArray[np.float64], d: NDArray[np.float64], reference: str) -> NDArray[np.float64]:
    observed, effect = o.sum(axis=1), np.ones(len(o))
    with np.errstate(divide="ignore", invalid="ignore"):
        if reference == "all":
            return d @ np.nan_to_num(o.sum(axis=0) / d.sum(axis=0))
        if reference == "others":
            return (d * np.nan_to_num((o.sum(axis=0) - o) / (d.sum(axis=0) - d))).sum(axis=1)
        if reference != "joint":
            raise CatalogueError(f"there is no reference {reference!r}", fix="use joint, all or others")
        for _ in range(1000):
            stratum = np.nan_to_num(o.sum(axis=0) / (effect @ d))
            expected = d @ stratum
            before, effect = effect, np.where(expected > 0, observed / expected, 0.0)
            if np.allclose(before, effect, rtol=1e-10, atol=0):
                break
    # Effect and stratum are known up to a factor: the expected add up to the observed.
    return expected * observed.sum() / expected.sum() if expected.sum() > 0 else expected


def _adjusted(
    unit: str,
    units: NDArray,
    observed: NDArray[np.float64],
    denominator: NDArray[np.float64],
    expected: NDArray[np.float64],
    overlap: NDArray[np.float64],
) -> pd.DataFrame:
    kept = ~np.isnan(expected)
    overall = observed[kept].sum() / denominator[kept].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(expected > 0, observed / expected, np.nan)
        crude = observed / denominator
    return pd.DataFrame(
        {
            unit: units,
            "observed": observed,
            "denominator": denominator,
            "expected": expected,
            "ratio": ratio,
            "crude": crude,
            "adjusted": ratio * overall,
            "overlap": overlap,
            "flag": np.where(kept, "", "no_overlap"),
        }
    )


def _design(frame: pd.DataFrame) -> NDArray[np.float64]:
    columns = [np.ones(len(frame))]
    for name in frame:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            columns.append(values.to_numpy(dtype="float64"))
        else:
            # The commonest category is the base, so that every fold has it.
            levels = values.astype(str).value_counts().index[1:]
            columns += [(values.astype(str) == level).to_numpy(dtype="float64") for level in sorted(levels)]
    return np.column_stack(columns)


def _predict(
    design: NDArray[np.float64], y: NDArray[np.float64], at: NDArray[np.float64], kind: str
) -> NDArray[np.float64]:
    import statsmodels.api as sm

    # Cases of one kind are one row: the likelihood is the same and the fit quick.
    kinds, row = np.unique(design, axis=0, return_inverse=True)
    count, total = np.bincount(row).astype("float64"), np.bincount(row, weights=y)
    if kind == "poisson":
        model = sm.GLM(total / count, kinds, family=sm.families.Poisson(), freq_weights=count)
    else:
        model = sm.GLM(np.column_stack([total, count - total]), kinds, family=sm.families.Binomial())
    with warnings.catch_warnings():
        # Few kinds of cases can be fitted without rest, which statsmodels takes for a fault.
        warnings.simplefilter("ignore")
        return np.asarray(model.fit().predict(at))
