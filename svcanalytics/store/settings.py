"""One installation's configuration: ``svcanalytics.toml``, found beside the lake or in a folder above it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from svcanalytics import resources
from svcanalytics.errors import ConfigError

__all__ = ["FILE", "SECTIONS", "Settings", "home", "settings", "write_settings"]

FILE = "svcanalytics.toml"
SECTIONS = ("report", "contact", "schedule", "notify")
"""Tables of the file that others read: what stands at a report's head, where customers turn, what is published by
itself, who is told."""


@dataclass(frozen=True)
class Settings:
    """What `svcanalytics init` asks.

    Attributes
    ----------
    organisation : str
        The name that reports carry.
    timezone : str
        IANA name; decides local days and months of a new lake.
    country : str
        ISO code of the country whose public holidays and make-up working days count.
    language : str
        ``zh`` or ``en``.
    lake, reports : str
        Paths, relative to the file.
    month_start : int
        The day on which an assessment month begins, 1 to 28; 26 means from the 26th to the 25th.
    landing_days : int
        How many days the unmasked originals are kept after they were loaded; 0 keeps them for ever.
    """

    organisation: str = ""
    timezone: str = "UTC"
    country: str = "CN"
    language: str = "en"
    lake: str = "data/lake"
    reports: str = "reports"
    month_start: int = 1
    landing_days: int = 0

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = getattr(self, spec.name)
            if type(value).__name__ != spec.type:
                raise ConfigError(f"{spec.name} = {value!r} is not of type {spec.type}", where=FILE, fix="correct it")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            fix = "use a name such as Asia/Shanghai"
            raise ConfigError(f"unknown time zone {self.timezone!r}", where=FILE, fix=fix) from None
        if self.language not in ("zh", "en"):
            raise ConfigError(f"language = {self.language!r}", where=FILE, fix='use "zh" or "en"')
        if not 1 <= self.month_start <= 28:
            raise ConfigError(f"month_start = {self.month_start}", where=FILE, fix="use a day from 1 to 28")
        if self.landing_days < 0:
            raise ConfigError(f"landing_days = {self.landing_days}", where=FILE, fix="use 0 or a number of days")


def settings(near: Path | None = None) -> Settings:
    """Read the nearest ``svcanalytics.toml`` in `near` (default: the working folder) or above; defaults without one.

    Raises
    ------
    ConfigError
        When the file holds an unknown key or a value that can't be used.
    """
    file = home(near) / FILE
    if not file.is_file():
        return Settings()
    raw = resources.read_toml(file)
    raw = {key: value for key, value in raw.items() if key not in SECTIONS}
    known = {spec.name for spec in fields(Settings)}
    if unknown := sorted(set(raw) - known):
        raise ConfigError(
            f"unknown key {unknown[0]!r}", where=str(file), fix=f"use {', '.join(sorted([*known, *SECTIONS]))}"
        )
    return Settings(**raw)


def home(near: Path | None = None) -> Path:
    """Return the folder of the nearest ``svcanalytics.toml``, which its paths are relative to; `near` without one."""
    start = (near or Path()).absolute()
    return next((folder for folder in (start, *start.parents) if (folder / FILE).is_file()), start)


def write_settings(chosen: Settings, folder: Path) -> Path:
    """Write ``svcanalytics.toml`` into a folder and return its path."""
    lines = [f"{key} = {_toml(value)}" for key, value in asdict(chosen).items()]
    file = folder / FILE
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def _toml(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
