"""How good forecasts were: errors, spread and value added, beside what chance alone makes impossible to forecast."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import DemandError

__all__ = ["interval_score", "levels_of", "losses", "pinball_loss", "poisson_deviation", "scores", "with_groups"]

LARGE = 25.0
NEEDED = ("model", "origin", "queue", "start", "mean", "actual")


def scores(backtest: pd.DataFrame, by: str | Sequence[str] = ()) -> pd.DataFrame:
    """Score forecasts against what came.

    Parameters
    ----------
    backtest : pandas.DataFrame
        What `backtest` gives, or any frame with the columns model, origin, queue, start, mean, actual and, for levels
        such as 80, lower_80 and upper_80. Rows without an actual are left out.
    by : str or sequence of str, optional
        Split further, by columns of the frame or by ``lead`` (open days ahead, from 1), ``slot`` (local time of day,
        ``"09:30"``), ``weekday`` (0 is Monday) or ``day``.

    Returns
    -------
    pandas.DataFrame
        A row per model and group, in order of first appearance of the models:

        - n, actual : rows scored, mean arrivals per slot
        - wape : sum of absolute errors / sum of arrivals
        - bias : sum of (mean - actual) / sum of arrivals; above 0 too much was forecast
        - mase : mean absolute error / mean absolute change from a week before within the training window (Hyndman and
          Koehler 2006, eq. 2.9, seasonal); missing without the column ``scale``
        - pinball : mean pinball loss over all bounds, in arrivals
        - crps : continuous ranked probability score in arrivals. From the sample paths (Gneiting and Raftery 2007, eq.
          21) when the frame has the column ``crps``; else the weighted interval score of the bounds, which approximates
          it (Bracher, Ray, Gneiting and Reich 2021, eq. 1, the mean standing for the median)
        - coverage_80, width_80, interval_score_80, ... : share of actuals within the bounds, mean width, and Winkler's
          score (Gneiting and Raftery 2007, eq. 43), in arrivals
        - floor : WAPE of a forecaster who knows the true rate of each slot, if counts were Poisson. The rate is
          estimated by the count itself or, where the mean of the same queue, weekday and slot is below 25, by that mean
        - baseline, value_added : WAPE of the eight-week average on the same rows, and that minus `wape` (forecast value
          added, Gilliland 2010): above 0 the model was worth it
        - skill : (wape - floor) / (baseline - floor); below 1 is better than the eight-week average, 0 is perfect

    Raises
    ------
    DemandError
        Columns are missing, or nothing was recorded.
    """
    frame = losses(backtest)
    groups = ["model", *([by] if isinstance(by, str) else by)]
    groups = list(dict.fromkeys(groups))
    frame = with_groups(frame, groups)
    levels = levels_of(frame)
    sums = frame.groupby(groups, sort=True, observed=True, dropna=False)[_summed(frame)].sum(skipna=False)
    rows = frame.groupby(groups, sort=True, observed=True, dropna=False).size()
    table = _ratios(sums, rows, levels).reset_index()
    order = {model: at for at, model in enumerate(frame["model"].unique())}
    return table.sort_values("model", key=lambda model: model.map(order), kind="stable", ignore_index=True)


def losses(backtest: pd.DataFrame) -> pd.DataFrame:
    """Return a backtest's recorded rows with the loss of each: what `scores` adds up.

    Returns
    -------
    pandas.DataFrame
        The rows with an actual, and the columns error, absolute, pinball, crps, inside_80, width_80, score_80, ...,
        deviation (expected absolute error of a forecaster who knows the rate), absolute_baseline, scaled.
    """
    lacking = [name for name in NEEDED if name not in backtest]
    if lacking:
        raise DemandError(
            f"the backtest lacks the columns {', '.join(lacking)}", fix="pass the frame that `demand.backtest` gives"
        )
    frame = backtest[backtest["actual"].notna() & backtest["mean"].notna()].copy()
    if frame.empty:
        raise DemandError("no row of the backtest has both a forecast and an actual")
    actual, mean = frame["actual"].to_numpy(float), frame["mean"].to_numpy(float)
    frame["error"] = mean - actual
    frame["absolute"] = np.abs(mean - actual)
    levels = levels_of(frame)
    weighted, pinball = 0.5 * frame["absolute"].to_numpy(), np.zeros(len(frame))
    for level in levels:
        low, high = frame[f"lower_{level}"].to_numpy(float), frame[f"upper_{level}"].to_numpy(float)
        tail = (1 - level / 100) / 2
        score = interval_score(actual, low, high, level / 100)
        frame[f"inside_{level}"] = (actual >= low) & (actual <= high)
        frame[f"width_{level}"] = high - low
        frame[f"score_{level}"] = score
        pinball += pinball_loss(actual, low, tail) + pinball_loss(actual, high, 1 - tail)
        weighted += tail * score
    frame["pinball"] = pinball / (2 * len(levels)) if levels else np.nan
    approximate = weighted / (len(levels) + 0.5)
    known = frame["crps"].to_numpy(float) if "crps" in frame else np.full(len(frame), np.nan)
    # One definition per model: paths for all of its rows or for none.
    has_paths = pd.Series(~np.isnan(known), index=frame.index).groupby(frame["model"], observed=True).transform("all")
    frame["crps"] = np.where(has_paths, known, approximate if levels else np.nan)
    frame["deviation"] = poisson_deviation(_rates(frame))
    if "baseline" in frame:
        frame["absolute_baseline"] = (frame["baseline"] - frame["actual"]).abs()
    if "scale" in frame:
        frame["scaled"] = frame["absolute"] / frame["scale"].where(frame["scale"] > 0)
    return frame


def interval_score(actual: ArrayLike, lower: ArrayLike, upper: ArrayLike, level: float) -> NDArray[np.float64]:
    """Return Winkler's score of central intervals: width, and 2 / (1 - level) for each arrival outside.

    Gneiting and Raftery 2007, eq. 43 (Winkler 1972); smaller is better. `level` is 0-1.
    """
    actual, lower, upper = (np.asarray(each, float) for each in (actual, lower, upper))
    outside = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    return upper - lower + 2 / (1 - level) * outside


def pinball_loss(actual: ArrayLike, quantile: ArrayLike, probability: float) -> NDArray[np.float64]:
    """Return the loss whose mean is least at the quantile of that probability (Koenker and Bassett 1978)."""
    above = np.asarray(actual, float) - np.asarray(quantile, float)
    return np.maximum(probability * above, (probability - 1) * above)


def poisson_deviation(rate: ArrayLike) -> NDArray[np.float64]:
    """Return E|N - rate| of Poisson counts N: 2 rate P(N = floor(rate)) (De Moivre; Crow 1958)."""
    from scipy.stats import poisson

    rate = np.asarray(rate, float)
    return 2 * rate * poisson.pmf(np.floor(rate), rate)


def levels_of(frame: pd.DataFrame) -> list[float]:
    """Return the levels, in per cent, of which a frame has both bounds, rising."""
    found = (re.fullmatch(r"lower_(\d+(?:\.\d+)?)", str(name)) for name in frame.columns)
    levels = [match[1] for match in found if match and f"upper_{match[1]}" in frame]
    return sorted((int(level) if level.isdigit() else float(level) for level in levels), key=float)


def with_groups(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the frame with the columns lead, slot, weekday and day where they are named and lacking.

    Raises
    ------
    DemandError
        Another name that is no column.
    """
    return frame.assign(**{name: _derived(frame, name) for name in names if name not in frame})


