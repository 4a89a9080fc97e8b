"""The indicator table: a period against its target, the period before (环比), last year (同比) and the year so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcanalytics.errors import PeriodError
from svcanalytics.metrics import intervals
from svcanalytics.metrics.measures import COLUMNS
from svcanalytics.periods import Period, parse_period, periods_between, year_to_date

__all__ = ["compare", "lights", "streaks"]

_Z = 1.959963984540054
_STATS = ("value", "low", "high", "n", "numerator", "denominator", "std")
_KEY = ["metric", "_unit"]


def compare(
    measures: pd.DataFrame, period: str | Period, *, month_start: int = 1, country: str = "CN", alpha: float = 0.05
) -> pd.DataFrame:
    """Compare one period with its target, the period before, the same period last year, and the year so far.

    Parameters
    ----------
    measures : DataFrame
        What `measure` or `standards` gives for periods of one kind, with the history to compare to: the period itself,
        the one before, that of last year, and all of the year so far. What is missing reads "no_base".
    period : str or Period
        The period to look at.
    month_start : int
        First day of an assessment month.
    country : str
        With ``CN``, last year's January and February are compared together, since the Spring Festival moves between
        them: February's row compares both months with both; January's is marked ``january_alone``.
    alpha : float
        Share of false claims allowed among all changes called significant in the table (Benjamini and Hochberg).

    Returns
    -------
    DataFrame
        One row per metric and unit with a row in the period: metric, period, start, the columns of `by`, value, low,
        high, n, numerator, denominator, std, unit, target, met, flag, kind (rate, mean, ratio, count, quantile), light
        (green, yellow, red, grey, or "" without target); previous, change, change_low, change_high, change_ratio,
        change_significant, previous_base; last_year, yoy_change, yoy_low, yoy_high, yoy_ratio, yoy_significant,
        yoy_base; ytd, ytd_n, ytd_met, ytd_base; streak (periods met running, negative: missed).
        Changes are differences of the values (rates: 0.01 is one point); ``*_ratio`` is value / base - 1. The bases are
        ``ok``, ``no_base``, ``suppressed``, ``incomplete``, ``january_february``, ``january_alone``, ``from <period>``
        (year to date that begins late), ``not_additive`` (quantiles: measure them with ``every="year"``).

    Raises
    ------
    PeriodError
        When the frame holds no such period.
    """
    period = parse_period(period, month_start)
    frame = measures.copy()
    by = [name for name in frame.columns[3:] if name not in COLUMNS and name not in _LATER]
    frame["_unit"] = frame.groupby(by, dropna=False, sort=False).ngroup() if by else 0
    frame["kind"] = frame["metric"].map(_kinds(frame))
    now = frame[frame["period"] == period.key].copy()
    if now.empty and not frame.empty:
        found = frame["period"].drop_duplicates().tolist()
        raise PeriodError(
            "the measures hold no such period", where=period.key, fix=f"they hold {found[0]} to {found[-1]}"
        )
    now = now.set_index(_KEY)
    now["light"] = lights(now)
    p_values = []
    for side, base, basis in (
        ("previous", frame[frame["period"] == period.previous().key], ""),
        ("last_year", *_year_before(frame, period, country)),
    ):
        here = now if basis != "january_february" else _summed(frame, _months(period), now.index)
        found = _Change.of(here, base.set_index(_KEY).reindex(now.index), now["kind"], basis)
        now = now.assign(**found.named(side))
        p_values.append(found.p_value)
    adjusted = intervals.benjamini_hochberg(np.concatenate(p_values))
    for name, p in zip(("change_significant", "yoy_significant"), np.split(adjusted, 2), strict=True):
        now[name] = pd.array(np.where(np.isnan(p), False, p <= alpha), dtype="boolean")
        now.loc[np.isnan(p), name] = pd.NA
    now = now.assign(**_so_far(frame, now, period))
    now["streak"] = streaks(frame, period).reindex(now.index).fillna(0).astype("int64")
    return now.reset_index()[["metric", "period", "start", *by, *COLUMNS, "kind", "light", *_LATER]]


_LATER = (
    *("previous", "change", "change_low", "change_high", "change_ratio", "change_significant", "previous_base"),
    *("last_year", "yoy_change", "yoy_low", "yoy_high", "yoy_ratio", "yoy_significant", "yoy_base"),
    *("ytd", "ytd_n", "ytd_met", "ytd_base", "streak"),
)


def lights(measures: pd.DataFrame) -> np.ndarray:
    """Return the light of each row of a tidy frame.

    green: the whole interval meets the target; red: the whole interval misses it; yellow: the target lies inside;
    grey: too few rows; "" without a target. A target at the end of what is possible (100 %, or 0) has no far side:
    there a value that meets it is green. A value without an interval is judged alone.
    """
    value, low, high, target = (measures[name].to_numpy(float) for name in ("value", "low", "high", "target"))
    low, high = np.where(np.isnan(low), value, low), np.where(np.isnan(high), value, high)
    up = _is_up(measures)
    met = np.where(up, value >= target, value <= target)
    surely_met = np.where(up, low >= target, high <= target) | (met & np.isin(target, (0.0, 1.0)))
    surely_missed = np.where(up, high < target, low > target)
    light = np.select([surely_met, surely_missed], ["green", "red"], "yellow")
    light = np.where(measures["flag"].eq("suppressed") | np.isnan(value), "grey", light)
    return np.where(np.isnan(target) & ~np.isnan(value), "", light)


def _is_up(measures: pd.DataFrame) -> np.ndarray:
    """Tell for each row whether more is better, from the verdicts on the metric's rows."""
    above = measures["value"].to_numpy(float) > measures["target"].to_numpy(float)
    below = measures["value"].to_numpy(float) < measures["target"].to_numpy(float)
    met = measures["met"].fillna(False).to_numpy(bool)
    known = measures["met"].notna().to_numpy()
    down = pd.Series(known & ((above & ~met) | (below & met)))
    metric = measures.reset_index()["metric"]
    return ~down.groupby(metric.to_numpy()).transform("any").to_numpy(bool)


