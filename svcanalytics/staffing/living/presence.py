"""Who is at work when: people with their shifts and breaks, some of whom are away and some late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.volumes import Volume

if TYPE_CHECKING:
    from svcanalytics.staffing.shifting.shiftplan import ShiftPlan

__all__ = ["Attendance", "Presence", "Team", "attend", "prolong", "read_teams", "whole_agents"]

_AWAY, _ILL, _LATE, _DELAY, _CALLED = range(5)


@dataclass(frozen=True, eq=False)
class Team:
    """People who know the same queues, as pieces of work: from when to when who is there.

    Attributes
    ----------
    name : str
    queues : tuple[str, ...]
    person : numpy.ndarray of int, shape ``(W,)``
        Who does each piece; a person's pieces are in order of time. Numbers go on from day to day.
    begin, end : pandas.DatetimeIndex, shape ``(W,)``
    day : numpy.ndarray of datetime64, shape ``(P,)``
        The day that each person's shift belongs to.
    likely : numpy.ndarray, shape ``(P,)``
        How likely somebody on call is needed; 1 for all others.
    plan : pandas.DataFrame or None
        start and agents, where the plan gives no shifts but numbers by slot.
    """

    name: str
    queues: tuple[str, ...]
    person: NDArray[np.intp]
    begin: pd.DatetimeIndex
    end: pd.DatetimeIndex
    day: NDArray[np.datetime64]
    likely: NDArray[np.float64]
    plan: pd.DataFrame | None = None

    @property
    def hours(self) -> float:
        """Hours at work as planned."""
        return float((self.end - self.begin).total_seconds().to_numpy().sum() / 3600)


@dataclass(frozen=True)
class Attendance:
    """What keeps people from work that the plan counts on.

    Attributes
    ----------
    absence : float
        Probability that a person is away for the day.
    late : float
        Probability that a person comes late to a shift.
    late_s : float
        By how much then, in the mean (exponential).
    ill : int
        People of each team, whoever they are, that are away besides.
    ill_on : tuple[numpy.datetime64, ...]
        The days on which they are; none for every day.
    """

    absence: float = 0.0
    late: float = 0.0
    late_s: float = 600.0
    ill: int = 0
    ill_on: tuple[np.datetime64, ...] = ()


@dataclass(frozen=True, eq=False)
class Presence:
    """How many of a team are at work over time, in each draw: times in seconds, and the number from each on."""

    courses: Sequence[tuple[NDArray[np.float64], NDArray[np.int64]]]

    @classmethod
    def of_slots(cls, second: NDArray[np.float64], agents: NDArray[np.int64], draws: int) -> Presence:
        """Return the presence of agents ``(S,)`` or ``(S, D)`` by slot."""
        if agents.ndim == 1:
            return cls([(second, agents)] * draws)
        return cls([(second, agents[:, draw]) for draw in range(draws)])

    def between(self, begin: float, end: float, draw: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return times from `begin` to before `end` at which the number changes, and the numbers."""
        times, levels = self.courses[draw]
        first, last = np.searchsorted(times, [begin, end], side="left")
        if first < last and times[first] == begin:
            return times[first:last], levels[first:last]
        held = levels[first - 1] if first else 0
        return np.concatenate([[begin], times[first:last]]), np.concatenate([[held], levels[first:last]])

    def seconds(self, second: NDArray[np.float64], length: float) -> NDArray[np.float64]:
        """Return the seconds at work in slots that begin at `second`, shape ``(S, D)``."""
        found: dict[int, NDArray[np.float64]] = {}
        for times, levels in self.courses:
            if id(levels) not in found:
                gone = np.concatenate([[0.0], np.cumsum(levels[:-1] * np.diff(times))])
                ends = np.concatenate([second, second + length])
                place = np.clip(np.searchsorted(times, ends, side="right") - 1, 0, None)
                total = np.where(ends < times[0], 0.0, gone[place] + levels[place] * (ends - times[place]))
                found[id(levels)] = total[len(second) :] - total[: len(second)]
        return np.stack([found[id(levels)] for _, levels in self.courses], axis=1)

    def times(self, hands: float) -> Presence:
        """Return the presence of hands, where each person has so many."""
        if hands == 1:
            return self
        made = {id(levels): np.floor(levels * hands + 1e-9).astype(np.int64) for _, levels in self.courses}
        return Presence([(times, made[id(levels)]) for times, levels in self.courses])


def attend(team: Team, attendance: Attendance, origin: pd.Timestamp, draws: int, seed: int) -> Presence:
    """Return who of a team is at work, in seconds since `origin`.

    Person number i of a day has the same luck in the same draws whatever the plan.
    """
    begin, end = ((each - origin).total_seconds().to_numpy() for each in (team.begin, team.end))
    chance = attendance.absence or attendance.late or attendance.ill or (team.likely < 1).any()
    if not chance:
        return Presence([_course(begin, end)] * draws)
    here, delay = _luck(team, attendance, draws, seed)
    first = np.concatenate([[True], np.diff(team.person) != 0]) if len(team.person) else np.zeros(0, bool)
    courses = []
    for draw in range(draws):
        came = here[team.person, draw]
        late = np.where(first, delay[team.person, draw], 0.0) if attendance.late else 0.0
        courses.append(_course(np.minimum(begin + late, end)[came], end[came]))
    return Presence(courses)


