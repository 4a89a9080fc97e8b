"""Two plans, or one plan in two worlds, compared draw by draw on the same random days."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.living.simulation import Simulation

__all__ = ["compare"]

_SUMS = ("offered", "answered", "base", "within", "wait_s", "busy_s", "paid_s")
_Z = 1.959963984540054


def compare(before: Simulation, after: Simulation, by: Sequence[str] = ("queue",)) -> pd.DataFrame:
    """Return what a change of plan changes, draw by draw on the same random days.

    Parameters
    ----------
    before, after : Simulation
        Of the same forecast days, draws and seed.
    by : sequence of str
        ``"queue"``, ``"day"``, both, or none for everything together.

    Returns
    -------
    pandas.DataFrame
        by columns, measure (service_level, abandonment, asa_s, occupancy, kept: the share of days, hours), before,
        after, change, low, high: a 95 % interval of the mean change over paired draws.

    Raises
    ------
    StaffingError
        The simulations are not of the same days, draws and seed.
    """
    keys = ["queue", "day", "draw"]
    if before.seed != after.seed or not before.draws[keys].equals(after.draws[keys]):
        raise StaffingError(
            "the two simulations did not meet the same days", fix="use the same forecast, draws and seed for both"
        )
    keys = [*by, "measure"]
    pairs = pd.concat([_by_draw(before.draws, by), _by_draw(after.draws, by)], axis=1, keys=["before", "after"])
    pairs["change"] = pairs["after"] - pairs["before"]
    grouped = pairs.groupby(level=keys, sort=False)
    table = grouped.mean()
    half = _Z * grouped["change"].std() / np.sqrt(grouped["change"].count())
    return table.assign(low=table["change"] - half, high=table["change"] + half).reset_index()


def _by_draw(draws: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    grouped = draws.groupby([*by, "draw"], sort=False)
    sums = grouped[list(_SUMS)].sum()
    made = pd.DataFrame(
        {
            "service_level": (sums["within"] / sums["base"]).fillna(1.0),
            "abandonment": (1 - sums["answered"] / sums["offered"]).fillna(0.0),
            "asa_s": np.where(sums["offered"] > 0, sums["wait_s"] / sums["answered"], 0.0),  # missing: nobody answered
            "occupancy": (sums["busy_s"] / sums["paid_s"]).fillna(0.0).clip(upper=1.0),
            "kept": grouped["kept"].mean(),
            "hours": sums["paid_s"] / 3600,
        }
    )
    return made.melt(var_name="measure", ignore_index=False).set_index("measure", append=True)["value"]
