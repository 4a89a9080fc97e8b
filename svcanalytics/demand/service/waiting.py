"""How long callers are willing to wait: those who were answered would have waited longer still."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics.errors import DemandError

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["patience", "patience_curve"]

_WAITS = """
select queue, abandoned, wait_s from (
    select coalesce(queue, '-') as queue, coalesce(abandoned, false) as abandoned,
           epoch(case when coalesce(abandoned, false) then ended_at else coalesce(human_at, answered_at) end)
           - epoch(coalesce(queued_at, offered_at)) as wait_s
    from contacts where coalesce(direction, 'inbound') = 'inbound'
) where wait_s >= 0
"""


def patience(contacts: pd.DataFrame | Lake, by: str | None = "queue", *, level: float = 0.95) -> pd.DataFrame:
    """Estimate mean patience, with its interval, from the waits of callers who gave up and of those who did not.

    An answered wait says that patience was longer, no more. With exponential patience the likeliest mean is all time
    waited over the number of callers who gave up, and its interval is exact when the time is given (Epstein and Sobel
    1953, J. Amer. Statist. Assoc. 48:486): chi-squared with 2 d, and 2 d + 2, degrees of freedom. The mean wait of
    those who gave up is far too short: the patient are answered before they would.

    Parameters
    ----------
    contacts : pandas.DataFrame or Lake
        ``wait_s`` and ``abandoned``, or a lake: inbound contacts' waits in the queue; of a lake, those
        that end before they begin are left out.
    by : str, optional
        A column to split by; None takes all together.
    level : float
        Of the interval, 0-1.

    Returns
    -------
    pandas.DataFrame
        group, contacts, abandoned, waited_s (in all), mean_s (infinite when nobody gave up), lower, upper, median_s:
        the time within which half would give up, of the curve that assumes nothing (NaN when it does not fall so far).

    Raises
    ------
    DemandError
        A column is missing, a wait is negative, or there is none.
    """
    from scipy.stats import chi2

    rows = _waits(contacts)
    tail = (1 - level) / 2
    found = []
    for group, own in rows.groupby(rows[by].fillna("-").astype(str) if by in rows else np.zeros(len(rows)), sort=True):
        waited, gone = float(own["wait_s"].sum()), int(own["abandoned"].sum())
        lower = 2 * waited / chi2.ppf(1 - tail, 2 * gone + 2)
        upper = 2 * waited / chi2.ppf(tail, 2 * gone) if gone else np.inf
        curve = _curve(own, level)
        fallen = curve.loc[curve["willing"] <= 0.5, "wait_s"]
        found.append(
            {
                "group": group if by in rows else "",
                "contacts": len(own),
                "abandoned": gone,
                "waited_s": waited,
                "mean_s": waited / gone if gone else np.inf,
                "lower": lower,
                "upper": upper,
                "median_s": float(fallen.iloc[0]) if len(fallen) else np.nan,
            }
        )
    return pd.DataFrame(found)


def patience_curve(contacts: pd.DataFrame | Lake, *, level: float = 0.95) -> pd.DataFrame:
    """Return the share of callers still willing to wait, by time waited, with pointwise intervals.

    Kaplan and Meier 1958 (J. Amer. Statist. Assoc. 53:457); Greenwood's variance on the log-log scale (Kalbfleisch and
    Prentice 2002, eq. 1.12), which keeps the interval within 0 and 1.

    Parameters
    ----------
    contacts, level :
        As `patience` takes them.

    Returns
    -------
    pandas.DataFrame
        wait_s (when somebody gave up), waiting (who waited so long), abandoned (then), willing, lower, upper.
    """
    return _curve(_waits(contacts), level)


def _curve(rows: pd.DataFrame, level: float) -> pd.DataFrame:
    from scipy.stats import norm

    waits = np.sort(rows["wait_s"].to_numpy(float))
    times, gone = np.unique(rows.loc[rows["abandoned"], "wait_s"].to_numpy(float), return_counts=True)
    waiting = len(waits) - np.searchsorted(waits, times, side="left")
    willing = np.cumprod(1 - gone / waiting)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(gone / (waiting * (waiting - gone)))
        half = norm.ppf(0.5 + level / 2) * np.sqrt(variance) / np.abs(np.log(willing))
        lower, upper = willing ** np.exp(half), willing ** np.exp(-half)
    known = (willing > 0) & (willing < 1)
    return pd.DataFrame(
        {
            "wait_s": times,
            "waiting": waiting,
            "abandoned": gone,
            "willing": willing,
            "lower": np.where(known, lower, willing),
            "upper": np.where(known, upper, willing),
        }
    )


def _waits(contacts: pd.DataFrame | Lake) -> pd.DataFrame:
    rows = contacts if isinstance(contacts, pd.DataFrame) else contacts.sql(_WAITS)
    lacking = [name for name in ("wait_s", "abandoned") if name not in rows]
    if lacking:
        raise DemandError(f"the frame has no column {', '.join(lacking)}", fix="give wait_s and abandoned")
    rows = rows[rows["wait_s"].notna() & rows["abandoned"].notna()].astype({"abandoned": bool})
    if (rows["wait_s"] < 0).any():
        where = f"row {rows['wait_s'].idxmin()}"
        raise DemandError("a wait is negative", where=where, fix="correct its times or leave it out")
    if rows.empty:
        raise DemandError("there is no wait to learn from", fix="give waits of answered and abandoned contacts")
    return rows
