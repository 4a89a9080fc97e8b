"""Who can be rostered: skills, contracts, leave, wishes and what they worked before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.rostering.duties import Duty, minutes_since
from svcanalytics.staffing.rostering.rules import RosterRules

__all__ = ["Person", "Wish", "Worked", "read_people"]


@dataclass(frozen=True)
class Wish:
    """A wish for one day: a pattern, "off", or "" for any shift; the strength is below 0 for what is not wanted."""

    day: int
    pattern: str
    strength: float


@dataclass(frozen=True)
class Worked:
    """A shift that somebody worked, or was given in a week settled before; times as in `Duty`."""

    day: int
    pattern: str
    begins: int
    ends: int
    minutes: int
    night: bool = False
    weekend: bool = False
    unpopular: bool = False


@dataclass(eq=False)
class Person:
    """One agent; `worked` grows from week to week of the plan.

    Attributes
    ----------
    name : str
    skills : frozenset of str or None
        Groups that can be served; None means all.
    minutes : int
        Of a week by contract, training included.
    training : int
        Minutes of a week.
    leave : list of (from, to)
        In minutes, as a duty's times.
    wishes : list of Wish
    worked : list of Worked
    """

    name: str
    skills: frozenset[str] | None
    minutes: int
    training: int
    leave: list[tuple[int, int]] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    worked: list[Worked] = field(default_factory=list)

    def serves(self, group: str) -> bool:
        """Tell whether the person has the skill."""
        return self.skills is None or group in self.skills

    def away(self, begins: int, ends: int) -> bool:
        """Tell whether any leave lies between two moments."""
        return any(low < ends and begins < high for low, high in self.leave)

    def take(self, duty: Duty) -> None:
        """Note that the person works a duty."""
        marks = duty.night, duty.weekend, duty.unpopular
        self.worked.append(Worked(duty.day, duty.pattern, duty.begins, duty.ends, duty.minutes, *marks))


def read_people(
    agents: pd.DataFrame,
    leave: pd.DataFrame | None,
    wishes: pd.DataFrame | None,
    history: pd.DataFrame | None,
    duties: list[Duty],
    rules: RosterRules,
) -> list[Person]:
    """Return the agents in the order of their table; see `plan_roster` for the frames.

    Raises
    ------
    StaffingError
        A column is missing, an agent stands twice or is unknown, or a number makes no sense.
    """
    _require(agents, ("agent",), "agents")
    if agents.empty:
        raise StaffingError("there are no agents", where="agents", fix="give a row for each")
    names = agents["agent"].astype(str)
    if names.duplicated().any():
        raise StaffingError(
            f"agent {names[names.duplicated()].iloc[0]} stands twice", where="agents", fix="give one row for each"
        )
    known = {duty.group for duty in duties}
    people = {}
    for row in agents.assign(agent=names).to_dict("records"):
        hours = _hours(row, "hours", rules.hours_a_week)
        training = _hours(row, "training_h", rules.training_h)
        people[row["agent"]] = Person(
            row["agent"], _skills(row.get("skills"), known), round(hours * 60), round(training * 60)
        )
    if not any(p.serves(group) for p in people.values() for group in known):
        raise StaffingError(
            f"no agent has a skill that the plan asks for: {', '.join(sorted(known))}",
            where="agents, skills",
            fix="name the plan's groups in skills",
        )
    midnight = duties[0].start.normalize()
    zone, first = midnight.tz, midnight.tz_localize(None)
    for row in _rows(leave, ("agent", "start", "end") if leave is not None and "start" in leave else ("agent", "day")):
        low = pd.Timestamp(row["start"] if "start" in row else row["day"])
        high = pd.Timestamp(row["end"]) if "end" in row else low + pd.Timedelta(days=1)
        if high <= low:
            raise StaffingError("a leave ends before it begins", where=f"leave, {row['agent']}", fix="correct it")
        _of(people, row, "leave").leave.append(
            (minutes_since(midnight, _in_zone(low, zone)), minutes_since(midnight, _in_zone(high, zone)))
        )
    for row in _rows(wishes, ("agent", "day")):
        day = (pd.Timestamp(row["day"]).tz_localize(None).normalize() - first).days
        pattern = row.get("pattern")
        strength = float(row.get("strength", 1.0))
        if not np.isfinite(strength):
            raise StaffingError("a wish has no strength", where=f"wishes, {row['agent']}", fix="give 1, or -1")
        wish = Wish(day, "" if pd.isna(pattern) else str(pattern), strength)
        _of(people, row, "wishes").wishes.append(wish)
    for row in _rows(history, ("agent", "pattern", "start", "end")):
        if row["agent"] in people:  # who has left does not matter any more
            start, end = (_in_zone(pd.Timestamp(row[name]), zone) for name in ("start", "end"))
            day = (start.tz_localize(None).normalize() - first).days
            paid = round(row.get("paid_s", (end - start).total_seconds()) / 60)
            marks = (bool(row.get(name, False)) for name in ("night", "weekend", "unpopular"))
            people[row["agent"]].worked.append(
                Worked(
                    day, str(row["pattern"]), minutes_since(midnight, start), minutes_since(midnight, end), paid, *marks
                )
            )
    return list(people.values())


def _require(frame: pd.DataFrame, needed: Iterable[str], where: str) -> None:
    lacking = [name for name in needed if name not in frame]
    if lacking:
        raise StaffingError(f"the table has no column {lacking[0]!r}", where=where, fix=f"give {', '.join(needed)}")


def _rows(frame: pd.DataFrame | None, needed: tuple[str, ...]) -> list[dict]:
    if frame is None:
        return []
    _require(frame, needed, "leave, wishes or history")
    return frame.assign(agent=frame["agent"].astype(str)).to_dict("records")


def _of(people: dict[str, Person], row: dict, where: str) -> Person:
    if row["agent"] not in people:
        raise StaffingError(f"there is no agent {row['agent']}", where=where, fix="use the names of the agents' table")
    return people[row["agent"]]


def _hours(row: dict, name: str, usual: float) -> float:
    value = row.get(name)
    if value is None or pd.isna(value):
        return usual
    if not 0 <= float(value) <= 100:
        raise StaffingError(f"{name} is {value}", where=f"agents, {row['agent']}", fix="give hours of a week, 0 to 100")
    return float(value)


def _skills(given: object, known: set[str]) -> frozenset[str] | None:
    if given is None or (isinstance(given, float) and np.isnan(given)):
        return None
    words = given.split(",") if isinstance(given, str) else given
    skills = frozenset(str(word).strip() for word in words)  # type: ignore[union-attr]
    # A group of queues takes whoever can serve each of them.
    return skills | {group for group in known if {part.strip() for part in group.split("+")} <= skills}


def _in_zone(moment: pd.Timestamp, zone: object) -> pd.Timestamp:
    if zone is None:
        return moment.tz_localize(None)
    return moment.tz_localize(zone) if moment.tz is None else moment.tz_convert(zone)
