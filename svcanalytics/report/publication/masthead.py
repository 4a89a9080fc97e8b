"""What stands at the head of a report beside its title: issue, who made and signed it, until when data count, its mark.

Each particular comes from what `publish` is given, else from the notebook's own parameter of that name, else from
``[report]`` of ``svcanalytics.toml``; a report that nobody told anything numbers its issue by its period.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from svcanalytics import resources
from svcanalytics.errors import ConfigError, PublishError
from svcanalytics.report.words.labels import label, moment
from svcanalytics.store.settings import FILE, home
from svcanalytics.store.snapshot import read as read_snapshot

if TYPE_CHECKING:
    from svcanalytics.periods import Period
    from svcanalytics.report.parameters import Parameter
    from svcanalytics.store import Lake

__all__ = ["Masthead", "cut_lake", "mark_words", "read_masthead", "settle_masthead", "time_of", "write_cut_off"]

_LONGEST = 60
_MARKS = ("internal", "public", "personnel")
_AFTER = re.compile(r"\+(\d{1,3})d")


@dataclass(frozen=True)
class Masthead:
    """The particulars of an issue; "" means: as usual.

    Attributes
    ----------
    issue : str
        The issue's number; usually that of the period within its year.
    author, reviewer, approver : str
        Who prepared, reviewed and approved it; usually a line to sign on.
    cut_off : str
        Until when data count: a local time such as "2026-11-05 18:00", a day (to its end), or "+5d" for the end of the
        fifth day after the period. What was loaded later is not read. Usually everything that has been loaded.
    confidentiality : str
        "internal", "public", "personnel", "none", or an own mark; usually the one that goes with the report.
    """

    issue: str = ""
    author: str = ""
    reviewer: str = ""
    approver: str = ""
    cut_off: str = ""
    confidentiality: str = ""

    def __post_init__(self) -> None:
        for name, text in asdict(self).items():
            if not isinstance(text, str) or len(text) > _LONGEST or not text.isprintable():
                raise PublishError(
                    f"not a text for {name}: {str(text)[:80]!r}",
                    where="masthead",
                    fix=f"give at most {_LONGEST} printing characters on one line",
                )

    def given(self) -> dict[str, str]:
        """Return what is not left as usual."""
        return {name: text for name, text in asdict(self).items() if text}


def read_masthead(near: Path | None = None) -> Masthead:
    """Read ``[report]`` of the nearest ``svcanalytics.toml``; nothing without one.

    Raises
    ------
    ConfigError
        Naming the key that can't be used.
    """
    file = home(near) / FILE
    given = resources.read_toml(file).get("report", {}) if file.is_file() else {}
    known = [spec.name for spec in fields(Masthead)]
    if unknown := sorted(set(given) - set(known)):
        raise ConfigError(f"unknown key {unknown[0]!r}", where=f"{file}, report", fix=f"use {', '.join(known)}")
    try:
        return Masthead(**given)
    except PublishError as error:
        raise ConfigError(error.what, where=f"{file}, report", fix=error.fix) from None


def settle_masthead(
    given: Masthead | Mapping[str, str] | None, declared: Mapping[str, Parameter], configured: Masthead
) -> Masthead:
    """Return the particulars that hold: those given, else the notebook's own, else the installation's.

    Parameters
    ----------
    given : Masthead or mapping, optional
        What `publish` was given.
    declared : mapping of str to Parameter
        The notebook's parameters.
    configured : Masthead
        From `read_masthead`.

    Raises
    ------
    PublishError
        When `given` names something else, or a text can't be used.
    """
    asked = given.given() if isinstance(given, Masthead) else dict(given or {})
    known = [spec.name for spec in fields(Masthead)]
    if unknown := sorted(set(asked) - set(known)):
        raise PublishError(f"a masthead has no {unknown[0]!r}", where="masthead", fix=f"use {', '.join(known)}")
    own = {name: str(declared[name].default or "") for name in known if name in declared}
    usual = configured.given()
    return Masthead(**{name: asked.get(name) or own.get(name) or usual.get(name, "") for name in known})


def time_of(cut_off: str, period: Period, timezone: str) -> datetime:
    """Return the instant that a cut-off names.

    Raises
    ------
    PublishError
        When it names none.
    """
    zone = ZoneInfo(timezone)
    if after := _AFTER.fullmatch(cut_off):
        return datetime.combine(period.end + timedelta(days=int(after[1])), time(), zone)
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", cut_off):
            return datetime.combine(date.fromisoformat(cut_off) + timedelta(days=1), time(), zone)
        instant = datetime.fromisoformat(cut_off)
    except (ValueError, OverflowError):
        raise PublishError(
            f"not a time: {cut_off!r}", where="cut_off", fix="write 2026-11-05 18:00, 2026-11-05, or +5d"
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)


def cut_lake(lake: Lake, cut_off: str, period: Period) -> Lake:
    """Return the lake as it stood at a cut-off; the lake itself without one, or while it lies ahead.

    Raises
    ------
    PublishError
        When it names no time, or one before anything was loaded.
    """
    if not cut_off:
        return lake
    limit = time_of(cut_off, period, lake.timezone)
    if limit > datetime.now(UTC):
        return lake
    for number in range(lake.snapshot.id, 0, -1):
        if datetime.fromisoformat(read_snapshot(lake.path, number).created_at) <= limit:
            return lake.at(number)
    raise PublishError(f"nothing had been loaded by {limit:%Y-%m-%d %H:%M}", where="cut_off", fix="name a later time")


def write_cut_off(instant: datetime, timezone: str, language: str) -> str:
    """Return a cut-off as readers see it: midnight is the end of a day, 24:00."""
    local = instant.astimezone(ZoneInfo(timezone))
    if local.time() != time():
        return moment(instant, timezone, language)
    return moment(instant - timedelta(minutes=1), timezone, language).replace("23:59", "24:00")


def mark_words(confidentiality: str, language: str) -> tuple[str, str]:
    """Return a mark and the sentence beside it: known marks in the report's language, an own one as it is written."""
    if confidentiality in _MARKS:
        return label(confidentiality, language), label(f"{confidentiality}_note", language)
    return ("" if confidentiality == "none" else confidentiality), ""
