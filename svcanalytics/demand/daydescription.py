"""What the calendar knows of each day: its class, its place in month and year, festivals near it, the user's events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcanalytics.periods import day_classes

__all__ = ["describe_days"]


def describe_days(
    days: pd.DatetimeIndex, country: str = "CN", events: Any = None, regressors: Any = None
) -> pd.DataFrame:
    """Describe days.

    Parameters
    ----------
    days : pandas.DatetimeIndex
        Local midnights, one a day without a gap.
    country : str
    """
    end = days[-1].date() + pd.Timedelta(days=1)
    classes = day_classes(days[0].date(), end, country)
    frame = pd.DataFrame(index=days)
    frame["day_class"] = classes["day_class"].to_numpy()
    frame["provisional"] = classes["provisional"].to_numpy()
    frame["weekday"] = np.asarray(days.day_of_week)
    frame["month"] = np.asarray(days.month)
    frame["day_of_month"] = np.asarray(days.day)
    frame["from_month_end"] = np.asarray(days.days_in_month - days.day)
    frame["day_of_year"] = np.asarray(days.day_of_year)
    frame["holiday"] = ""
    frame["window"] = ""
    frame["window_offset"] = 0
    frame["school_break"] = False
    frame["pay_day"] = False
    frame["billing_day"] = False
    frame["excluded"] = False
    return frame
