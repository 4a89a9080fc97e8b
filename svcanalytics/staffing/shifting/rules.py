"""Shift rules as they are written: patterns of shifts, what people may work, and what their hours cost."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = ["Break", "Costs", "Night", "Pattern", "People", "ShiftRules"]

DAY = 24 * 60
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")

Names = dict[Literal["zh", "en"], str]
Hours = Annotated[float, Field(gt=0, le=24)]
Share = Annotated[float, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _minute(text: Any) -> int:
    match = _CLOCK.fullmatch(text.strip()) if isinstance(text, str) else None
    minute = int(match[1]) * 60 + int(match[2]) if match else DAY + 1
    if minute > DAY:
        raise ValueError(f"{text!r} is no time of day; write 08:30")
    return minute


class Break(_Strict):
    """A break of `minutes`, to be taken whole within its window.

    Attributes
    ----------
    minutes : int
    paid : bool
    after, before : float or None
        The window in hours from the start of the shift.
    from_minute, to_minute : int or None
        The window by the clock (``from`` and ``to`` in the file), in minutes after midnight.
    every : int
        Minutes between the places that are tried.
    """

    minutes: Annotated[int, Field(gt=0, lt=DAY)]
    paid: bool = False
    after: Annotated[float, Field(ge=0)] | None = None
    before: Annotated[float, Field(gt=0)] | None = None
    from_minute: Annotated[int | None, Field(alias="from")] = None
    to_minute: Annotated[int | None, Field(alias="to")] = None
    every: Annotated[int, Field(gt=0, le=240)] = 15

    @field_validator("from_minute", "to_minute", mode="before")
    @classmethod
    def _read_clock(cls, value: Any) -> int | None:
        return value if value is None or isinstance(value, int) else _minute(value)

    @model_validator(mode="after")
    def _one_window(self) -> Break:
        by_length = self.after is not None and self.before is not None
        by_clock = self.from_minute is not None and self.to_minute is not None
        given = [self.after, self.before, self.from_minute, self.to_minute]
        if by_length == by_clock or sum(each is not None for each in given) != 2:
            raise ValueError("a break has one window; give after and before, or from and to")
        low, high = self.window(0) if by_length else (self.from_minute, self.to_minute)
        if by_clock and high <= low:
            high += DAY
        if high - low < self.minutes:
            raise ValueError(f"the window is shorter than the break of {self.minutes} minutes; widen it")
        return self

    def window(self, start: int) -> tuple[int, int]:
        """Return the window of a shift that starts at a minute after midnight, in minutes from that start."""
        if self.after is not None and self.before is not None:
            return round(self.after * 60), round(self.before * 60)
        assert self.from_minute is not None and self.to_minute is not None
        low = (self.from_minute - start) % DAY
        return low, low + (self.to_minute - self.from_minute) % DAY


class Pattern(_Strict):
    """One kind of shift.

    Attributes
    ----------
    id : str
    name : dict
        By language.
    starts : tuple[int, ...]
        Minutes after midnight, by the wall clock.
    hours : tuple[float, ...]
        Lengths on the wall clock, breaks included.
    days : tuple[int, ...]
        Weekdays it may start on, Monday 0.
    breaks : tuple[Break, ...]
        In the order of their windows.
    most : int or None
        People a day at most, in each group.
    hour : float or None
        Pay of an hour, where it differs from the costs'.
    on_call : bool
    counts : float
        How much of an agent at work one on call is worth.
    """

    id: str
    name: Names = Field(default_factory=dict)
    starts: Annotated[tuple[int, ...], Field(min_length=1)]
    hours: Annotated[tuple[Hours, ...], Field(min_length=1)]
    days: Annotated[tuple[int, ...], Field(min_length=1)] = tuple(range(7))
    breaks: tuple[Break, ...] = ()
    most: Annotated[int, Field(ge=0)] | None = None
    hour: Annotated[float, Field(gt=0)] | None = None
    on_call: bool = False
    counts: Annotated[float, Field(gt=0, le=1)] = 0.5

    @field_validator("starts", mode="before")
    @classmethod
    def _read_starts(cls, value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) != {"from", "to", "every"} or not isinstance(value["every"], int) or value["every"] <= 0:
                raise ValueError('a flexible start is { from = "07:00", to = "10:00", every = 30 }')
            first, last = _minute(value["from"]), _minute(value["to"])
            if last < first:
                raise ValueError("from comes after to; over midnight, list the starts")
            return tuple(range(first, last + 1, value["every"]))
        if not isinstance(value, list):
            return value
        starts = tuple(_minute(each) for each in value)
        if len(set(starts)) < len(starts) or DAY in starts:
            raise ValueError("a start is given twice, or is 24:00; give each once, midnight as 00:00")
        return starts

    @field_validator("hours", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int | float) else value

    @field_validator("days", mode="before")
    @classmethod
    def _read_days(cls, value: Any) -> Any:
        if isinstance(value, tuple):
            return value
        found: set[int] = set()
        for text in [value] if isinstance(value, str) else value:
            first, _, last = str(text).partition("-")
            if first not in _WEEKDAYS or (last and last not in _WEEKDAYS):
                raise ValueError(f"{text!r} is no weekday; write mon or mon-fri")
            low, high = _WEEKDAYS.index(first), _WEEKDAYS.index(last or first)
            found |= set(range(low, high + 1 + (7 if high < low else 0)))
        return tuple(sorted(day % 7 for day in found))

    @model_validator(mode="after")
    def _breaks_fit(self) -> Pattern:
        for start in self.starts:
            for hours in self.hours:
                length, ended = round(hours * 60), 0
                for place, each in sorted(enumerate(self.breaks), key=lambda pair: pair[1].window(start)):
                    low, high = each.window(start)
                    shift = f"the shift of {start // 60:02d}:{start % 60:02d} for {hours:g} hours"
                    if high > length:
                        raise ValueError(f"breaks.{place}: the window lies outside {shift}; move or narrow it")
                    if low < ended:
                        raise ValueError(f"breaks.{place}: the window overlaps another's in {shift}; part them")
                    ended = high
        return self

    @property
    def unpaid_minutes(self) -> int:
        """Minutes of breaks that are not paid."""
        return sum(each.minutes for each in self.breaks if not each.paid)


class Night(_Strict):
    """The share paid on top between two times of the clock."""

    share: Share
    from_minute: Annotated[int, Field(alias="from")] = 22 * 60
    to_minute: Annotated[int, Field(alias="to")] = 6 * 60

    @field_validator("from_minute", "to_minute", mode="before")
    @classmethod
    def _read_clock(cls, value: Any) -> int:
        return value if isinstance(value, int) else _minute(value)


class Costs(_Strict):
    """What an hour costs.

    Attributes
    ----------
    hour : float
        Pay of an ordinary hour.
    overtime : float
        An hour beyond the usual day costs so many ordinary ones.
    night : Night or None
    weekend, holiday : float
        Shares on top; of both the larger counts.
    on_call : float
        Share of the pay while on call, with what calls that come are paid.
    """

    hour: Annotated[float, Field(gt=0)] = 1.0
    overtime: Annotated[float, Field(ge=1)] = 1.5
    night: Night | None = None
    weekend: Share = 0.0
    holiday: Share = 0.0
    on_call: Annotated[float, Field(gt=0, le=1)] = 0.5


class People(_Strict):
    """What one person may work."""

    hours_a_day: Hours = 8.0
    max_hours_a_day: Hours = 10.0
    hours_a_week: Annotated[float, Field(gt=0, le=168)] = 40.0
    max_hours_a_week: Annotated[float, Field(gt=0, le=168)] = 48.0
    min_rest_hours: Annotated[float, Field(ge=0, le=24)] = 11.0
    days_off: Annotated[int, Field(ge=0, le=6)] = 2
    days_off_together: bool = False
    max_days_in_a_row: Annotated[int, Field(ge=1, le=14)] = 6
    rotation: tuple[str, ...] = ()
    rotate_every_weeks: Annotated[int, Field(ge=1)] = 1
    training_hours_a_week: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _possible(self) -> People:
        if self.max_hours_a_day < self.hours_a_day:
            raise ValueError("max_hours_a_day is below hours_a_day; raise it")
        if self.max_hours_a_week < self.hours_a_week:
            raise ValueError("max_hours_a_week is below hours_a_week; raise it")
        if self.max_hours_a_week < self.training_hours_a_week + self.hours_a_day:
            raise ValueError("training_hours_a_week leave no day to work; lower them or raise max_hours_a_week")
        return self


class ShiftRules(_Strict):
    """The rules of one place: its patterns, its people and its costs.

    Attributes
    ----------
    id : str
    name : dict
        By language.
    timezone : str or None
        Whose wall clock shifts keep; None for that of the requirement.
    holidays : str
        ISO code of the country whose public holidays are paid as such; "" for none.
    currency : str
    costs : Costs
    people : People
    patterns : dict[str, Pattern]
    """

    id: str
    name: Names = Field(default_factory=dict)
    timezone: str | None = None
    holidays: str = ""
    currency: str = ""
    costs: Costs = Field(default_factory=Costs)
    people: People = Field(default_factory=People)
    patterns: Annotated[dict[str, Pattern], Field(min_length=1)]

    @model_validator(mode="after")
    def _agree(self) -> ShiftRules:
        for id_, pattern in self.patterns.items():
            worked = max(pattern.hours) - pattern.unpaid_minutes / 60
            if not pattern.on_call and worked > self.people.max_hours_a_day + 1e-9:
                raise ValueError(
                    f"patterns.{id_}.hours: {worked:g} hours of work are more than people.max_hours_a_day "
                    f"({self.people.max_hours_a_day:g}); shorten the shift or raise the limit"
                )
        strange = [id_ for id_ in self.people.rotation if id_ not in self.patterns]
        if strange:
            raise ValueError(f"people.rotation: there is no pattern {strange[0]!r}; use {', '.join(self.patterns)}")
        return self
