"""When whoever does a step is at work: by calendars that are given, or as the log itself shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.steps.log import NONE, StepLog
from svcanalytics.errors import CauseError
from svcanalytics.periods import Calendar

__all__ = ["Opening", "give_opening", "infer_opening"]

_DAY, _HOUR = 86_400, 3_600
_WEEK = 7 * _DAY
_FEWEST = 50  # times seen, below which an agent's hours are taken from the team's, and a team's from all
_SEEN = 0.2  # share of the weeks in which a weekday must show work to be a working day
_EDGES = (0.05, 0.95)  # of the times of day; single late or early stamps don't make a shift
_MONDAY = 4 * _DAY  # 1970-01-05


@dataclass(frozen=True, eq=False)
class Opening:
    """Readings of open time.

    Attributes
    ----------
    of_step : numpy.ndarray of int64, shape ``(n,)``
        Which of the calendars each step waits on: the agent's, or else that of the team it is done in.
    of_worker : numpy.ndarray of int64, shape ``(n,)``
        Which of the calendars whoever does it works on: the agent's, or else that of the team with most of their steps.
    calendars : tuple of Calendar
        Given calendars; empty where the hours were inferred.
    hours : numpy.ndarray of int64, shape ``(calendars, 7, 2)``
        Inferred hours: opening and closing second of each weekday from Monday; equal where nobody works.
    timezone : str
        Zone of the inferred hours.
    """

    of_step: NDArray[np.int64]
    of_worker: NDArray[np.int64]
    calendars: tuple[Calendar, ...]
    hours: NDArray[np.int64]
    timezone: str

    def read(self, times: NDArray[np.int64], which: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return open seconds from a fixed origin to each time (seconds UTC) on the calendar of each."""
        if not self.calendars:
            return self._weekly(_local(times, self.timezone), which)
        out = np.empty(len(times), dtype=np.int64)
        for number, calendar in enumerate(self.calendars):
            chosen = which == number
            out[chosen] = calendar.open_us(times[chosen] * 1_000_000) // 1_000_000
        return out

    def _weekly(self, times: NDArray[np.int64], which: NDArray[np.int64]) -> NDArray[np.int64]:
        opens, closes = self.hours[..., 0], self.hours[..., 1]
        before = np.cumsum(closes - opens, axis=1) - (closes - opens)
        week, within = np.divmod(times - _MONDAY, _WEEK)
        day, second = np.divmod(within, _DAY)
        today = np.clip(second, opens[which, day], closes[which, day]) - opens[which, day]
        return week * (closes - opens).sum(axis=1)[which] + before[which, day] + today


def give_opening(log: StepLog, calendar: Calendar | Mapping[str, Calendar]) -> Opening:
    """Return the opening by calendars that are given: one for all, or by agent or team.

    The agent's goes before the team's; ``""`` is for all others.

    Raises
    ------
    CauseError
        When an agent or team of the log has no calendar and there is none for all others.
    """
    if isinstance(calendar, Calendar):
        everywhere = np.zeros(len(log.case), dtype=np.int64)
        return Opening(everywhere, everywhere, (calendar,), np.zeros((0, 7, 2), np.int64), "")
    if not isinstance(calendar, Mapping) or not all(isinstance(each, Calendar) for each in calendar.values()):
        raise CauseError("it is no calendar", where="calendar", fix="give a Calendar, or one by agent or team")
    names = list(calendar)
    number = {name: place for place, name in enumerate(names)}
    other = number.get("", NONE)
    team = _of_names(log.teams, number, log.team)
    agent = _of_names(log.agents, number, log.agent)
    found = np.where(agent != NONE, agent, np.where(team != NONE, team, other))
    if (found == NONE).any():
        place = int(np.argmax(found == NONE))
        who = log.teams[log.team[place]] if log.team[place] != NONE else "steps without a team"
        raise CauseError(
            f"there is no calendar for {who}", where="calendar", fix='give one for each team, or "" for all others'
        )
    given = tuple(calendar[name] for name in names)
    return Opening(found, _most_often(found, log.agent), given, np.zeros((0, 7, 2), np.int64), "")


