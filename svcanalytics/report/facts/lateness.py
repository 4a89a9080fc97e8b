"""Who was late, and with what: the teams behind each missed standard, and the cases that were late by most."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics import metrics
from svcanalytics.periods import Period

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["MOST_CASES", "count_late", "find_late_teams", "list_late_cases", "read_late"]

MOST_CASES = 10
#: Teams named under one standard.
MOST_TEAMS = 3
#: Fewest clocks of a team to publish its share.
SMALLEST_TEAM = 10


def read_late(
    lake: Lake, period: Period, missed: Collection[str], where: Mapping[str, object] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the late teams of the missed standards, and the latest cases of all standards.

    Parameters
    ----------
    lake : Lake
        What to read.
    period : Period
        Clocks that belong to it are looked at.
    missed : collection of str
        Ids of the standards that were missed; composites have no clocks of their own.
    where : mapping, optional
        As in `metrics.clock_rows`.

    Returns
    -------
    teams : DataFrame
        See `find_late_teams`.
    cases : DataFrame
        See `list_late_cases`.
    """
    rows = metrics.clock_rows(lake, start=period.start, end=period.last, where=where)
    rules = metrics.rulebook(lake).standards.values()
    # A rule about the whole organisation may be published from one duty on; a team's few are nobody's business.
    smallest = {rule.id: max(rule.min_n, SMALLEST_TEAM) for rule in rules}
    counted = count_late(rows[rows["standard"].isin(list(missed))])
    return find_late_teams(counted, smallest), list_late_cases(rows, lake.timezone)


def count_late(rows: pd.DataFrame) -> pd.DataFrame:
    """Count settled clocks by standard and owner: standard, team, due, late. Clocks that nobody owns are left out."""
    settled = rows[rows["state"].isin(["on_time", "late"]) & rows["team"].notna()]
    late = settled["state"].eq("late").astype("int64")
    found = late.groupby([settled["standard"], settled["team"]], sort=False).agg(due="size", late="sum")
    return found.reset_index()


def find_late_teams(
    counted: pd.DataFrame, smallest: Mapping[str, int], level: float = 0.95, most: int = MOST_TEAMS
) -> pd.DataFrame:
    """Return for each standard the team with the most late, and the teams that are late more often for sure.

    A team's late clocks are held against those of the other teams by Fisher's exact test, one-sided, with Bonferroni's
    correction for every team of every standard looked at: where no team differs, one is named falsely in at most
    1 - `level` of all reports. Exact, since few are late and normal limits fail there.

    Parameters
    ----------
    counted : DataFrame
        standard, team, due, late.
    smallest : mapping of str to int
        The smallest `due` to publish, by standard; teams below take no part.
    level : float
        Confidence that no team is named falsely.
    most : int
        Teams listed per standard.

    Returns
    -------
    DataFrame
        standard, team, due, late, share, low, high (95 %, Wilson), worse (bool); standards with the most late first.
        A standard with fewer than two teams to compare, or none late, is left out.
    """
    from scipy.stats import hypergeom

    from svcanalytics.metrics.intervals import wilson_interval

    shown = counted[counted["due"] >= counted["standard"].map(smallest).fillna(SMALLEST_TEAM)]
    all_due, all_late = (shown.groupby("standard")[name].transform("sum") for name in ("due", "late"))
    teams = shown.groupby("standard")["team"].transform("size")
    shown = shown.assign(_due=all_due, _late=all_late)[(teams >= 2) & (all_late > 0)]
    low, high = wilson_interval(shown["late"], shown["due"])
    p = hypergeom.sf(shown["late"] - 1, shown["_due"], shown["_late"], shown["due"])
    worse = np.asarray(p) <= (1 - level) / max(len(shown), 1)
    shown = shown.assign(share=shown["late"] / shown["due"], low=low, high=high, worse=worse)
    top = shown["late"] == shown.groupby("standard")["late"].transform("max")
    listed = shown[top | shown["worse"]].sort_values(
        ["_late", "standard", "worse", "late", "share", "team"],
        ascending=[False, True, False, False, False, True],
        kind="stable",
    )
    listed = listed[listed["worse"] | ~listed.duplicated("standard")].groupby("standard", sort=False).head(most)
    return listed[["standard", "team", "due", "late", "share", "low", "high", "worse"]].reset_index(drop=True)


def list_late_cases(rows: pd.DataFrame, timezone: str, most: int = MOST_CASES) -> pd.DataFrame:
    """Return the cases late by most, each once with its worst clock; contacts where no case is late.

    Returns
    -------
    DataFrame
        id, standard, team, start, due (local time), overrun_s, is_open (the clock still runs). No text and no id of
        a customer.
    """
    columns = ["id", "standard", "team", "start", "due", "overrun_s", "is_open"]
    late = rows[rows["state"].eq("late") & (rows["overrun_s"] > 0)] if len(rows) else rows
    of = [late[late["table"] == table] for table in ("cases", "contacts")]
    late = next((part for part in of if len(part)), of[0])
    late = late.sort_values(["overrun_s", "id", "standard"], ascending=[False, True, True], kind="stable")
    late = late.drop_duplicates("id").head(most)[columns].reset_index(drop=True)
    if late.empty:
        return late
    return late.assign(**{name: late[name].dt.tz_convert(timezone) for name in ("start", "due")})
