"""Whether somebody can take a duty, and if not, by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from svcanalytics.staffing.rostering.duties import Duty
from svcanalytics.staffing.rostering.people import Person
from svcanalytics.staffing.rostering.rules import RosterRules

__all__ = ["Week", "obstacle"]


@dataclass(frozen=True)
class Week:
    """A calendar week: its Monday as a number of days from the plan's first, and its eight midnights in minutes."""

    monday: int
    midnights: tuple[int, ...]

    @property
    def days(self) -> range:
        """Monday to Sunday."""
        return range(self.monday, self.monday + 7)

    def days_of_leave(self, person: Person) -> int:
        """Return how many days of the week the person's leave touches."""
        return sum(person.away(low, high) for low, high in pairwise(self.midnights)) if person.leave else 0

    def contract(self, person: Person, rules: RosterRules) -> int:
        """Return the minutes that the contract leaves after leave: a day of it stands for a working day."""
        working = 7 - rules.days_off
        return round(person.minutes * max(working - self.days_of_leave(person), 0) / working)

    def most(self, person: Person, rules: RosterRules) -> int:
        """Return the minutes of shifts that the week may hold, overtime included and training left out."""
        contract = self.contract(person, rules)
        over = round((rules.max_hours_a_week - rules.hours_a_week) * 60)
        return max(contract + over - person.training, 0) if contract else 0

    def most_days(self, person: Person, rules: RosterRules) -> int:
        """Return how many days may be worked."""
        return max(7 - rules.days_off - self.days_of_leave(person), 0)


def obstacle(person: Person, duty: Duty, week: Week, rules: RosterRules) -> str | None:
    """Return the rule that keeps a person from one more duty: the first that does, None when nothing does.

    One of skill, leave, busy (works that day already), rest, hours, days, row, nights and pair.
    """
    if not person.serves(duty.group):
        return "skill"
    if person.away(duty.begins, duty.ends):
        return "leave"
    own = [w for w in person.worked if w.day in week.days]
    if any(w.day == duty.day for w in own):
        return "busy"
    rest = round(rules.rest_h * 60)
    if any(duty.begins < w.ends + rest and w.begins < duty.ends + rest for w in person.worked):
        return "rest"
    if sum(w.minutes for w in own) + duty.minutes > week.most(person, rules):
        return "hours"
    days = {w.day for w in own} | {duty.day}
    if len(days) > week.most_days(person, rules):
        return "days"
    if _run(duty.day, {w.day for w in person.worked}) > rules.max_days_in_a_row:
        return "row"
    if duty.night and _run(duty.day, {w.day for w in person.worked if w.night}) > rules.max_nights_in_a_row:
        return "nights"
    if rules.days_off_together and not _has_pair(days, week) and _has_pair(days - {duty.day}, week):
        return "pair"
    return None


def _run(day: int, worked: set[int]) -> int:
    """Length of the run of days that `day` would belong to."""
    first = last = day
    while first - 1 in worked:
        first -= 1
    while last + 1 in worked:
        last += 1
    return last - first + 1


def _has_pair(days: set[int], week: Week) -> bool:
    return any(day not in days and day + 1 not in days for day in week.days[:-1])