def infer_opening(log: StepLog, timezone: str) -> tuple[Opening, str]:
    """Return the opening that the log shows, and a remark on it.

    A weekday is worked when it shows work in a fifth of the weeks; it is open from the hour in which a twentieth of the
    times of day lie before, to the one in which a twentieth lie after. Who is seen fewer than 50 times works like the
    team, a team seen fewer than 50 times like everybody, and everybody round the clock.
    """
    times = _local(np.concatenate([log.end, log.start[log.timed * (log.end > log.start)]]), timezone)
    again = np.concatenate([np.arange(len(log.end)), np.flatnonzero(log.timed * (log.end > log.start))])
    hours = np.tile(np.array([0, _DAY]), (1 + len(log.teams) + len(log.agents), 7, 1)).astype(np.int64)
    known = np.zeros(len(hours), dtype=bool)
    known[:1], hours[:1] = _hours(np.zeros(len(times), np.int64), times, 1)
    which = np.zeros(len(log.case), dtype=np.int64)
    offset = 1
    for code, names in ((log.team, log.teams), (log.agent, log.agents)):
        place = slice(offset, offset + len(names))
        there = code[again] != NONE
        known[place], hours[place] = _hours(code[again][there], times[there], len(names))
        shown = (code != NONE) & known[place][code] if len(names) else np.zeros(len(code), bool)
        which = np.where(shown, code + offset, which)
        offset += len(names)
    said = (
        "working hours were read from the log, because no calendar was given"
        if known[0]
        else "there are too few events to read working hours from, so nobody counts as off duty; give a calendar"
    )
    return Opening(which, _most_often(which, log.agent), (), hours, timezone), said


def _hours(code: NDArray, times: NDArray, names: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    counts = np.bincount(code, minlength=names)
    order = np.lexsort((times % _DAY, code))
    second = (times % _DAY)[order]
    first = np.cumsum(counts) - counts
    at = [np.minimum(first + (edge * counts).astype(np.int64), len(second) - 1) for edge in _EDGES]
    opens = second[at[0]] // _HOUR * _HOUR if len(second) else np.zeros(names, np.int64)
    closes = -(-(second[at[1]] + 1) // _HOUR) * _HOUR if len(second) else np.zeros(names, np.int64)
    day, weekday = times // _DAY, (times // _DAY + 3) % 7
    days = pd.DataFrame({"code": code, "day": day, "weekday": weekday, "week": (day + 3) // 7}).drop_duplicates()
    seen = np.zeros((names, 7))
    np.add.at(seen, (days["code"].to_numpy(), days["weekday"].to_numpy()), 1)
    weeks = days.drop_duplicates(["code", "week"])["code"].value_counts().reindex(range(names), fill_value=0).to_numpy()
    worked = seen >= np.maximum(_SEEN * weeks, 1)[:, None]
    hours = np.stack([opens[:, None] * worked, closes[:, None] * worked], axis=2)
    return counts >= _FEWEST, hours


def _most_often(which: NDArray[np.int64], agent: NDArray[np.int64]) -> NDArray[np.int64]:
    # One calendar for all steps of an agent: that of most of them.
    size = int(which.max()) + 1
    pair, count = np.unique(agent * size + which, return_counts=True)
    order = np.lexsort((-pair, count, pair // size))
    usual = np.zeros(int(agent.max()) + 2, dtype=np.int64)
    usual[pair[order] // size] = pair[order] % size  # the most frequent is written last
    return np.where(agent == NONE, which, usual[agent])


def _of_names(names: NDArray[np.object_], number: Mapping[str, int], code: NDArray[np.int64]) -> NDArray[np.int64]:
    found = np.array([number.get(name, NONE) for name in names] + [NONE], dtype=np.int64)
    return found[code]  # the last one is for a missing code


def _local(times: NDArray[np.int64], timezone: str) -> NDArray[np.int64]:
    if timezone == "UTC":
        return times
    moments = pd.DatetimeIndex(times.astype("datetime64[s]")).tz_localize("UTC").tz_convert(timezone)
    return moments.tz_localize(None).to_numpy("datetime64[s]").astype(np.int64)