def read_teams(
    plan: pd.DataFrame | ShiftPlan, volumes: Sequence[Volume], crews: Mapping[str, tuple[str, ...]] | None
) -> tuple[Team, ...]:
    """Return the teams of a plan: of a frame with queue or crew, start and agents, or of a plan of shifts.

    Raises
    ------
    StaffingError
        A column is missing, a number is negative, or a team knows no queue of the forecast.
    """
    queues = [volume.queue for volume in volumes]
    if not isinstance(plan, pd.DataFrame):
        if not isinstance(getattr(plan, "shifts", None), pd.DataFrame):
            raise StaffingError(f"a {type(plan).__name__} is no plan", fix="give queue, start and agents, or shifts")
        if len(plan.shifts) and (plan.shifts["start"].dt.tz is None) != (volumes[0].start.tz is None):
            raise StaffingError("shifts and forecast must both have a time zone, or neither", fix="localise the starts")
        groups = {str(name): _known(str(name), queues, crews) for name in plan.shifts["group"].unique()}
        if np.allclose(plan.coverage["agents"], plan.coverage["planned"]):
            return _of_people(plan, groups)
        plan = _of_coverage(plan.coverage, groups)
    key = "crew" if "crew" in plan else "queue"
    missing = [name for name in (key, "start", "agents") if name not in plan]
    if missing:
        raise StaffingError(f"the plan has no column {missing[0]!r}", fix="give queue (or crew), start and agents")
    bad = plan[~((plan["agents"] >= 0) & np.isfinite(plan["agents"]))]
    if len(bad):
        row = bad.iloc[0]
        raise StaffingError(
            f"agents is {row['agents']}", where=f"{row[key]}, {row['start']}", fix="give a number from 0 up"
        )
    teams = []
    for name, part in plan.groupby(plan[key].astype(str), sort=False):
        known = _known(str(name), queues, crews)
        rows = part.groupby("start", as_index=False)["agents"].sum()
        slots = [volume for volume in volumes if volume.queue in known]
        if not any(rows["start"].isin(volume.start).any() for volume in slots):
            raise StaffingError("the plan has none of the forecast's slots", where=str(name), fix="align the starts")
        length = min(volume.interval_s for volume in slots)
        teams.append(_of_slots(str(name), known, rows, length))
    return tuple(teams)


def prolong(team: Team, closes: Mapping[pd.Timestamp, pd.Timestamp], until: int) -> Team:
    """Return a team whose people who are at work at the close of a day stay until so many minutes after midnight.

    `closes` has the close of each local day, a midnight without time zone.
    """
    if team.plan is None:
        day = pd.Series(team.begin.tz_localize(None).normalize())
        late = (day + pd.Timedelta(minutes=until)).dt.tz_localize(team.begin.tz)
        stays = (team.end >= day.map(closes)) & (team.end < late)
        return replace(team, end=pd.DatetimeIndex(pd.Series(team.end).where(~stays, late)))
    rows, length = team.plan, pd.Timedelta(np.diff(team.plan["start"]).min())
    days = rows["start"].dt.tz_localize(None).dt.normalize()
    last = rows[rows["start"] + length >= days.map(closes)]
    added = []
    for step in range(1, int(pd.Timedelta(days=1) / length) + 1):
        later = last.assign(start=last["start"] + step * length)
        ends = later["start"].dt.tz_localize(None) + length
        added.append(later[ends <= days[last.index] + pd.Timedelta(minutes=until)])
    longer = pd.concat([rows, *added]).drop_duplicates("start").sort_values("start")
    return _of_slots(team.name, team.queues, longer, length.total_seconds())


