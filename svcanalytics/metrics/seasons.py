"""Last year on comparable days: with this year's mix of working days, weekends and holidays (同比口径)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics.metrics.definitions import catalogue
from svcanalytics.metrics.expressions import names_in
from svcanalytics.metrics.measures import measure_definitions
from svcanalytics.periods import Period, day_classes, parse_period

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["compare_days"]

_Z = 1.959963984540054
# Where last year's window has no day of a class, the nearest one stands in.
_STAND_IN = {"eve": "ordinary", "bridge": "ordinary", "make_up": "ordinary"}
_STAND_IN |= {"substituted": "weekend", "holiday": "weekend"}


def compare_days(
    lake: Lake,
    metrics: str | Sequence[str],
    period: str | Period,
    by: str | Sequence[str] = (),
    where: Mapping[str, object] | None = None,
) -> pd.DataFrame:
    """Compare a period with last year on comparable days.

    The Spring Festival and other moving days make the same month of two years hold different days. Here every day class
    of this year's period is given last year's mean day of that class, from the same period last year and its two
    neighbours: what last year would have been with this year's calendar.

    Parameters
    ----------
    lake, metrics, by, where
        As in `measure`; quantiles don't add up over days and are left out.
    period : str or Period
        The period, by the lake's month start.

    Returns
    -------
    DataFrame
        metric, period, the columns of `by`, value, n, comparable (last year's value on comparable days), change, low,
        high (95 %, from the spread between days of a class), change_ratio, base (``comparable_days``, ``no_base``,
        ``suppressed``).
    """
    by = names_in(by)
    period = parse_period(period, lake.month_start)
    before = period.same_last_year()
    window = before.previous(), before.next()
    chosen = [metric for metric in catalogue(lake).choose(metrics) if metric.kind != "quantile"]
    daily = [metric.model_copy(update={"min_n": 0}) for metric in chosen]
    now = measure_definitions(lake, daily, by, "day", period.start, period.last, where, named=True)
    then = measure_definitions(lake, daily, by, "day", window[0].start, window[1].last, where, named=True)
    this, last = _classes(period.start, period.end, lake), _classes(window[0].start, window[1].end, lake)
    floors = {metric.id: (metric.min_n, metric.scale, metric.kind) for metric in chosen}
    base = dict(iter(then.groupby(["metric", *by], dropna=False))) if len(then) else {}
    rows = []
    for key, days in now.groupby(["metric", *by], dropna=False):
        least, scale, kind = floors[key[0]]
        found = _compared(days, base.get(key), this, last, kind)
        if days["n"].sum() < least:
            found = dict.fromkeys(found, np.nan) | {"base": "suppressed"}
        value = {name: found[name] / scale for name in ("value", "comparable", "change", "low", "high")}
        rows.append((*key, period.key, days["n"].sum(), found["change_ratio"], found["base"], *value.values()))
    names = ["metric", *by, "period", "n", "change_ratio", "base", "value", "comparable", "change", "low", "high"]
    order = ["metric", "period", *by, "value", "n", "comparable", "change", "low", "high", "change_ratio", "base"]
    return pd.DataFrame(rows, columns=names).astype({"n": "Int64"})[order]


def _classes(start: date, end: date, lake: Lake) -> pd.Series:
    """Return the class of each day from `start` to before `end`, by its timestamp."""
    found = day_classes(start, end, lake.country)
    return pd.Series(found["day_class"].to_numpy(), index=pd.to_datetime(found["day"]))


def _compared(
    days: pd.DataFrame, base: pd.DataFrame | None, this: pd.Series, last: pd.Series, kind: str
) -> dict[str, object]:
    x, y = _daily(days, this.index, kind)
    value = _ratio(x.sum(), y.sum(), kind)
    nothing = {"value": value, "comparable": np.nan, "change": np.nan, "low": np.nan, "high": np.nan}
    if base is None or base.empty:
        return nothing | {"change_ratio": np.nan, "base": "no_base"}
    # Days before the unit's first row last year aren't days without demand: there was no data.
    covered = last[last.index >= base["start"].min()]
    bx, by = _daily(base, covered.index, kind)
    wanted = this.where(this.isin(covered.unique()), this.map(_STAND_IN)).value_counts()
    if not set(wanted.index) <= set(covered.unique()) or wanted.sum() < len(this):
        return nothing | {"change_ratio": np.nan, "base": "no_base"}
    counts = covered.value_counts()
    weight = covered.map(wanted / counts).fillna(0.0).to_numpy(float)
    total_x, total_y = (weight * bx).sum(), (weight * by).sum()
    comparable = _ratio(total_x, total_y, kind)
    # What a day adds beside its class's usual: the spread between days, not only the binomial one.
    beside = bx - (comparable * by if kind != "count" else 0.0)
    usual = pd.Series(beside).groupby(covered.to_numpy()).transform("mean").to_numpy()
    spread = ((beside - usual) ** 2).sum() / max(len(covered) - len(counts), 1)
    variance = spread * ((weight**2).sum() + len(this)) / (1.0 if kind == "count" else total_y**2)
    change, half = value - comparable, _Z * variance**0.5
    ratio = change / comparable if comparable else np.nan
    found = {"value": value, "comparable": comparable, "change": change, "low": change - half, "high": change + half}
    return found | {"change_ratio": ratio, "base": "comparable_days"}


def _daily(days: pd.DataFrame, index: pd.Index, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return numerator and denominator of every day; a day without a row adds nothing."""
    atoms = days.set_index("start")[["numerator", "denominator"]].astype("float64").reindex(index).fillna(0.0)
    return atoms["numerator"].to_numpy(), np.ones(len(atoms)) if kind == "count" else atoms["denominator"].to_numpy()


def _ratio(x: float, y: float, kind: str) -> float:
    return x if kind == "count" else (x / y if y else np.nan)
