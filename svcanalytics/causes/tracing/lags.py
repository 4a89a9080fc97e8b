"""Relations over time: which measure moves after which, once weekdays, seasons and inertia are taken out of both.

Two series that each drift seem related though they have nothing to do with one another (Yule 1926). So the leading one
is turned into what nobody could foresee of it, the other passes the same filter, and only then are they held together
(Box and Jenkins 1976, section 11.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.tracing.correction import hold_family
from svcanalytics.errors import CauseError

__all__ = ["RELATION_COLUMNS", "relations"]

Array = NDArray[np.float64]

RELATION_COLUMNS = ("measure", "with", "lag", "effect", "low", "high", "n", "p_value")

_FEWEST = 24
_GAPS = 0.1
"""Share of missing times beyond which a series is left out; fewer are bridged by a straight line."""


def relations(
    measures: pd.DataFrame, of: str | Sequence[str] | None = None, *, lags: int = 4, level: float = 0.05
) -> pd.DataFrame:
    """Find which measures move with or after which others.

    From each series its trend, its weekdays (of daily series) and the turn of the year (of series of a year and a half)
    are taken out. The leading series is filtered by an autoregression of its own (its order by Akaike's criterion)
    until nothing of it can be foreseen; the other passes the same filter. Their regression at each lag is the effect.

    Parameters
    ----------
    measures : DataFrame
        ``metric``, ``start``, ``value``, equally spaced in time; with a column ``every``, its finest spacing is taken.
    of : str or sequence of str, optional
        The measures to be explained; default all.
    lags : int
        Most periods that one measure goes before another.
    level : float
        Relations with a higher p-value are left out; 1 returns all.

    Returns
    -------
    pandas.DataFrame
        The surest first: measure, with (the one that leads), lag (by so many periods), effect (units of `measure` that
        follow one unit of `with`), low, high (its 95 % interval), n (periods), p_value (by Holm 1979, for all
        measures and lags together). Relations within the same period stand once, with no word on which leads. Series
        of fewer than 24 periods, constant ones or those with more than a tenth missing are left out, and named in
        ``attrs["left_out"]``.

    Raises
    ------
    CauseError
        When a column is missing, a measure isn't there, or the lags are fewer than 0.
    """
    table, left_out = _series(measures)
    asked = list(table.columns) if of is None else [of] if isinstance(of, str) else list(of)
    unknown = [name for name in asked if name not in table.columns and name not in left_out]
    if unknown:
        raise CauseError(f"there is no measure {unknown[0]!r}", where="of", fix="use a value of the column metric")
    if lags < 0:
        raise CauseError(f"lags of {lags} can't be looked at", where="lags", fix="use 0 or more")
    values = {name: table[name].to_numpy("float64") for name in table.columns}
    season = _season(table.index)
    calm = {name: _deseasonalised(values[name], season) for name in table.columns}
    rows = []
    for leading in table.columns:
        filter_ = _autoregression(calm[leading])
        shock = _filtered(calm[leading], filter_)
        spent = 1 + season.shape[1] + len(filter_)
        for name in asked:
            if name == leading or name not in calm:
                continue
            answer = _filtered(calm[name], filter_)
            twice = leading in asked and name > leading
            for lag in range(1 if twice else 0, min(lags, len(shock) - _FEWEST // 2) + 1):
                rows.append((name, leading, lag, *_slope(shock, answer, lag, spent)))
    found = pd.DataFrame(rows, columns=list(RELATION_COLUMNS)).astype({"lag": "int64", "n": "int64"})
    found["p_value"] = hold_family(found["p_value"].to_numpy("float64"))
    found = found[found["p_value"] <= level].sort_values(["p_value", "measure", "with", "lag"], ignore_index=True)
    found.attrs["left_out"] = left_out
    return found


def _series(measures: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    absent = [name for name in ("metric", "start", "value") if name not in measures.columns]
    if absent:
        raise CauseError(f"there is no column {absent[0]!r}", where="measures", fix="give metric, start and value")
    known = measures[measures["value"].notna()]
    if "every" in known.columns and known["every"].ne(known["every"].iloc[:1].squeeze()).any():
        finest = known.groupby("every")["start"].nunique().idxmax()
        known = known[known["every"] == finest]
    if known.duplicated(["metric", "start"]).any():
        raise CauseError(
            "a measure has two values for one time", where="measures", fix="give it without groups, or one group of it"
        )
    wide = known.pivot_table(index="start", columns="metric", values="value", sort=True)
    if len(wide) > 2:
        wide = wide.reindex(_regular(pd.DatetimeIndex(wide.index)))
    left_out, kept = {}, {}
    for name in wide.columns:
        inside = wide[name].loc[wide[name].first_valid_index() : wide[name].last_valid_index()]
        if len(inside) < _FEWEST:
            left_out[str(name)] = f"has {len(inside)} periods, {_FEWEST} are needed"
        elif inside.isna().mean() > _GAPS:
            left_out[str(name)] = "has too many gaps"
        elif inside.std() < 1e-12 * max(abs(inside.mean()), 1.0):
            left_out[str(name)] = "never changes"
        else:
            kept[str(name)] = wide[name].interpolate(limit_area="inside")
    return pd.DataFrame(kept, index=wide.index), left_out


def _regular(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    days = int(np.median(np.diff(times.to_numpy()).astype("timedelta64[D]").astype(int)))
    if days >= 28:  # months, quarters: take them as they come
        return times
    return pd.date_range(times[0], times[-1], freq=f"{max(days, 1)}D", unit=times.unit)


def _season(times: pd.DatetimeIndex) -> Array:
    # A constant, the trend, weekdays of daily series, and the turn of the year where it can be told.
    parts = [np.ones(len(times)), np.arange(len(times), dtype="float64")]
    days = (times[-1] - times[0]).days if len(times) else 0
    if days / max(len(times) - 1, 1) < 2:
        parts += [(times.day_of_week == day).astype("float64") for day in range(6)]
    if days >= 1.5 * 365:
        turn = 2 * np.pi * times.day_of_year.to_numpy() / 365.25
        parts += [np.sin(turn), np.cos(turn)]
    return np.column_stack(parts)


def _deseasonalised(values: Array, season: Array) -> Array:
    known = np.isfinite(values)
    return values - season @ np.linalg.lstsq(season[known], values[known], rcond=None)[0]


def _autoregression(values: Array) -> Array:
    """Return the coefficients of the autoregression that Akaike's criterion prefers; none for white noise."""
    known = values[np.isfinite(values)]
    most = min(int(len(known) / 6), 8)
    target = known[most:]
    lagged = np.column_stack([known[most - k : len(known) - k] for k in range(1, most + 1)])
    best, chosen = np.inf, np.zeros(0)
    for order in range(most + 1):
        x = np.column_stack([np.ones(len(target)), lagged[:, :order]])
        solution = np.linalg.lstsq(x, target, rcond=None)[0]
        error = float(((target - x @ solution) ** 2).mean())
        criterion = len(target) * np.log(max(error, 1e-300)) + 2 * order
        if criterion < best - 1e-9:
            best, chosen = criterion, solution[1:]
    return chosen


def _filtered(values: Array, coefficients: Array) -> Array:
    out = values.copy()
    for k, coefficient in enumerate(coefficients, start=1):
        out[k:] -= coefficient * values[:-k]
    out[: len(coefficients)] = np.nan
    return out


def _slope(shock: Array, answer: Array, lag: int, spent: int) -> tuple[float, float, float, int, float]:
    from scipy.special import stdtr, stdtrit

    x, y = shock[: len(shock) - lag], answer[lag:]
    both = np.isfinite(x) & np.isfinite(y)
    x, y, n = x[both] - x[both].mean(), y[both] - y[both].mean(), int(both.sum())
    square = float(x @ x)
    freedom = n - spent
    if freedom < 2 or square <= 0:
        return np.nan, np.nan, np.nan, n, 1.0
    effect = float(x @ y) / square
    error = float(np.sqrt(((y - effect * x) ** 2).sum() / freedom / square))
    reach = float(stdtrit(freedom, 0.975)) * error
    p_value = float(2 * stdtr(freedom, -abs(effect) / error)) if error > 0 else 0.0
    return effect, effect - reach, effect + reach, n, p_value
