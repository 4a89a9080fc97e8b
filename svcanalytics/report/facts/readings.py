"""One indicator as a report reads it: value, target, light, what it is compared with, and how each is written."""

from __future__ import annotations

from dataclasses import dataclass

from svcanalytics.report.words.formats import (
    format_change,
    format_integer,
    format_number,
    format_percent,
    format_value,
    is_missing,
    no_base,
    word,
)

__all__ = ["Clock", "Reading", "kind_of"]


@dataclass(frozen=True)
class Reading:
    """One indicator in one period, for one unit.

    Parameters
    ----------
    id, name : str
        Of the metric or standard; the name in the report's language.
    kind : str
        How its values are written: "rate", "duration", "integer" or "number".
    direction : str
        "up" when more is better, "down" when less is, "" when neither.
    value, low, high : float or None
        Of this period with its 95 % interval; None when suppressed or without data.
    n : int
        Records it rests on.
    target : float or None
        In the units of `value`.
    light : str or None
        green, yellow, red, grey; None without a target.
    previous, change, significant : float, float, bool or None
        Last period's value, the difference to it, and whether sampling error alone can't explain it.
    last_year, yoy_change : float or None
        The same for the same period last year.
    ytd : float or None
        The year so far.
    previous_base, yoy_base : str
        How good the bases are, as `metrics.compare` says: "ok", "no_base", "incomplete", "january_february" …
    streak : int
        Periods running it was met (positive) or missed (negative), this one included; 0 when neither.
    streak_open : bool
        The streak reaches back to the first period looked at, so it may be longer.
    flag : str
        "", "suppressed", "incomplete" or "provisional".
    family : str
        Family of the indicator system.
    """

    id: str
    name: str
    kind: str = "rate"
    direction: str = "up"
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    target: float | None = None
    light: str | None = None
    previous: float | None = None
    change: float | None = None
    significant: bool | None = None
    last_year: float | None = None
    yoy_change: float | None = None
    yoy_significant: bool | None = None
    ytd: float | None = None
    streak: int = 0
    streak_open: bool = False
    previous_base: str = ""
    yoy_base: str = ""
    flag: str = ""
    family: str = ""
    unit: str = ""

    @property
    def judged(self) -> bool:
        """Whether there is a target, and enough data to hold it against."""
        return self.light in ("green", "yellow", "red")

    @property
    def better(self) -> bool | None:
        """Whether it got better for sure (True), worse for sure (False), or neither can be said (None)."""
        if not self.significant or is_missing(self.change) or self.direction not in ("up", "down") or not self.change:
            return None
        return (self.change > 0) == (self.direction == "up")

    @property
    def attainment(self) -> float | None:
        """How far the year so far attains the target: 1.0 attains it, more goes beyond; None without either.

        Year to date / target where more is better, target / year to date where less is. A year with nothing at all of
        what should be little has no such ratio, nor has a target of 0 that was missed or wants more.
        """
        if is_missing(self.target) or is_missing(self.ytd) or self.direction not in ("up", "down"):
            return None
        over, under = (self.ytd, self.target) if self.direction == "up" else (self.target, self.ytd)
        return over / under if under > 0 and over >= 0 else None

    def value_text(self, language: str) -> str:
        """Return how its value reads, or why there is none."""
        if self.flag == "suppressed":
            return word("suppressed", language)
        return format_value(self.value, self.kind, language)

    def written(self, value: float | None, language: str) -> str:
        """Return how any value of this indicator reads, "no base" when it is missing."""
        return no_base(language) if is_missing(value) else format_value(value, self.kind, language)

    def target_text(self, language: str) -> str:
        """Return how its target reads: "≥95.0%"; an en dash without one."""
        if is_missing(self.target):
            return "–"
        sign = "≤" if self.direction == "down" else "≥"
        return f"{sign}{target_number(self.target, self.kind, language)}"

    def change_value(self, change: float | None, base: float | None) -> tuple[float | None, str]:
        """Return a change as the number and kind readers expect: shares in points, amounts relative to their base."""
        if is_missing(change):
            return None, "points" if self.kind == "rate" else "percent"
        if self.kind == "rate":
            return change, "points"
        if self.kind == "integer" and base and base > 0 and base + change >= 0:  # a net flow has no percentage
            return change / base, "percent"
        return change, self.kind

    def change_text(self, language: str, change: float | None, base: float | None) -> str:
        """Return how a change reads: "+1.2个百分点", "−3.4%", "+2分"; "no base" without a base."""
        value, kind = self.change_value(change, base)
        return format_change(value, kind, language)


@dataclass(frozen=True)
class Clock:
    """One standard in one period: how many fell due, on time, late and still running, and its share as a `Reading`.

    On time and late are None where the smallest n suppresses them. A composite takes several standards together, so
    its clocks are counted elsewhere too.
    """

    reading: Reading
    due: int
    on_time: int | None
    late: int | None
    running: int
    overrun_s: float | None
    composite: bool = False

    @property
    def missed(self) -> bool:
        """Whether its share is short of what is promised, or, where no share is, anything was late."""
        if self.late is None or not self.late:
            return False
        return is_missing(self.reading.target) or self.reading.value < self.reading.target


def kind_of(unit: str, metric_kind: str = "") -> str:
    """Return how a metric's values are written, from its unit ("share", "s", …) and its kind ("count", "mean" …)."""
    if unit == "share":
        return "rate"
    if unit == "s":
        return "duration"
    return "integer" if metric_kind == "count" else "number"


def target_number(target: float, kind: str, language: str) -> str:
    """Return a target without needless decimals: "95%", "0.5%", "2小时"."""
    if kind == "rate":
        return f"{target * 100:.10g}%"
    if kind == "integer":
        return format_integer(target, language)
    if kind == "number":
        return format_integer(target, language) if target == round(target) else format_number(target, language)
    if kind == "percent":
        return format_percent(target, language)
    return format_value(target, kind, language)
