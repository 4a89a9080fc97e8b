"""Calendars as they are defined in ``calendars.toml``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from svcanalytics.errors import PeriodError
from svcanalytics.periods.calendar import ROUND_THE_CLOCK, Calendar, Hours

__all__ = ["calendars"]

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


def calendars(
    extra: Mapping[str, Mapping[str, Any]] | None = None, *, timezone: str = "UTC", country: str = "", where: str = ""
) -> dict[str, Calendar]:
    """Return the calendars by id: round the clock, and those defined in `extra`.

    Parameters
    ----------
    extra : Mapping, optional
        Definitions as they stand in ``calendars.toml``: ``hours`` (a table from ``mon`` … ``sun`` or ``mon-fri`` to
        a list like ``["09:00-12:00", "13:00-18:00"]``), ``holidays`` (true for the installation's country, or an ISO
        code), ``make_up`` (the weekday whose hours a make-up working day has), ``closed``, ``opened`` (own days),
        ``announced`` (years vouched for), ``timezone``, ``name``.
    timezone, country : str
        Used where a definition names none.
    where : str
        Name of the file, for error messages.

    Raises
    ------
    PeriodError
        When a definition can't be used; names file, calendar and key.
    """
    found = {ROUND_THE_CLOCK.id: replace(ROUND_THE_CLOCK, timezone=timezone)}
    for id_, definition in (extra or {}).items():
        found[id_] = _define(id_, definition, timezone, country, f"{where} [{id_}]".strip())
    return found


def _define(id_: str, raw: Mapping[str, Any], timezone: str, country: str, where: str) -> Calendar:
    from zoneinfo import ZoneInfo

    known = {"name", "hours", "holidays", "make_up", "closed", "opened", "announced", "timezone"}
    if unknown := sorted(set(raw) - known):
        raise PeriodError(f"unknown key {unknown[0]!r}", where=where, fix=f"use {', '.join(sorted(known))}")
    zone = raw.get("timezone", timezone)
    try:
        ZoneInfo(zone)
    except Exception:
        raise PeriodError(
            f"there is no time zone {zone!r}", where=where, fix="use a name such as Asia/Shanghai"
        ) from None
    holidays = raw.get("holidays", False)
    make_up = raw.get("make_up", "mon")
    if make_up not in _WEEKDAYS:
        raise PeriodError(f"make_up = {make_up!r} is not a weekday", where=where, fix=f"use {', '.join(_WEEKDAYS)}")
    hours = _hours(raw.get("hours"), where)
    if hours is not None and not any(hours):
        raise PeriodError("the calendar is never open", where=where, fix="give it hours, for example mon-fri")
    return Calendar(
        id_,
        hours,
        zone,
        country if holidays is True else (holidays or ""),
        _WEEKDAYS.index(make_up),
        _days(raw, "closed", where),
        _days(raw, "opened", where),
        frozenset(raw.get("announced", ())),
        dict(raw.get("name", {})),
    )


def _hours(raw: Mapping[str, Sequence[str]] | None, where: str) -> Hours | None:
    if raw is None:
        return None
    week: list[tuple[tuple[int, int], ...]] = [()] * 7
    for key, spans in raw.items():
        first, _, last = key.partition("-")
        if first not in _WEEKDAYS or (last and last not in _WEEKDAYS):
            raise PeriodError(f"{key!r} is not a weekday", where=f"{where} hours", fix="use mon … sun or mon-fri")
        low, high = _WEEKDAYS.index(first), _WEEKDAYS.index(last or first)
        for day in range(low, high + 1):
            week[day] = tuple(sorted(_span(text, where) for text in spans))
    return tuple(week)


def _span(text: str, where: str) -> tuple[int, int]:
    match = _SPAN.fullmatch(text.strip())
    numbers = [int(group) for group in match.groups()] if match else [0, 0, 0, 0]
    opens, closes = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if not opens < closes <= 24 * 60:
        raise PeriodError(
            f"{text!r} are not opening hours", where=f"{where} hours", fix="write 09:00-18:00; over midnight, two days"
        )
    return opens, closes


def _days(raw: Mapping[str, Any], key: str, where: str) -> frozenset[date]:
    try:
        return frozenset(day if isinstance(day, date) else date.fromisoformat(day) for day in raw.get(key, ()))
    except (TypeError, ValueError):
        raise PeriodError(f"{key} holds something that is not a day", where=where, fix="write 2027-02-05") from None
