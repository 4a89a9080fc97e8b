"""Margins of measures: what was measured by several dimensions, added up to fewer of them or to the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.cells import MEASURES_Z, mirror_ends, read_numbers

__all__ = ["ATOMS", "add_up", "read_atoms"]

_SUMS = ("numerator", "denominator", "n", "size", "sum", "squares", "below", "above")
ATOMS = ("value", "low", "high", "n", "numerator", "denominator")


def add_up(measures: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Add measures up over all dimensions but those of `by`, from their whole-number sums.

    Intervals are those of the groups combined: the variance of the whole is that within the groups (each group's own
    interval, weighted by its share, sides apart as the method of variance estimates recovery does) and that between
    them. Suppressed groups have no sums to add; a whole that lacks some is flagged ``incomplete``.

    Parameters
    ----------
    measures : DataFrame
        As `measure` gives it with a `by`. Quantile metrics can't be added up and are left out.
    by : sequence of str
        Dimensions to keep; none gives the whole.

    Returns
    -------
    DataFrame
        metric, period, start (where the measures have it), the columns of `by`, value, low, high (95 %), n, numerator,
        denominator, flag.

    Raises
    ------
    CatalogueError
        When a column is missing.
    """
    keys = ["metric", "period", *(["start"] if "start" in measures else []), *by]
    atoms = read_atoms(measures, keys)
    shown = atoms["numerator"].notna() & atoms["value"].notna()
    hidden = atoms.loc[~shown & atoms["suppressed"], keys].drop_duplicates().assign(_hidden=True)
    rows = atoms[shown]
    counted = rows["denominator"].isna()
    size = rows["denominator"].where(~counted, 1.0)
    value = rows["value"]
    parts = rows[keys].assign(
        numerator=rows["numerator"],
        denominator=rows["denominator"],
        n=rows["n"],
        size=size,
        sum=size * value,
        squares=size * value**2,
        below=(size * (value - rows["low"])) ** 2,
        above=(size * (rows["high"] - value)) ** 2,
        counted=counted,
        flag=rows["flag"],
    )
    found = parts.groupby(keys, dropna=False, sort=False).agg(
        **{name: (name, "sum") for name in _SUMS},
        counted=("counted", "first"),
        flag=("flag", "max"),
    )
    found = found.reset_index().merge(hidden, on=keys, how="left") if len(found) else parts.assign(_hidden=[])
    whole = np.where(found["counted"], 1.0, found["size"])
    mean = found["sum"] / whole
    between = np.where(found["counted"], 0.0, found["squares"] / whole - mean**2).clip(0)
    spread = MEASURES_Z**2 * between / np.maximum(found["n"], 1)
    return found[keys].assign(
        value=mean,
        low=mean - np.sqrt(found["below"] / whole**2 + spread),
        high=mean + np.sqrt(found["above"] / whole**2 + spread),
        n=found["n"],
        numerator=found["numerator"],
        denominator=found["denominator"].where(~found["counted"].astype(bool)),
        flag=np.where(found["_hidden"].notna(), "incomplete", found["flag"]),
    )


def read_atoms(measures: pd.DataFrame, keys: Sequence[str], sums: bool = True) -> pd.DataFrame:
    """Return measures' keys, values and sums as floats, missing where suppressed; with `sums`, refuse to do without.

    Raises
    ------
    CatalogueError
        Names the first column that is missing.
    """
    for name in (*keys, "value", *(("numerator", "denominator", "n") if sums else ())):
        if name not in measures.columns:
            raise CatalogueError(
                f"the measures have no column {name!r}", where="measures", fix="pass what measure(..., by=...) returned"
            )
    flag = measures["flag"].fillna("").astype(str) if "flag" in measures else pd.Series("", index=measures.index)
    numbers = {name: read_numbers(measures, name) for name in ATOMS}
    suppressed = flag.eq("suppressed").to_numpy()
    numbers["low"], numbers["high"] = mirror_ends(numbers["value"], numbers["low"], numbers["high"])
    # A value that is missing beside its sums is as good as suppressed.
    hidden = suppressed | (np.isnan(numbers["value"]) & (numbers["denominator"] > 0))
    for name in set(ATOMS) - {"n"}:
        numbers[name] = np.where(hidden, np.nan, numbers[name])
    return measures[list(keys)].assign(**numbers, flag=flag.where(~suppressed, ""), suppressed=suppressed)