def whole_agents(agents: NDArray[np.float64], opens: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return whole agents that add up, within an opening, to the fractional ones at every slot to less than half."""
    whole = np.empty(len(agents), dtype=np.int64)
    first = np.flatnonzero(opens)
    for begin, end in zip(first, [*first[1:], len(agents)], strict=True):
        total = np.floor(np.cumsum(agents[begin:end]) + 0.5 + 1e-9)
        whole[begin:end] = np.diff(total, prepend=0.0)
    return whole


def _course(begin: NDArray[np.float64], end: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    if not len(begin):
        return np.zeros(1), np.zeros(1, dtype=np.int64)
    times, place = np.unique(np.concatenate([begin, end]), return_inverse=True)
    change = np.bincount(place, np.repeat([1.0, -1.0], len(begin)), len(times))
    return times, np.cumsum(np.round(change)).astype(np.int64)


def _luck(team: Team, attendance: Attendance, draws: int, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return who comes, and how late, both ``(P, D)``."""
    here = np.ones((len(team.day), draws), dtype=bool)
    delay = np.zeros(here.shape) if attendance.late else np.zeros((0, 0))
    key = crc32(team.name.encode())
    for day in np.unique(team.day):
        people = np.flatnonzero(team.day == day)
        shape = (len(people), draws)
        stamp = int(day.astype("datetime64[D]").astype(np.int64)) % 2**31

        def stream(kind: int, stamp: int = stamp) -> np.random.Generator:
            return np.random.default_rng([seed, key, stamp, kind])

        if attendance.absence:
            here[people] = stream(_AWAY).random(shape) >= attendance.absence
        if attendance.ill and (not attendance.ill_on or day in attendance.ill_on):
            here[people] &= stream(_ILL).random(shape).argsort(axis=0).argsort(axis=0) >= attendance.ill
        if (team.likely[people] < 1).any():
            here[people] &= stream(_CALLED).random(shape) < team.likely[people][:, None]
        if attendance.late:
            comes_late = stream(_LATE).random(shape) < attendance.late
            delay[people] = np.where(comes_late, stream(_DELAY).exponential(attendance.late_s, shape), 0.0)
    return here, delay


def _known(name: str, queues: list[str], crews: Mapping[str, tuple[str, ...]] | None) -> tuple[str, ...]:
    known = (crews or {}).get(name, (name,))
    strange = [queue for queue in known if queue not in queues]
    if strange or not known:
        what = f"there is no queue {strange[0]!r} in the forecast" if strange else f"the crew {name!r} knows no queue"
        raise StaffingError(what, where="plan", fix=f"name {', '.join(queues)}, or say in `crews` who knows what")
    return tuple(known)


def _of_slots(name: str, queues: tuple[str, ...], rows: pd.DataFrame, length: float) -> Team:
    """People number 1, 2, ... of each day, the first of whom work whenever anybody does."""
    start = pd.DatetimeIndex(rows["start"])
    second = (start - start[0]).total_seconds().to_numpy()
    opens = np.concatenate([[True], np.diff(second) > 1.001 * length])
    whole = whole_agents(rows["agents"].to_numpy(dtype="float64"), opens)
    days = start.tz_localize(None).normalize().to_numpy()
    fresh = opens | np.concatenate([[True], days[1:] != days[:-1]])
    begins, ends, people, shifts = [], [], [], []
    last = np.append(fresh[1:], True)
    for day in np.unique(days):
        own = np.flatnonzero(days == day)
        most = int(whole[own].max())
        there = whole[own][:, None] > np.arange(most)
        before = np.vstack([np.zeros((1, most), bool), there[:-1]]) & ~fresh[own][:, None]
        after = np.vstack([there[1:], np.zeros((1, most), bool)]) & ~last[own][:, None]
        number, at = np.nonzero((there & ~before).T)
        _, until = np.nonzero((there & ~after).T)
        people.append(number + sum(map(len, shifts)))
        shifts.append(np.full(most, day))
        begins.append(own[at])
        ends.append(own[until])
    begin = start[np.concatenate(begins)]
    end = start[np.concatenate(ends)] + pd.Timedelta(seconds=length)
    day = np.concatenate(shifts)
    plan = pd.DataFrame({"start": start, "agents": rows["agents"].to_numpy(dtype="float64")})
    return Team(name, queues, np.concatenate(people), begin, end, day, np.ones(len(day)), plan)


def _of_people(plan: ShiftPlan, groups: Mapping[str, tuple[str, ...]]) -> tuple[Team, ...]:
    patterns, shifts = plan.rules.patterns, plan.shifts
    likely = [patterns[name].counts if patterns[name].on_call else 1.0 for name in shifts["pattern"]]
    named = shifts.assign(likely=likely).groupby(shifts["group"].astype(str), sort=False)
    return tuple(_of_shifts(str(name), groups[str(name)], part) for name, part in named)


def _of_coverage(coverage: pd.DataFrame, groups: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Where shrinkage keeps some of those on shift from work, nobody knows whom: numbers by slot."""
    group = {queue: name for name, queues in groups.items() for queue in queues}
    crew = coverage["queue"].astype(str).map(group)
    return (
        coverage.assign(crew=crew)[crew.notna()].groupby(["crew", "start"], as_index=False, sort=False)["agents"].sum()
    )


def _of_shifts(name: str, queues: tuple[str, ...], shifts: pd.DataFrame) -> Team:
    people, begins, ends, days, likely = [], [], [], [], []
    for shift in shifts.to_dict("records"):
        edges = [shift["start"], *(edge for rest in sorted(shift["breaks"]) for edge in rest[:2]), shift["end"]]
        for _ in range(int(shift["count"])):
            for begin, end in zip(edges[::2], edges[1::2], strict=True):
                if begin < end:
                    people.append(len(days))
                    begins.append(begin)
                    ends.append(end)
            days.append(np.datetime64(pd.Timestamp(shift["day"]).tz_localize(None), "ns"))
            likely.append(shift["likely"])
    begin, end = pd.DatetimeIndex(begins), pd.DatetimeIndex(ends)
    return Team(name, queues, np.array(people, dtype=np.intp), begin, end, np.array(days), np.array(likely, float))
