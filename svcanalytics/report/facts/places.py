"""Teams and agents beside one another: places that noise leaves open, this period and last, and the service stars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import quality
from svcanalytics.errors import CatalogueError

if TYPE_CHECKING:
    from svcanalytics.quality import Dependence, Profile

__all__ = ["Places", "Stars", "choose_stars", "compare_places"]

SMALLEST = 30
"""Rows below which a unit has no place."""


@dataclass(frozen=True)
class Places:
    """Units compared on one thing.

    Attributes
    ----------
    unit : str
        team or channel.
    of : str
        "index", or the measure where the units' measures carry too little weight for an index.
    now, before : DataFrame
        As `quality.compare` gives it; before is empty without comparable figures.
    """

    unit: str
    of: str
    now: pd.DataFrame
    before: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class Stars:
    """Agents recognised in a period.

    Attributes
    ----------
    named : DataFrame
        As `quality.stars` gives it.
    of : str
        What they were compared on.
    compared : int
        Agents with enough records.
    barred : int
        Agents that stood out but were ruled out, such as by a fatal error.
    """

    named: pd.DataFrame
    of: str
    compared: int
    barred: int


def compare_places(
    parts: pd.DataFrame,
    unit: str,
    profile: Profile | None,
    measures: Sequence[str],
    period: str,
    baseline: str,
    dependence: Dependence | None,
) -> Places | None:
    """Compare units on the index, else on the first of the measures on which two of them have a place.

    Parameters
    ----------
    parts : DataFrame
        The profile's metrics by `unit`, in both periods.
    unit : str
        Column of units.
    profile : Profile or None
    measures : sequence of str
        Metrics of the profile, the heaviest first.
    period, baseline : str
    dependence : Dependence or None
        How errors go together, as measured of the whole.

    Returns
    -------
    Places or None
        None where no two units can be compared.
    """
    if parts.empty or profile is None:
        return None
    of, now = _comparable(parts, unit, profile, ("index", *measures), period, dependence)
    if now.empty:
        return None
    before = _compared(parts, unit, profile, of, baseline, dependence)
    return Places(unit, of, now, before if len(before) and before["rank"].notna().any() else pd.DataFrame())


def choose_stars(
    parts: pd.DataFrame, profile: Profile | None, measures: Sequence[str], period: str, dependence: Dependence | None
) -> Stars | None:
    """Choose service stars among the agents of a period, with what else they stand out in; None without agents."""
    if parts.empty or profile is None:
        return None
    of, now = _comparable(parts, "agent", profile, ("index", *measures), period, dependence)
    if now.empty:
        return None
    now = pd.concat([now, _compared(parts, "agent", profile, list(profile.families), period, dependence)])
    named = quality.stars(now, of=of, barred=quality.barred_units(parts[parts["agent"].notna()], "agent"))
    compared = int(now.loc[now["of"] == of, "rank"].notna().sum())
    return Stars(named, of, compared, len(named.attrs["barred"]))


def _comparable(
    parts: pd.DataFrame,
    unit: str,
    profile: Profile,
    choices: Sequence[str],
    period: str,
    dependence: Dependence | None,
) -> tuple[str, pd.DataFrame]:
    """Return the first choice on which most units of a fair size, or at least two, have a place."""
    for of in choices:
        found = _compared(parts, unit, profile, of, period, dependence)
        if found.empty:
            continue
        placed = found["rank"].notna().sum()
        if placed >= 2 and (of != "index" or placed >= (found["flag"] == "coverage").sum()):
            return of, found
    return "", pd.DataFrame()


def _compared(
    parts: pd.DataFrame,
    unit: str,
    profile: Profile,
    of: str | Sequence[str],
    period: str,
    dependence: Dependence | None,
) -> pd.DataFrame:
    try:
        return quality.compare(parts, profile, unit, of=of, period=period, smallest=SMALLEST, dependence=dependence)
    except CatalogueError:  # one unit, none of that period, or a measure nobody has
        return pd.DataFrame()
