"""The real arrivals that forecasts are tried on, read from `$SVC_REAL_DATA`: frames of queue, start, arrivals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

__all__ = ["SERIES", "RealSeries"]


@dataclass(frozen=True)
class RealSeries:
    """A real queue, what its planner knows of it, and how it is backtested."""

    read: Callable[[Path], pd.DataFrame]
    slot: str
    country: str | None
    days: int
    origins: int
    step: int
    drivers: Callable[[Path], pd.DataFrame] | None = None


def bank_calls(data: Path) -> pd.DataFrame:
    """Calls of a North American bank, 5 minutes summed to half hours, 07:00 to 21:00; stamped Z but local."""
    raw = pd.read_csv(data / "arrivals/bank_calls.csv")
    raw["start"] = pd.to_datetime(raw["DateTime"]).dt.tz_localize(None)
    raw = raw[raw["start"].dt.hour < 21]  # the one count of 21:00 begins a half hour that is not recorded in full
    return _frame("bank_calls", raw.groupby(raw["start"].dt.floor("30min"))["Calls"].sum())


def bank_contacts(data: Path) -> pd.DataFrame:
    """Contacts of a bank in January 1999, PHANTOM left out; 11 and 12 January are missing, not zero."""
    raw = pd.read_csv(data / "contacts/bank_contacts_1999_01.txt", sep="\t", dtype=str)
    raw = raw[raw["outcome"] != "PHANTOM"]
    at = pd.to_datetime("19" + raw["date"], format="%Y%m%d") + pd.to_timedelta(raw["vru_entry"])
    return _counted("bank_contacts", at, "30min", "1999-01-01", "1999-01-31", missing=("1999-01-11", "1999-01-12"))


def incidents(data: Path) -> pd.DataFrame:
    """Incidents opened, March to May 2016: the volume before and after is a tail of the export."""
    file = data / "cases/servicenow_incident_log.zip"
    raw = pd.read_csv(file, usecols=["number", "opened_at"]).drop_duplicates("number")
    at = pd.to_datetime(raw["opened_at"], format="%d/%m/%Y %H:%M")
    return _counted("incidents", at, "1h", "2016-03-01", "2016-05-31")


def call_centre(data: Path) -> pd.DataFrame:
    """Calls of the first quarter of 2021, 09:00 to 18:00; the 14 stamped 18:00 and later are left out."""
    raw = pd.read_excel(data / "contacts/call_centre_2021_q1.xlsx", engine="calamine")
    at = pd.to_datetime(raw["Date"]) + pd.to_timedelta(raw["Time"].astype(str))
    frame = _counted("call_centre", at, "1h", "2021-01-01", "2021-03-31")
    return frame[frame["start"].dt.hour.between(9, 17)].reset_index(drop=True)


def contact_centre_daily(data: Path) -> pd.DataFrame:
    """Daily calls of 2020 and 2021; its zeros are closed days and have no row."""
    raw = pd.read_csv(data / "arrivals/contact_centre_daily_2020_2021.csv", encoding="utf-8-sig", parse_dates=["date"])
    counts = raw.set_index("date")["calls_received"]
    return _frame("contact_centre_daily", counts[counts > 0])


def daily_calls(data: Path) -> pd.DataFrame:
    """Daily calls of a booking company, 2013 to 2016."""
    raw = pd.read_csv(data / "arrivals/daily_calls_2013_2016.csv", sep=";", encoding="utf-8-sig")
    return _frame("daily_calls", raw.set_index(pd.to_datetime(raw["date"], format="%d-%m-%Y"))["calls"])


def daily_calls_driven(data: Path) -> pd.DataFrame:
    """The same from 2014, when its drivers begin."""
    frame = daily_calls(data).assign(queue="daily_calls_driven")
    return frame[frame["start"].isin(daily_drivers(data)["day"])].reset_index(drop=True)


def daily_drivers(data: Path) -> pd.DataFrame:
    """Known ahead for each day: reservations made, breaks, special days."""
    raw = pd.read_csv(data / "arrivals/daily_drivers_2014_2016.csv", sep=";", encoding="utf-8-sig")
    return raw.assign(day=pd.to_datetime(raw["date"], format="%d-%m-%Y")).drop(columns="date")


SERIES = {
    "bank_calls": RealSeries(bank_calls, "30min", "US", 10, 26, 2),
    "bank_contacts": RealSeries(bank_contacts, "30min", "IL", 5, 6, 1),
    "incidents": RealSeries(incidents, "1h", "BR", 10, 12, 2),
    "call_centre": RealSeries(call_centre, "1h", None, 10, 12, 2),
    "contact_centre_daily": RealSeries(contact_centre_daily, "1D", None, 10, 20, 2),
    "daily_calls": RealSeries(daily_calls, "1D", "IT", 10, 26, 7),
    "daily_calls_driven": RealSeries(daily_calls_driven, "1D", "IT", 10, 26, 7, daily_drivers),
}


def _frame(queue: str, counts: pd.Series) -> pd.DataFrame:
    frame = pd.DataFrame({"queue": queue, "start": counts.index, "arrivals": counts.to_numpy()})
    return frame.sort_values("start", ignore_index=True)


def _counted(
    queue: str, at: pd.Series, slot: str, first: str, last: str, missing: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Count moments per slot from the first to the last day, quiet slots as zeros, missing days left out."""
    end = pd.Timestamp(last) + pd.Timedelta("1D")
    starts = pd.date_range(first, end, freq=slot, inclusive="left")
    counts = at.dt.floor(slot).value_counts().reindex(starts, fill_value=0)
    return _frame(queue, counts[~counts.index.normalize().isin(pd.to_datetime(list(missing)))])