def _derived(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column that the starts tell."""
    start = frame["start"]
    if name == "slot":
        return start.dt.strftime("%H:%M")
    if name == "weekday":
        return start.dt.day_of_week
    day = start.dt.tz_localize(None).dt.normalize()
    if name == "day":
        return day
    if name == "lead":
        return day.groupby([frame["queue"], frame["origin"]], observed=True).rank("dense").astype(int)
    raise DemandError(
        f"the backtest has no column {name!r}", fix="group by lead, slot, weekday, day or one of its columns"
    )


def _rates(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Estimate the rate of each row.

    Counts of 25 and more stand for themselves, which makes the floor half a per cent too low at most, since a root's
    mean is below the mean's root by 1 / (8 rate); small ones take the mean of their queue, weekday and slot.
    """
    start = frame["start"].dt.tz_localize(None)
    key = (start.dt.day_of_week * 86400 + (start - start.dt.normalize()).dt.total_seconds()).astype("int32")
    cells = pd.DataFrame(
        {"queue": frame["queue"], "cell": key, "start": start, "actual": frame["actual"].astype(float)}
    )
    means = cells.drop_duplicates(["queue", "start"]).groupby(["queue", "cell"], observed=True)["actual"].mean()
    rate = means.reindex(pd.MultiIndex.from_frame(cells[["queue", "cell"]])).to_numpy()
    return np.where(rate < LARGE, rate, cells["actual"])


def _summed(frame: pd.DataFrame) -> list[str]:
    wanted = r"actual|error|absolute|pinball|crps|deviation|absolute_baseline|scaled|(inside|width|score)_[\d.]+"
    return [name for name in frame.columns if re.fullmatch(wanted, name)]


def _ratios(sums: pd.DataFrame, rows: pd.Series, levels: list[float]) -> pd.DataFrame:
    """Turn sums of losses into scores."""
    arrivals = sums["actual"].where(sums["actual"] > 0)
    table = pd.DataFrame({"n": rows, "actual": sums["actual"] / rows})
    table["wape"] = sums["absolute"] / arrivals
    table["bias"] = sums["error"] / arrivals
    table["mase"] = sums["scaled"] / rows if "scaled" in sums else np.nan
    table["pinball"] = sums["pinball"] / rows
    table["crps"] = sums["crps"] / rows
    for level in levels:
        table[f"coverage_{level}"] = sums[f"inside_{level}"] / rows
        table[f"width_{level}"] = sums[f"width_{level}"] / rows
        table[f"interval_score_{level}"] = sums[f"score_{level}"] / rows
    table["floor"] = sums["deviation"] / arrivals
    table["baseline"] = sums["absolute_baseline"] / arrivals if "absolute_baseline" in sums else np.nan
    table["value_added"] = table["baseline"] - table["wape"]
    table["skill"] = (table["wape"] - table["floor"]) / (table["baseline"] - table["floor"])
    return table
