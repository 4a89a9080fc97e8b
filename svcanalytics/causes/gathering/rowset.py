"""Rows that several metrics are made of, read once: with their ids, times and dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.gathering.dimensions import KEYS, add_tenure, add_times, usable
from svcanalytics.causes.gathering.outcomes import badness

if TYPE_CHECKING:
    from svcanalytics.metrics import Metric
    from svcanalytics.metrics.listing import Listing
    from svcanalytics.periods import Period

__all__ = ["EARLIER", "Outcome", "RowSet", "read_rows"]

EARLIER = 2
"""Periods before the baseline that first-seen dates and trends may reach back to."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """The rows of one metric, as `Material` has them.

    Attributes
    ----------
    rows, earlier : DataFrame
        Of the period and its baseline, and from before both.
    left_out : dict of str to str
        Columns not to look along, and why.
    """

    rows: pd.DataFrame
    earlier: pd.DataFrame
    left_out: dict[str, str]


@dataclass(frozen=True, eq=False)
class RowSet:
    """Rows of one view, in the order of their times.

    Attributes
    ----------
    rows : DataFrame
        id, at, perhaps case_id and agent, and dimensions, as categories: they are counted for every metric anew.
    sums : dict of str to DataFrame
        By metric numerator and denominator of each row, missing where it doesn't count.
    names : tuple of str
        The dimensions, those to prefer first.
    kinds : mapping of str to dtype
        What the dimensions were before they became categories.
    """

    rows: pd.DataFrame
    sums: dict[str, pd.DataFrame]
    names: tuple[str, ...]
    kinds: Mapping[str, object]

    def name_periods(self, now: Period, before: Period | None) -> NDArray[np.object_]:
        """Return of each row "now", "before", "earlier" (up to two periods before both), or "" where it is none."""
        at = self.rows["at"]
        oldest = min([now, *([before] if before else [])])
        spans = [(p.start, p.end) for p in (now, before) if p] + [(oldest.previous(EARLIER).start, oldest.start)]
        inside = [at.between(*map(pd.Timestamp, span), inclusive="left") for span in spans]
        return np.select(inside, ["now", "before", "earlier"] if before else ["now", "earlier"], "").astype("object")

    def outcome(self, metric: Metric, period: NDArray[np.object_]) -> Outcome | None:
        """Return the rows of a metric; None when none of them is of the period that is looked at.

        Parameters
        ----------
        metric : Metric
        period : numpy.ndarray of str, shape ``(rows,)``
            As `name_periods` gives it.
        """
        sums = self.sums[metric.id]
        there = np.flatnonzero(sums["numerator"].notna().to_numpy() & (period != ""))
        named = period[there]
        if not (named == "now").any():
            return None
        bad = badness(metric, sums.take(there))
        rows = self.rows.take(there).assign(bad=bad.to_numpy(), period=named)
        compared = rows[named != "earlier"]
        kept, left_out = usable(compared, self.names, metric.columns())
        columns = [c for c in ("id", "case_id", "at", "bad", "period", "agent", *kept) if c in rows.columns]
        kinds = {name: self.kinds[name] for name in kept}
        both = [part[columns].astype(kinds).reset_index(drop=True) for part in (compared, rows[named == "earlier"])]
        return Outcome(*both, left_out)


def read_rows(listing: Listing, view: str, names: Sequence[str], days: pd.DataFrame, people: pd.DataFrame) -> RowSet:
    """Make a set of rows of what was listed.

    Parameters
    ----------
    listing : Listing
        Of one view and time, with the view's keys, ``agent`` and dimensions.
    view : str
    names : sequence of str
        Dimensions, those to prefer first; such as rows haven't got are passed over.
    days : DataFrame
        As `periods.day_classes` gives it.
    people : DataFrame
        As `Material.people`.
    """
    own = KEYS[view][0]
    rows = listing.rows.assign(id=listing.rows[own])
    rows = rows.drop(columns=[name for name in (own, "contact_id") if name in rows.columns and name != "case_id"])
    rows = rows.sort_values(["at", "id"])
    order = rows.index.to_numpy()
    rows = add_tenure(add_times(rows.reset_index(drop=True), days), people)
    known = tuple(name for name in names if name in rows.columns)
    kinds = {name: rows[name].dtype for name in known}
    sums = {metric: each.take(order).reset_index(drop=True) for metric, each in listing.sums.items()}
    return RowSet(rows.astype(dict.fromkeys(known, "category")), sums, known, kinds)
