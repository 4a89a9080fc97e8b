"""Calendars of a roster: one file per person, as calendar programs take it in."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pandas as pd

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.rostering.roster import Roster

__all__ = ["write_calendars"]

_LONGEST = 60


def write_calendars(roster: Roster, folder: str | Path, *, made: datetime, language: str = "en") -> list[Path]:
    """Write an ICS file per person who works.

    A shift keeps its UID as long as person, group and start stay the same, so that a calendar that takes in a changed
    roster moves what it knows and does not double it.

    Parameters
    ----------
    roster : Roster
        With times in a time zone.
    folder : str or Path
        Made when it is not there.
    made : datetime
        Aware; when the roster was made.
    language : str
        "en" or "zh".

    Raises
    ------
    StaffingError
        The roster's times have no zone, or the folder can't be written.
    """
    from icalendar import Calendar, Event

    rows = roster.assignments
    if len(rows) and rows["start"].iloc[0].tzinfo is None:
        raise StaffingError("the roster's times have no time zone", fix="plan from a forecast with aware starts")
    zh = language == "zh"
    folder = Path(folder)
    written, taken = [], set()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for agent, own in rows.groupby("agent", sort=False):
            calendar = Calendar()
            calendar.add("prodid", "-//svcanalytics//roster//EN")
            calendar.add("version", "2.0")
            calendar.add("method", "PUBLISH")
            for row in own.to_dict("records"):
                event = Event()
                event.add("uid", _uid(str(agent), row))
                event.add("dtstamp", made)
                event.add("dtstart", row["start"].to_pydatetime())
                event.add("dtend", row["end"].to_pydatetime())
                event.add("summary", f"{row['group']} · {row['pattern']}")
                event.add("description", _description(row, zh))
                calendar.add_component(event)
            calendar.add_missing_timezones()
            path = folder / f"{_file_name(str(agent), taken)}.ics"
            path.write_bytes(calendar.to_ical())
            written.append(path)
    except OSError as error:
        raise StaffingError(
            f"the calendars can't be written: {error.strerror or error}", where=str(folder), fix="choose another folder"
        ) from error
    return written


def _uid(agent: str, row: dict) -> str:
    key = f"{agent}|{row['group']}|{row['start'].tz_convert('UTC').isoformat()}"
    return f"{sha256(key.encode()).hexdigest()[:32]}@svcanalytics"


def _description(row: dict, zh: bool) -> str:
    lines = [f"{'计薪' if zh else 'Paid'}: {row['paid_s'] / 3600:g} h"]
    for low, high, paid in row["breaks"]:
        kind = ("带薪休息" if paid else "休息") if zh else ("Paid break" if paid else "Break")
        lines.append(f"{kind}: {_clock(low)}–{_clock(high)}")
    return "\n".join(lines)


def _clock(moment: pd.Timestamp) -> str:
    return f"{moment:%H:%M}"


def _file_name(agent: str, taken: set[str]) -> str:
    """Return a name that every file system takes, and no other person's."""
    plain = unicodedata.normalize("NFKC", agent)
    name = re.sub(r"[^\w.-]+", "_", plain)[:_LONGEST].strip("._") or "agent"
    if name.casefold() in taken:
        name += "-" + sha256(agent.encode()).hexdigest()[:8]
    taken.add(name.casefold())
    return name
