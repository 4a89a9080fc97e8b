"""Regressors the user brings, one value a day: weather, reservations, mailings."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from svcanalytics.errors import DemandError

__all__ = ["add_regressors", "read_regressors"]

_DAY_NAMES = ("day", "date", "start")


def read_regressors(regressors: pd.DataFrame | None, unknown_ahead: Iterable[str] = ()) -> pd.DataFrame:
    """Check regressors.

    Parameters
    ----------
    regressors : pandas.DataFrame, optional
        A column ``day`` (or ``date``, ``start``), perhaps ``queue``, and numbers.
    unknown_ahead : iterable of str
        Columns that nobody knows before the day comes (weather as measured, not as forecast).

    Returns
    -------
    pandas.DataFrame
        Columns queue, day, ``x_<name>`` …; ``attrs["unknown_ahead"]`` names those not known ahead.

    Raises
    ------
    DemandError
        When there is no day, a day comes twice, a column holds something that is not a number, or `unknown_ahead`
        names a column that is not there.
    """
    if regressors is None:
        return pd.DataFrame(columns=["queue", "day"])
    frame = regressors.reset_index(drop=True)
    named = [name for name in _DAY_NAMES if name in frame.columns]
    if not named:
        raise DemandError("the regressors have no column 'day'", fix="give day and one column a regressor")
    try:
        day = pd.to_datetime(frame[named[0]])
    except (ValueError, TypeError) as error:
        raise DemandError("a regressor's day can't be read", where=str(error), fix="write 2027-02-05") from None
    day = (day.dt.tz_localize(None) if day.dt.tz is not None else day).dt.normalize().astype("datetime64[s]")
    queue = frame["queue"].astype("str") if "queue" in frame.columns else ""
    result = pd.DataFrame({"queue": queue, "day": day}, index=frame.index)
    if (twice := result.duplicated()).any():
        raise DemandError(
            "regressors have more than one row for a day",
            where=str(result.loc[twice, "day"].iloc[0].date()),
            fix="keep one",
        )
    for name in frame.columns.drop([named[0], *(["queue"] if "queue" in frame.columns else [])]):
        numbers = pd.to_numeric(frame[name], errors="coerce")
        if (numbers.isna() & frame[name].notna()).any():
            raise DemandError("a regressor holds something that is not a number", where=str(name), fix="give numbers")
        result[f"x_{name}"] = numbers.astype("float64")
    unknown = [f"x_{name}" for name in unknown_ahead]
    if missing := sorted(set(unknown) - set(result.columns)):
        raise DemandError(f"there is no regressor {missing[0][2:]!r}", where="unknown_ahead", fix="name a given column")
    result.attrs["unknown_ahead"] = unknown
    return result


def add_regressors(features: pd.DataFrame, regressors: pd.DataFrame, queue: str = "") -> pd.DataFrame:
    """Return features with the regressors' columns of a queue; NaN on days that no row tells of."""
    names = [name for name in regressors.columns if name.startswith("x_")]
    if not names:
        return features
    mine = regressors[regressors["queue"].isin(["", queue])].sort_values("queue").drop_duplicates("day", keep="last")
    values = mine.set_index("day")[names].reindex(features.index).to_numpy(dtype=np.float64)
    return features.assign(**{name: values[:, i] for i, name in enumerate(names)})
