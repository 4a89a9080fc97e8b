"""Since when something has been wrong, and whether it is new, larger, as it was or smaller than before."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.tracing.layers import conditions_of
from svcanalytics.causes.tracing.verdicts import cases_of

__all__ = ["first_day", "place_in_time"]

Array = NDArray[np.float64]
Trend = Literal["new", "larger", "steady", "smaller", ""]

_FEWEST = 5
_ENOUGH = 20
_Z = 1.96
_QUARTER = 0.25  # of the loss now; what was there before and is smaller isn't worth a word
_CLEARLY = 10.0  # by how much twice the log likelihood must be greater for a day before the period


def first_day(at: pd.Series, left: Array, start: pd.Timestamp) -> pd.Timestamp:
    """Return the day from which on a mean was higher, by the likelihood of one step up that lasts.

    The day with the largest (sum of what is left from it on)^2 / (rows from it on), as of a change point with a known
    mean before it (Hinkley 1970, Biometrika 57:1).

    Parameters
    ----------
    at : Series
        Times of the rows.
    left : numpy.ndarray
        What came beyond the expected, row by row.
    start : Timestamp
        First day it can be.

    Returns
    -------
    Timestamp
        Midnight; NaT when there are hardly any rows.
    """
    day = at.dt.normalize()
    rows = (day >= start).to_numpy()
    if rows.sum() < _FEWEST:
        return pd.NaT
    sums = pd.Series(left[rows]).groupby(day[rows].to_numpy()).agg(["sum", "count"]).sort_index(ascending=False)
    total, count = sums["sum"].cumsum(), sums["count"].cumsum()
    gain = (np.maximum(total, 0) ** 2 / count).where(count >= _FEWEST, -1.0)
    return pd.Timestamp(gain.idxmax())


def place_in_time(
    material: Material, metric: str, where: str, since: pd.Timestamp
) -> tuple[pd.Timestamp, Trend, list[dict[str, object]]]:
    """Tell since when a set of cases has gone worse than the others, and how that is against the time before.

    In every month the cases are held against all others, so that what became worse for everybody isn't theirs. One step
    up that lasts is looked for in all there is, periods before the baseline too. A day before the period is believed
    only if it is far likelier than the one given.

    Parameters
    ----------
    material : Material
    metric : str
    where : str
        The cases, by dimensions or a step.
    since : Timestamp
        The day told from the period alone; NaT when none was.

    Returns
    -------
    since : Timestamp
        First day; NaT where the cases always went worse.
    trend : {"new", "larger", "steady", "smaller", ""}
        "new" when nothing, or less than a quarter, was there before; "" when there is no time before to say it by.
    history : list of dict
        By period, the oldest first: period, n, excess (sum of ``bad`` beyond that of the others).
    """
    rows = _rows_over_time(material, metric, where)
    if rows is None:
        return since, "", []
    start = pd.Timestamp(material.period.start)
    inside = cases_of(rows, where, material.events)
    at, left = rows["at"][inside], _left(rows, inside)
    now = (at >= start).to_numpy()
    history = _history(material, at, left)
    if (~now).sum() < _ENOUGH or now.sum() < _FEWEST:
        return since, "new" if material.baseline is not None else "", history
    day, gain = _steps(at, left)
    best = int(gain.argmax())
    told = 0.0 if pd.isna(since) else float(gain[day <= since.to_datetime64()][-1])
    if day[best] < start.to_datetime64() and gain[best] > _CLEARLY + told:
        since = pd.Timestamp(day[best])
        after = (at >= since).to_numpy()
        usual = left[~after].mean()
        return since, _against(left[now] - usual, left[after & ~now] - usual), history
    if not where:  # no others to hold them against
        return since, "larger" if material.baseline is not None else "", history
    last = (at >= pd.Timestamp(material.period.previous().start)).to_numpy() & ~now
    trend = _against(left[now], left[last if last.any() else ~now])
    if trend not in ("new", "larger"):
        return pd.NaT, trend, history
    return first_day(at[now], left[now], start) if pd.isna(since) else since, trend, history


def _rows_over_time(material: Material, metric: str, where: str) -> pd.DataFrame | None:
    rows, old = material.outcomes[metric], material.earlier.get(metric)
    named = {column for column, _ in conditions_of(where)}
    if old is not None and len(old) and named <= set(old.columns) and named <= set(rows.columns):
        keep = ["id", *(["case_id"] if "case_id" in rows and "case_id" in old else []), "at", "bad", *sorted(named)]
        return pd.concat([old[keep], rows[keep]], ignore_index=True)
    steps = named & {"step", "activity"} if len(material.events) else set()
    return rows if named - steps <= set(rows.columns) else None


def _left(rows: pd.DataFrame, inside: NDArray[np.bool_]) -> Array:
    """Return of the rows inside how much worse they went than the others of their month."""
    month = rows["at"].dt.year.to_numpy() * 12 + rows["at"].dt.month.to_numpy()
    code = month - month.min()
    bad = rows["bad"].to_numpy("float64")
    n = np.bincount(code[~inside], minlength=code.max() + 1)
    others = np.bincount(code[~inside], bad[~inside], code.max() + 1)
    overall = bad[~inside].mean() if n.any() else bad.mean()
    usual = (others + _FEWEST * overall) / (n + _FEWEST)
    return bad[inside] - usual[code[inside]]


def _steps(at: pd.Series, left: Array) -> tuple[NDArray[np.datetime64], Array]:
    """Return days, and twice the log likelihood that one step up came on each (Hinkley 1970)."""
    days = pd.Series(left).groupby(at.dt.normalize().to_numpy()).agg(["sum", "count"])
    n, total = len(left), left.sum()
    earlier = days["count"].cumsum().to_numpy() - days["count"].to_numpy()
    before = days["sum"].cumsum().to_numpy() - days["sum"].to_numpy()
    later = n - earlier
    rise = (total - before) / later - before / np.maximum(earlier, 1)
    gain = np.maximum(rise, 0) ** 2 * earlier * later / n
    gain[(earlier < _ENOUGH) | (later < _FEWEST)] = 0.0
    return days.index.to_numpy(), gain / np.maximum(left.var() - gain / n, 1e-12)


def _against(now: Array, then: Array) -> Trend:
    """Hold what cases lose now against what they lost then."""
    if len(then) < _FEWEST:
        return "new"
    errors = [float(np.sqrt(max(part.var(), 1e-12) / len(part))) for part in (now, then)]
    if then.mean() < max(_Z * errors[1], _QUARTER * now.mean()):
        return "new"
    difference = (now.mean() - then.mean()) / float(np.hypot(*errors))
    return "larger" if difference > _Z else "smaller" if difference < -_Z else "steady"


def _history(material: Material, at: pd.Series, left: Array) -> list[dict[str, object]]:
    out: list[dict[str, object]] = []
    each = material.period
    while len(at) and pd.Timestamp(each.end) > at.min():
        inside = ((at >= pd.Timestamp(each.start)) & (at < pd.Timestamp(each.end))).to_numpy()
        if inside.any():
            out.append({"period": each.key, "n": int(inside.sum()), "excess": float(left[inside].sum())})
        each = each.previous()
    return out[::-1]
