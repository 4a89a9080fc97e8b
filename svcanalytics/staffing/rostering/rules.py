"""What a named roster has to keep, and what makes one fairer than another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from svcanalytics.errors import StaffingError

if TYPE_CHECKING:
    from svcanalytics.staffing.shifting.rules import ShiftRules

__all__ = ["RosterRules", "roster_rules"]


@dataclass(frozen=True)
class RosterRules:
    """The rules of a roster; a week runs from Monday to Sunday.

    Attributes
    ----------
    rest_h : float
        Hours between the end of one shift and the start of the next.
    days_off : int
        Days off in a week, at least.
    days_off_together : bool
        Whether two of them follow one another.
    max_days_in_a_row, max_nights_in_a_row : int
        Over the ends of weeks too.
    hours_a_week, max_hours_a_week : float
        Of those whose contract says nothing else, and what nobody's week goes beyond.
    training_h : float
        Hours of a week kept free of shifts for training.
    night : tuple of two floats
        From and to, in hours of the clock; a shift with more than two hours in it is a night shift.
    weekend : tuple of int
        Days of the week, 0 is Monday.
    unpopular : tuple of str
        Patterns to be shared evenly, beside nights and weekends.
    rotation : tuple of str
        Patterns in the order in which people move on. Empty: everybody keeps to last week's.
    rotate_every_weeks : int
    """

    rest_h: float = 11.0
    days_off: int = 2
    days_off_together: bool = True
    max_days_in_a_row: int = 6
    max_nights_in_a_row: int = 4
    hours_a_week: float = 40.0
    max_hours_a_week: float = 40.0
    training_h: float = 0.0
    night: tuple[float, float] = (23.0, 6.0)
    weekend: tuple[int, ...] = (5, 6)
    unpopular: tuple[str, ...] = ()
    rotation: tuple[str, ...] = ()
    rotate_every_weeks: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (
            ("rest_h", 0, 24), ("days_off", 0, 6), ("max_days_in_a_row", 1, 31), ("max_nights_in_a_row", 1, 31),
            ("hours_a_week", 0, 100), ("max_hours_a_week", 0, 100), ("training_h", 0, 40),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise StaffingError(f"{name} is {value}", where="roster rules", fix=f"give a number {low} to {high}")
        if self.max_hours_a_week < self.hours_a_week:
            raise StaffingError(
                "max_hours_a_week is below hours_a_week", where="roster rules", fix="raise it, or lower the other"
            )
        if self.days_off_together and self.days_off < 2:
            raise StaffingError(
                f"{self.days_off} days off a week can't be two together",
                where="roster rules",
                fix="give two days off, or set days_off_together to False",
            )
        if not all(day in range(7) for day in self.weekend):
            raise StaffingError(f"weekend is {self.weekend}", where="roster rules", fix="give days 0 to 6")


def roster_rules(rules: ShiftRules) -> RosterRules:
    """Return what the rules that shifts were planned by say of people; what they leave open keeps its default."""
    people = rules.people
    return RosterRules(
        rest_h=people.min_rest_hours,
        days_off=people.days_off,
        days_off_together=people.days_off_together and people.days_off >= 2,
        max_days_in_a_row=people.max_days_in_a_row,
        hours_a_week=people.hours_a_week,
        max_hours_a_week=people.max_hours_a_week,
        training_h=people.training_hours_a_week,
        rotation=people.rotation,
        rotate_every_weeks=people.rotate_every_weeks,
    )