def streaks(measures: pd.DataFrame, period: Period) -> pd.Series:
    """Return for each metric and unit how many periods running, up to this one, it was met (negative: missed)."""
    known = measures.dropna(subset=["met"])
    verdicts = {key: dict(zip(part["period"], part["met"], strict=True)) for key, part in known.groupby(_KEY)}
    index = pd.MultiIndex.from_tuples(list(verdicts), names=_KEY)
    return pd.Series([_streak(of, period) for of in verdicts.values()], index=index, dtype="int64")


def _streak(verdicts: dict[str, bool], period: Period) -> int:
    if period.key not in verdicts:
        return 0
    verdict, length = verdicts[period.key], 0
    while verdicts.get(period.key) is not None and verdicts[period.key] == verdict:
        length, period = length + 1, period.previous()
    return length if verdict else -length


def _kinds(frame: pd.DataFrame) -> dict[str, str]:
    """Tell the kinds of metrics from their atoms, so that frames from anywhere can be compared."""
    kinds = {}
    for name, rows in frame.groupby("metric"):
        shown = rows[rows["flag"] != "suppressed"]
        x, y = shown["numerator"], shown["denominator"]
        if x.isna().all():
            kinds[name] = "quantile"
        elif y.isna().all():
            kinds[name] = "count"
        elif (y != shown["n"]).any() or shown["std"].isna().all():
            kinds[name] = "ratio"
        else:
            kinds[name] = "rate" if shown["unit"].eq("share").all() and ((x >= 0) & (x <= y)).all() else "mean"
    return kinds


@dataclass(frozen=True)
class _Change:
    """A change against a base, row by row."""

    base: np.ndarray
    change: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ratio: np.ndarray
    p_value: np.ndarray
    basis: np.ndarray

    @classmethod
    def of(cls, here: pd.DataFrame, base: pd.DataFrame, kinds: pd.Series, basis: str) -> _Change:
        a = {name: here[name].astype("Float64").to_numpy(float, na_value=np.nan) for name in _STATS}
        b = {name: base[name].astype("Float64").to_numpy(float, na_value=np.nan) for name in _STATS}
        kind = kinds.to_numpy()
        flag_a, flag_b = (part["flag"].fillna("").to_numpy() for part in (here, base))
        stated = np.where(flag_b == "incomplete", "incomplete", basis or "ok")
        stated = np.where(np.isnan(b["value"]), np.where(flag_b == "suppressed", "suppressed", "no_base"), stated)
        # A count of part of a period says nothing about a whole one.
        cut = (kind == "count") & ((flag_a == "incomplete") | (flag_b == "incomplete"))
        change = np.where(cut, np.nan, a["value"] - b["value"])
        low, high, p = (np.full(len(change), np.nan) for _ in range(3))
        for test, which in ((_rates, ["rate"]), (_means, ["mean"]), (_by_interval, ["ratio", "count", "quantile"])):
            at = np.isin(kind, which) & ~np.isnan(change)
            low[at], high[at], p[at] = test({k: v[at] for k, v in a.items()}, {k: v[at] for k, v in b.items()})
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(b["value"] > 0, change / b["value"], np.nan)
        return cls(b["value"], change, low, high, ratio, p, stated)

    def named(self, side: str) -> dict[str, np.ndarray]:
        prefix = "change" if side == "previous" else "yoy"
        plain = "change" if side == "previous" else "yoy_change"
        base = "previous_base" if side == "previous" else "yoy_base"
        return {side: self.base, plain: self.change, f"{prefix}_low": self.low, f"{prefix}_high": self.high} | {
            f"{prefix}_ratio": self.ratio,
            base: self.basis,
        }


