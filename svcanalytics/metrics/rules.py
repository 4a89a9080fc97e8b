"""The catalogue of standards: clocks between two milestones, read from TOML and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from svcanalytics.errors import CatalogueError, PeriodError
from svcanalytics.metrics.definitions import Family, Words
from svcanalytics.metrics.entries import choose, entries, files, line, nearest, read_toml
from svcanalytics.metrics.expressions import Expression, parse
from svcanalytics.metrics.views import VIEWS, view
from svcanalytics.periods import Calendar, calendars, parse_duration
from svcanalytics.store.contract import contract

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Limit", "Rulebook", "Standard", "clock_calendars", "rulebook"]

_LIMIT = re.compile(r"(\d+)\s*(working days?|months?|years?)")
NEXT = "next"
"""As `to` of a duty: the next time the same duty is done."""


@dataclass(frozen=True)
class Limit:
    """How long a clock may run: `n` seconds, working days or calendar months."""

    kind: Literal["seconds", "working_days", "months"]
    n: int


class Standard(BaseModel):
    """One time standard.

    Attributes
    ----------
    id : str
    name : Words
    document : str
        Where it is written down.
    table : str
        The view it reads: ``cases`` with milestones, any other with its time columns.
    from_, to : str, tuple of str
        Of cases: milestones, from the events, or from the case's own columns where no event tells. The first of several
        `to` that is reached stops the clock; a source that never records the first one named isn't measured. Of other
        views: time columns; ``to = "next"`` is the next time the same duty is done.
    limit, due : str
        ``30 s``, ``15 min``, ``48 h``, ``3 working days``, ``1 month``; or the column that holds each row's own limit.
    calendar : str
        Whose open time counts.
    for_ : str
        Expression over the view's columns: which rows the standard is for.
    specificity : int
        Of standards that time the same thing, the one with the highest wins for a row; default: the number of columns
        that `for_` names. Of equals the last one written wins.
    share : float
        Share that must be on time; empty when the document states none.
    person : bool
        Only a person's step counts: no automatic acknowledgement, no bot.
    answer : bool
        A form letter does not count either.
    medium : tuple of str
        How the customer must be told; empty: any way.
    pauses : str
        Whom a case may wait for without the clock running: net time.
    repeat : bool
        Each step starts the clock anew, until `until`: feedback every 30 minutes. The worst gap decides.
    until : tuple of str
        What makes the clock pointless: reached before the limit, the row counts neither as met nor as missed.
    at : str
        Which time puts a row into a period, ``start`` or ``due``.
    of : tuple of str
        Of a composite standard: the standards taken together.
    valid_from, valid_to : date
        First and last local day on which a clock may start under this standard.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: Words
    document: Literal["features", "rectification", "monitoring", "centre", "system", "source", "own"]
    family: Family = "response"
    table: str = "cases"
    from_: str = Field(default="opened", alias="from")
    to: tuple[str, ...] = ()
    limit: str = ""
    due: str = ""
    calendar: str = "round_the_clock"
    for_: str = Field(default="", alias="for")
    specificity: int | None = Field(default=None, ge=0)
    share: float | None = Field(default=None, gt=0, le=1)
    person: bool = False
    answer: bool = False
    medium: tuple[str, ...] = ()
    pauses: Literal["", "customer", "supplier"] = ""
    repeat: bool = False
    until: tuple[str, ...] = ()
    at: Literal["start", "due"] = "start"
    of: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    min_n: int = Field(default=10, ge=0)

    @field_validator("to", "until", "medium", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fits_together(self) -> Standard:
        if self.of:
            if self.to or self.limit or self.due or self.for_:
                raise ValueError("of: a composite has no clock of its own")
            return self
        if not self.to:
            raise ValueError("to: name what stops the clock")
        if bool(self.limit) == bool(self.due):
            raise ValueError("limit: give a limit or the column of each row's due time, one of them")
        if self.limit:
            try:
                kind = self.span().kind
            except PeriodError as error:
                raise ValueError(f"limit: {error.what}") from None
            if kind != "seconds" and (self.pauses or self.repeat):
                raise ValueError("pauses: only a limit in hours or minutes can pause or repeat")
        elif self.pauses or self.repeat:
            raise ValueError("pauses: a due time from a column neither pauses nor repeats")
        if self.repeat and (not self.until or self.from_ != "opened" or self.table != "cases" or self.pauses):
            raise ValueError("repeat: a repeated clock runs from opened and needs until")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to: ends before valid_from")
        return self

    def span(self) -> Limit:
        """Return the limit."""
        match = _LIMIT.fullmatch(self.limit.strip())
        if match is None:
            return Limit("seconds", parse_duration(self.limit))
        n, word = int(match[1]), match[2]
        if word.startswith("working"):
            return Limit("working_days", n)
        return Limit("months", n * (12 if word.startswith("year") else 1))

    @property
    def condition(self) -> Expression:
        """The parsed filter."""
        return parse(self.for_ or "true")

    @property
    def weight(self) -> int:
        """How specific the standard is."""
        return len(self.condition.columns) if self.specificity is None else self.specificity

    @property
    def topic(self) -> tuple[object, ...]:
        """What is timed: of standards with the same topic only the most specific one applies to a row."""
        return (
            *(self.table, self.from_, self.to, self.due, self.person, self.answer, self.medium),
            *(self.pauses, self.repeat, self.at),
        )


@dataclass(frozen=True)
class Rulebook:
    """The standards of an installation, by id, in the catalogue's order."""

    standards: Mapping[str, Standard]

    @cached_property
    def topics(self) -> dict[tuple[object, ...], tuple[Standard, ...]]:
        """The standards by what they time, most specific first."""
        found: dict[tuple[object, ...], list[Standard]] = {}
        for standard in self.standards.values():
            if not standard.of:
                found.setdefault(standard.topic, []).insert(0, standard)
        return {topic: tuple(sorted(rules, key=lambda rule: -rule.weight)) for topic, rules in found.items()}

    def choose(self, standards: str | Iterable[str] | None) -> list[Standard]:
        """Return the standards named, or all.

        Raises
        ------
        CatalogueError
            When one is unknown; names the nearest.
        """
        return choose("standard", self.standards, standards)


def rulebook(lake: Lake | None = None) -> Rulebook:
    """Return the shipped standards, with those of the lake's own folders added or put in their place.

    Raises
    ------
    CatalogueError
        When a definition can't be used; names file, line and remedy.
    """
    found: dict[str, Standard] = {}
    for file in files("standards.toml", lake):
        found.update(_read(file, file.stat().st_mtime_ns))
    known = set(clock_calendars(lake))
    for standard in found.values():
        if standard.calendar not in known:
            raise CatalogueError(
                f"there is no calendar {standard.calendar!r}",
                where=f"standards.toml, standard {standard.id!r}",
                fix=f"use {', '.join(sorted(known))}, or define it in calendars.toml",
            )
        if unknown := [name for name in standard.of if name not in found or found[name].of]:
            raise CatalogueError(
                f"{unknown[0]!r} is no clock",
                where=f"standards.toml, standard {standard.id!r}",
                fix="name clocks in of",
            )
    return Rulebook(found)


def clock_calendars(lake: Lake | None = None) -> dict[str, Calendar]:
    """Return the calendars that standards may name: the shipped ones and the lake's own.

    Raises
    ------
    CatalogueError
        When a definition can't be used; names file, calendar, key and remedy.
    """
    zone, country = (lake.timezone, lake.country) if lake is not None else ("UTC", "CN")
    found = calendars(timezone=zone)
    for file in files("calendars.toml", lake):
        try:
            defined = calendars(read_toml(file), timezone=zone, country=country, where=file.name)
        except PeriodError as error:
            raise CatalogueError(error.what, where=error.where, fix=error.fix) from None
        found.update(defined)
    return found


@cache
def _read(file: Path, _changed: int) -> dict[str, Standard]:
    return {name: _standard(file, name, spec) for name, spec in entries(file, "standards").items()}


def _standard(file: Path, name: str, spec: dict[str, object]) -> Standard:
    try:
        standard = Standard(id=name, **spec)
        key, problem, fix = _fault(standard)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        key, _, problem = (str(first["loc"][0]), "", message) if first["loc"] else message.partition(": ")
        missing = first["type"] == "missing"
        known = ", ".join(field.alias or name for name, field in Standard.model_fields.items() if name != "id")
        extra = f"remove it; a standard has {known}"
        correct = "write 30 s, 15 min, 48 h, 3 working days, 1 month or 1 year" if key == "limit" else "correct it"
        fix = f"add {key}" if missing else extra if first["type"] == "extra_forbidden" else correct
    if problem:
        raise CatalogueError(f"standard {name!r}, {key}: {problem}", where=line(file, "standards", name, key), fix=fix)
    return standard


def _fault(standard: Standard) -> tuple[str, str, str]:
    """Return key, problem and remedy of what the view can't give; empty when all is well."""
    if standard.of:
        return "", "", ""
    if standard.table not in VIEWS:
        return "table", f"there is no view {standard.table!r}", f"use one of {', '.join(VIEWS)}"
    columns = view(standard.table).columns()
    times = sorted(name for name, kind in columns.items() if kind == "timestamp")
    named = {"from": (standard.from_,), "to": standard.to, "until": standard.until}
    if standard.table == "cases":
        milestones = contract()["events"].columns["milestone"].allowed
        known, what = list(milestones), "milestone"
    else:
        known, what = [*times, NEXT], f"time column of {standard.table}"
    for key, names in named.items():
        for name in names:
            if name not in known:
                return key, f"{name!r} is no {what}", f"use one of {', '.join(known)}"
    if standard.due and standard.due not in times:
        return "due", f"{standard.due!r} is no time column of {standard.table}", f"use one of {', '.join(times)}"
    try:
        condition = standard.condition
    except CatalogueError as error:
        return "for", error.what, error.fix
    for column in sorted(condition.columns - set(columns)):
        return "for", f"{standard.table} has no column {column!r}", f"did you mean {nearest(column, columns)}?"
    if not condition.boolean:
        return "for", "is a number, not yes or no", "write a comparison"
    return "", "", ""
