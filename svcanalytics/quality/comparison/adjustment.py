"""Measures adjusted for case mix: one row per unit again, as if every unit had had cases of the average kind."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.quality.cells import MEASURE_COLUMNS
from svcanalytics.quality.comparison.casemix import average_cases, standardise

__all__ = ["adjust_measures", "are_rates"]


def are_rates(measures: pd.DataFrame) -> bool:
    """Tell whether rows of one metric are hits of cases: a share with 0 <= numerator <= denominator = n."""
    if not {"unit", "numerator", "denominator", "n"} <= set(measures.columns):
        return False
    shown = measures[measures["numerator"].notna() & measures["denominator"].notna()]
    x, y, n = (shown[name].astype("float64") for name in ("numerator", "denominator", "n"))
    return bool(len(shown) and shown["unit"].eq("share").all() and ((x >= 0) & (x <= y) & (y == n)).all())


def adjust_measures(measures: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Adjust each metric for the columns it is split by beside `unit` and bring it back to one row per unit.

    Indirect standardisation within each period, with strata whose rates are free of the units' own differences (see
    `standardise`). Shares are adjusted on the rarer of hit and miss, so that none can pass 0 or 1 by much; the interval
    of a share is Wilson's on its adjusted counts, that of a mean or ratio follows from the intervals of its cells.
    Cells that are suppressed leave both what is observed and what is expected. Metrics that have no sums (quantiles,
    counts) or can be negative can't be adjusted by a ratio and are left out: ``attrs["left_out"]`` names them.

    Parameters
    ----------
    measures : pandas.DataFrame
        As `measure` gives them by `unit` and columns of case mix.
    unit : str
        Column of units.

    Returns
    -------
    pandas.DataFrame
        The columns of `measures` without those of case mix. ``numerator`` and ``denominator`` of a share are the
        adjusted ones (need not be whole), missing for other metrics. ``flag`` is no_overlap where a unit
        can't be adjusted.

    Raises
    ------
    CatalogueError
        When in no metric any two units have kinds of cases in common.
    """
    mix = [name for name in measures.columns if name not in MEASURE_COLUMNS and name != unit]
    parts, left_out, apart = [], [], []
    for (metric, _), rows in measures.groupby(["metric", "period"], sort=False):
        cells = rows[rows["numerator"].notna() & rows["denominator"].notna() & rows["value"].notna()]
        cells = cells[cells["denominator"].astype("float64") > 0]
        if cells.empty or (cells["value"] < 0).any():
            left_out.append(metric)
            continue
        try:
            parts.append(_adjusted(rows, cells, unit, mix))
        except CatalogueError as error:
            apart.append(error)
            parts.append(_blank(rows, unit, mix, "no_overlap"))
            continue
        hidden = rows[~rows[unit].isin(cells[unit])]
        if len(hidden):
            parts.append(_blank(hidden, unit, mix, "suppressed"))
    if not parts:
        raise CatalogueError("no measure has sums to adjust", where="case mix", fix="measure rates or means")
    if len(apart) == len(parts):  # nothing but blanks
        raise apart[0]
    frame = pd.concat(parts, ignore_index=True)
    frame.attrs["left_out"] = sorted(set(left_out))
    return frame


def _adjusted(rows: pd.DataFrame, cells: pd.DataFrame, unit: str, mix: list[str]) -> pd.DataFrame:
    share = are_rates(cells)
    # Value x denominator, not the numerator: it is on the scale that values are shown in.
    den, value = cells["denominator"].astype("float64"), cells["value"].astype("float64")
    total = float((value * den).sum() / den.sum())
    flipped = share and total > 0.5
    counted = cells.assign(_x=den * (1 - value) if flipped else den * value, _y=den)
    if share:
        counted["_x"] = counted["_x"].round()
    found = standardise(counted, unit, mix, numerator="_x", denominator="_y").set_index(unit)
    names = found.index
    out = rows.assign(**{unit: rows[unit].astype(str)}).groupby(unit, sort=True).first().reindex(names)
    out["n"] = rows.assign(**{unit: rows[unit].astype(str)}).groupby(unit)["n"].sum().reindex(names)
    flags = cells.assign(**{unit: cells[unit].astype(str)}).groupby(unit)["flag"].agg(_worst).reindex(names)
    out["flag"] = np.where(found["flag"] != "", found["flag"], flags.fillna(""))
    out[["numerator", "denominator", "std"]] = np.nan
    if share:
        few, worth = found["observed"].to_numpy(), average_cases(found)
        with np.errstate(divide="ignore", invalid="ignore"):
            # More misses than average cases: nothing worse than all missed can be said.
            few = np.minimum(few, worth)
            hits = worth - few if flipped else few
            out["low"], out["high"] = wilson_interval(hits, worth)
            out["value"], out["numerator"], out["denominator"] = hits / worth, hits, worth
    else:
        half = (cells["high"] - cells["low"]).astype("float64") / 2 * den
        spread = (half**2).groupby(cells[unit].astype(str)).sum().pow(0.5).reindex(names).to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(found["expected"] > 0, found["denominator"] * total / found["expected"], np.nan)
            wide = spread / found["denominator"].to_numpy() * factor
        out["value"] = found["adjusted"].to_numpy()
        out["low"], out["high"] = out["value"] - wide, out["value"] + wide
    gone = found["flag"].to_numpy() != ""
    out.loc[gone, ["value", "low", "high", "numerator", "denominator"]] = np.nan
    return out.reset_index()[[name for name in rows.columns if name not in mix]]


def _blank(rows: pd.DataFrame, unit: str, mix: list[str], flag: str) -> pd.DataFrame:
    """Return a row per unit that shows nothing, and why."""
    found = rows.assign(**{unit: rows[unit].astype(str)}).groupby(unit, sort=True, as_index=False).first()
    found["n"] = rows.groupby(rows[unit].astype(str))["n"].sum().to_numpy()
    found[["value", "low", "high", "numerator", "denominator", "std"]] = np.nan
    return found.assign(flag=flag)[[name for name in rows.columns if name not in mix]]


def _worst(flags: pd.Series) -> str:
    return next((flag for flag in ("incomplete", "provisional") if flags.eq(flag).any()), "")
