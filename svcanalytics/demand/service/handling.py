"""What staffing needs beside arrivals: how long contacts take, and how much paid time is not at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import DemandError

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["NOT_WORKING", "handle_times", "shrinkage"]

NOT_WORKING = ("break", "training", "meeting", "leave", "sick")
"""Kinds of a roster's time that are paid and not at work."""
_PAID = ("work", "overtime", *NOT_WORKING)
_HALF_LIFE = 28.0
_HANDLED = """
select coalesce(queue, '-') as queue, coalesce(human_at, answered_at) as start,
       coalesce(talk_s, 0) + coalesce(hold_s, 0) + coalesce(wrap_s, 0) as handle_s
from contacts
where answered_at is not null and not coalesce(abandoned, false) and coalesce(direction, 'inbound') = 'inbound'
      and coalesce(handled_by, 'human') = 'human' and talk_s is not null
"""


def handle_times(
    contacts: pd.DataFrame | Lake, *, slot_hours: int = 1, half_life: float = _HALF_LIFE, level: float = 0.95
) -> pd.DataFrame:
    """Forecast mean handle times by queue, weekday and time of day.

    A queue's level is its discounted mean: a contact counts half as much for each half-life that it lies before the
    last day, so that a trend is followed and one odd week is not. Weekdays and times of day are ratios to it, drawn to
    1 by as much as chance explains them (empirical Bayes with the variance of DerSimonian and Laird 1986, Control.
    Clin. Trials 7:177).

    Parameters
    ----------
    contacts : pandas.DataFrame or Lake
        ``queue`` (may be left out), ``start`` (aware or local), ``handle_s``; or a lake: inbound contacts that people
        answered, talk, hold and wrap-up together.
    slot_hours : int
        Hours of the day taken together.
    half_life : float
        In days.
    level : float
        Of the intervals, 0-1.

    Returns
    -------
    pandas.DataFrame
        queue, weekday (0 is Monday), hour (the slot's first), contacts, mean_s, lower, upper: interval of the mean,
        with days as they differ and what is not known of the pattern. Only cells that had contacts.
        ``attrs["levels"]``: queue, days, mean_s, lower, upper, day_sd_s (by how much a day's mean differs).

    Raises
    ------
    DemandError
        A column is missing, a duration is negative, or there is no contact.
    """
    rows = _local(_rows(contacts, _HANDLED, ("start", "handle_s")))
    if (rows["handle_s"] < 0).any():
        worst = rows.loc[rows["handle_s"].idxmin()]
        raise DemandError("a handle time is negative", where=f"{worst['start']}", fix="correct it or leave it out")
    rows["hour"] = rows["start"].dt.hour // slot_hours * slot_hours
    rows["weekday"] = rows["start"].dt.day_of_week
    parts, levels = [], []
    for queue, own in rows.groupby("queue", sort=True):
        weight = 0.5 ** ((own["day"].max() - own["day"]).dt.days.to_numpy() / half_life)
        mean, error, day_sd, days = _ratio(own["day"], own["handle_s"].to_numpy(float), np.ones(len(own)), weight)
        half = _quantile(level, days) * error
        levels.append((queue, days, mean, max(mean - half, 0.0), mean + half, day_sd))
        deviation = np.sqrt(np.average((own["handle_s"] - mean) ** 2, weights=weight))
        factors = [_factors(own[name], own["handle_s"], weight, mean, deviation) for name in ("weekday", "hour")]
        cells = own.groupby(["weekday", "hour"]).size().rename("contacts").reset_index()
        ratio, unsure = np.ones(len(cells)), np.full(len(cells), (error / mean) ** 2 if mean else 0.0)
        for name, known in zip(("weekday", "hour"), factors, strict=True):
            ratio *= cells[name].map(known["ratio"]).to_numpy()
            unsure += cells[name].map(known["variance"] / known["ratio"] ** 2).to_numpy()
        cells["mean_s"] = mean * ratio
        half = _quantile(level, days) * np.sqrt(unsure) * cells["mean_s"]
        cells["lower"], cells["upper"] = np.maximum(cells["mean_s"] - half, 0.0), cells["mean_s"] + half
        parts.append(cells.assign(queue=queue))
    table = pd.concat(parts, ignore_index=True)
    table.attrs["levels"] = pd.DataFrame(levels, columns=["queue", "days", "mean_s", "lower", "upper", "day_sd_s"])
    return table[["queue", "weekday", "hour", "contacts", "mean_s", "lower", "upper"]]


