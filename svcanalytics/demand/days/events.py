"""What the user knows that no calendar knows: campaigns, releases, outages, closures, days not to learn from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from svcanalytics.errors import DemandError

__all__ = ["EFFECTS", "add_events", "read_events"]

EFFECTS = {
    "campaign": "learned and expected again where it is announced",
    "release": "learned and expected again where it is announced",
    "billing": "learned and expected again where it is announced",
    "other": "learned and expected again where it is announced",
    "outage": "not learned from",
    "exclude": "not learned from",
    "school_break": "marked in the column school_break",
    "closed": "closed whatever the hours say",
    "opened": "open whatever the calendar says",
}
"""What an event may do."""

_LEARNED = ("campaign", "release", "billing", "other")


def read_events(events: pd.DataFrame | Iterable[Mapping[str, Any]] | None) -> pd.DataFrame:
    """Check a list of events.

    Parameters
    ----------
    events : pandas.DataFrame or sequence of mappings, optional
        ``name``, ``start`` and ``end`` (local days, both included; without an end one day), ``effect`` (one of
        `EFFECTS`, ``other`` where none), ``queue`` (only there; everywhere where empty).

    Returns
    -------
    pandas.DataFrame
        Columns name, start, end, effect, queue.

    Raises
    ------
    DemandError
        When a column lacks, a day does not exist, an event ends before it starts or has an unknown effect.
    """
    columns = ["name", "start", "end", "effect", "queue"]
    if events is None:
        return pd.DataFrame(columns=columns)
    frame = pd.DataFrame(events if isinstance(events, pd.DataFrame) else list(events)).reset_index(drop=True)
    if frame.empty:
        return pd.DataFrame(columns=columns)
    if unknown := sorted(set(frame.columns) - set(columns)):
        raise DemandError(f"events have no column {unknown[0]!r}", fix=f"use {', '.join(columns)}")
    for name in ("name", "start"):
        if name not in frame.columns:
            raise DemandError(f"the events have no column {name!r}", fix=f"use {', '.join(columns)}")
    frame = frame.reindex(columns=columns)
    frame["start"] = [_day(value, name) for value, name in zip(frame["start"], frame["name"], strict=True)]
    frame["end"] = [
        _day(value, name) if pd.notna(value) else start
        for value, name, start in zip(frame["end"], frame["name"], frame["start"], strict=True)
    ]
    frame["effect"] = ["other" if pd.isna(value) else str(value) for value in frame["effect"]]
    frame["queue"] = ["" if pd.isna(value) else str(value) for value in frame["queue"]]
    for event in frame.itertuples():
        if event.end < event.start:
            raise DemandError("an event ends before it starts", where=str(event.name), fix="swap start and end")
        if event.effect not in EFFECTS:
            raise DemandError(
                f"there is no effect {event.effect!r}", where=str(event.name), fix=f"use {', '.join(EFFECTS)}"
            )
    return frame


def add_events(features: pd.DataFrame, events: pd.DataFrame, queue: str = "") -> pd.DataFrame:
    """Return features with those events that concern a queue.

    Parameters
    ----------
    features : pandas.DataFrame, indexed by day
        With the columns ``excluded``, ``school_break`` and ``announced``.
    events : pandas.DataFrame
        What `read_events` gives.
    queue : str

    Returns
    -------
    pandas.DataFrame
        A column ``event_<name>`` (1 on its days, else 0) for each event to be learned, the three columns brought up to
        date, nothing else changed.
    """
    added = {name: features[name].to_numpy().copy() for name in ("excluded", "school_break", "announced")}
    for event in events.itertuples():
        learned = f"event_{_slug(str(event.name))}"
        if event.effect in _LEARNED and learned not in added:
            added[learned] = np.zeros(len(features))
        if event.queue not in ("", queue):
            continue
        during = np.asarray((features.index >= event.start) & (features.index <= event.end))
        if event.effect in _LEARNED:
            added[learned][during] = 1.0
        elif event.effect in ("outage", "exclude"):
            added["excluded"] |= during
        elif event.effect == "school_break":
            added["school_break"] |= during
        else:
            added["announced"][during] = event.effect
    return features.assign(**added)


def _day(value: Any, name: Any) -> pd.Timestamp:
    try:
        day = pd.Timestamp(value)
    except (ValueError, TypeError):
        day = pd.NaT
    if day is pd.NaT:
        raise DemandError(f"{value!r} is no day", where=f"event {name}", fix="write 2027-02-05, a day that exists")
    return day.tz_localize(None).normalize().as_unit("s")


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")