def _rates(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    low, high = intervals.newcombe_interval(a["value"], a["low"], a["high"], b["value"], b["low"], b["high"])
    return low, high, intervals.score_test(a["numerator"], a["n"], b["numerator"], b["n"])


def _means(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return intervals.welch_test(a["value"], a["std"], a["n"], b["value"], b["std"], b["n"])


def _by_interval(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy import special

    spread = np.sqrt(((a["high"] - a["low"]) / (2 * _Z)) ** 2 + ((b["high"] - b["low"]) / (2 * _Z)) ** 2)
    difference = a["value"] - b["value"]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(spread == 0, np.where(difference == 0, 1.0, 0.0), 2 * special.ndtr(-np.abs(difference) / spread))
    return difference - _Z * spread, difference + _Z * spread, np.where(np.isnan(spread), np.nan, p)


def _months(period: Period) -> list[str]:
    return [period.previous().key, period.key]


def _year_before(frame: pd.DataFrame, period: Period, country: str) -> tuple[pd.DataFrame, str]:
    """Return the rows to compare with and on what basis: the Spring Festival moves between January and February."""
    before = period.same_last_year()
    base = frame[frame["period"] == before.key]
    if country != "CN" or period.kind != "month" or period.last.month > 2 or period.month_start != 1:
        return base, ""
    if period.last.month == 1:
        return base, "january_alone"
    both = [*_months(period), *_months(before)]
    if not set(both) <= set(frame["period"]):
        return base, ""
    index = base.set_index(_KEY).index
    return _summed(frame, _months(before), index).reset_index(), "january_february"


def _summed(frame: pd.DataFrame, keys: list[str], index: pd.Index) -> pd.DataFrame:
    """Return several periods as one, from their atoms; quantiles have none and come back empty."""
    rows = frame[frame["period"].isin(keys)].sort_values("start")
    out = {}
    for key, part in rows.groupby(_KEY):
        if key not in index:
            continue
        kind = part["kind"].iloc[0]
        hidden = part["flag"].eq("suppressed").any()
        n, x, y = (part[name].sum() for name in ("n", "numerator", "denominator"))
        row = dict.fromkeys(_STATS, np.nan) | {"n": n, "flag": "suppressed" if hidden else _worst(part["flag"])}
        if not hidden and kind != "quantile":
            value = _scaled(part, x, y, kind)
            row |= {"value": value, "numerator": x, "denominator": y} | _spread(part, kind, value, x, y, n)
        out[key] = row
    summed = pd.DataFrame.from_dict(out, orient="index", columns=[*_STATS, "flag"])
    summed.index = pd.MultiIndex.from_tuples(summed.index, names=_KEY)
    return summed.reindex(index)


def _worst(flags: pd.Series) -> str:
    return next((flag for flag in ("incomplete", "provisional") if flags.eq(flag).any()), "")


def _scaled(part: pd.DataFrame, x: int, y: int, kind: str) -> float:
    """Return the value of summed atoms on the scale that the rows' own values show."""
    raw = part["numerator"].astype(float) / (1.0 if kind == "count" else part["denominator"].astype(float))
    usable = part["value"].astype(float).ne(0) & raw.ne(0)
    scale = round(float((raw[usable] / part["value"].astype(float)[usable]).iloc[0])) if usable.any() else 1
    total = float(x) if kind == "count" else (int(x) / int(y) if y else np.nan)
    return total / scale


def _spread(part: pd.DataFrame, kind: str, value: float, x: int, y: int, n: int) -> dict[str, float]:
    if kind == "rate":
        low, high = intervals.wilson_interval([x], [y])
        return {"low": low[0], "high": high[0], "std": (value * (1 - value)) ** 0.5}
    if kind == "mean":
        k, mean, std = (part[name].astype(float) for name in ("n", "value", "std"))
        inner = (std.fillna(0) ** 2 * (k - 1)).sum() + (k * (mean - value) ** 2).sum()
        std = (inner / (n - 1)) ** 0.5 if n > 1 else np.nan
        half = _Z * std / n**0.5 if n > 1 else np.nan
        return {"low": value - half, "high": value + half, "std": std}
    weight = part["denominator"].astype(float) if kind == "ratio" else 1.0
    half = (((part["high"] - part["low"]) / 2 * weight) ** 2).sum() ** 0.5 / (float(y) if kind == "ratio" else 1.0)
    return {"low": value - half, "high": value + half, "std": np.nan}


def _so_far(frame: pd.DataFrame, now: pd.DataFrame, period: Period) -> dict[str, object]:
    first, _ = year_to_date(period)
    keys = [p.key for p in periods_between(first, period.last, period.kind, period.month_start)]
    total = _summed(frame, keys, now.index)
    held = set(frame["period"])
    begun = next((key for key in keys if key in held), period.key)
    base = np.where(
        total["value"].isna(),
        np.where(now["kind"] == "quantile", "not_additive", "no_base"),
        "ok" if begun == keys[0] else f"from {begun}",
    )
    base = np.where(total["flag"].eq("suppressed"), "suppressed", base)
    value, target = total["value"].to_numpy(float), now["target"].to_numpy(float)
    up = _is_up(now)
    met = pd.array(np.where(up, value >= target, value <= target), dtype="boolean")
    met[np.isnan(value) | np.isnan(target) | now["met"].isna().to_numpy()] = pd.NA
    return {"ytd": value, "ytd_n": total["n"].astype("Int64").to_numpy(), "ytd_met": met, "ytd_base": base}