def shrinkage(
    roster: pd.DataFrame | Lake,
    by: str | None = None,
    *,
    status: str = "worked",
    half_life: float = _HALF_LIFE,
    level: float = 0.95,
) -> pd.DataFrame:
    """Forecast the share of paid time that is not at work: breaks, training, meetings, leave and sickness.

    Parameters
    ----------
    roster : pandas.DataFrame or Lake
        ``kind``, ``start_at``, ``end_at``, and ``status`` where planned and worked time are both there; as the lake's
        ``roster``. Time on call is not paid time here.
    by : str, optional
        A column to split by, such as ``queue`` or ``site``.
    status : str
        ``worked`` or ``planned``.
    half_life : float
        In days: a day counts half as much for each that it lies back.
    level : float
        Of the interval, 0-1.

    Returns
    -------
    pandas.DataFrame
        group, days, hours (paid), shrinkage, lower, upper, day_sd (by how much a day's share differs), and the share
        of each kind.

    Raises
    ------
    DemandError
        A column is missing, an interval ends before it begins, or there is no paid time.
    """
    rows = _rows(roster, "select * from roster", ("kind", "start_at", "end_at"))
    if "status" in rows:
        rows = rows[rows["status"].isna() | (rows["status"] == status)]
    rows = rows[rows["kind"].isin(_PAID) & rows["end_at"].notna()]
    seconds = (rows["end_at"] - rows["start_at"]).dt.total_seconds()
    if (seconds < 0).any():
        where = str(rows.loc[seconds.idxmin(), "start_at"])
        raise DemandError("an interval of the roster ends before it begins", where=where, fix="correct its times")
    if not seconds.sum():
        raise DemandError("the roster holds no paid time", where=f"status {status}", fix="load worked time")
    rows = _local(rows.rename(columns={"start_at": "start"})).assign(seconds=seconds.to_numpy())
    rows["group"] = rows[by].fillna("-").astype(str) if by else ""
    found = []
    for group, own in rows.groupby("group", sort=True):
        weight = 0.5 ** ((own["day"].max() - own["day"]).dt.days.to_numpy() / half_life)
        paid = own["seconds"].to_numpy(float)
        away = paid * own["kind"].isin(NOT_WORKING).to_numpy()
        share, error, day_sd, days = _ratio(own["day"], away, paid, weight)
        half = _quantile(level, days) * error
        row = {"group": group, "days": days, "hours": paid.sum() / 3600, "shrinkage": share}
        row |= {"lower": max(share - half, 0.0), "upper": min(share + half, 1.0), "day_sd": day_sd}
        total = (paid * weight).sum()
        found.append(row | {k: (paid * weight * (own["kind"] == k).to_numpy()).sum() / total for k in NOT_WORKING})
    return pd.DataFrame(found)


def _ratio(
    day: pd.Series, numerator: NDArray[np.float64], denominator: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float, float, int]:
    """Return a discounted ratio of sums, its standard error, the spread of days, and their number."""
    frame = pd.DataFrame({"top": numerator * weight, "base": denominator * weight})
    sums = frame.groupby(day.to_numpy()).sum()
    sums = sums[sums["base"] > 0]
    mean = sums["top"].sum() / sums["base"].sum()
    days = len(sums)
    if days < 2:
        return mean, np.inf, np.inf, days
    share = (sums["base"] / sums["base"].sum()).to_numpy()
    spread = (share * ((sums["top"] / sums["base"]).to_numpy() - mean) ** 2).sum() / (1 - (share**2).sum())
    return mean, float(np.sqrt(spread * (share**2).sum())), float(np.sqrt(spread)), days


def _factors(
    key: pd.Series, values: pd.Series, weight: NDArray[np.float64], mean: float, deviation: float
) -> pd.DataFrame:
    """Return ratios to the mean by key, drawn to 1, and the variances that are left."""
    frame = pd.DataFrame({"top": values.to_numpy(float) * weight, "base": weight, "square": weight**2})
    sums = frame.groupby(key.to_numpy()).sum()
    if not mean:
        return pd.DataFrame({"ratio": 1.0, "variance": 0.0}, index=sums.index)
    ratio = sums["top"] / sums["base"] / mean
    chance = (deviation / mean) ** 2 * sums["square"] / sums["base"] ** 2
    precision = 1 / np.maximum(chance, 1e-12)
    off = (precision * (ratio - 1) ** 2).sum() - (len(ratio) - 1)
    scale = precision.sum() - (precision**2).sum() / precision.sum()
    between = max(off / scale, 0.0) if scale > 0 else 0.0
    kept = between / (between + chance) if between else 0.0 * chance
    return pd.DataFrame({"ratio": 1 + kept * (ratio - 1), "variance": kept * chance})


def _quantile(level: float, days: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.5 + level / 2, max(days - 1, 1)))


def _rows(source: pd.DataFrame | Lake, query: str, needed: tuple[str, ...]) -> pd.DataFrame:
    if not isinstance(source, pd.DataFrame):
        rows = source.sql(query)
        for name in rows.columns[[pd.api.types.is_datetime64_any_dtype(kind) for kind in rows.dtypes]]:
            rows[name] = rows[name].dt.tz_convert(source.timezone)
    else:
        rows = source.copy()
    lacking = [name for name in needed if name not in rows]
    if lacking:
        raise DemandError(f"the frame has no column {', '.join(lacking)}", fix=f"give {', '.join(needed)}")
    rows = rows.dropna(subset=list(needed))
    if rows.empty:
        raise DemandError("there is no row to learn from", fix="give contacts or roster rows with their times")
    return rows.assign(queue=rows["queue"].fillna("-").astype(str) if "queue" in rows else "")


def _local(rows: pd.DataFrame) -> pd.DataFrame:
    start = rows["start"].dt.tz_localize(None)
    return rows.assign(start=start, day=start.dt.normalize())
