"""The installation that the schedule works for: its lake, its reports, its drop folder, its timetable."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from svcanalytics import store
from svcanalytics.periods import period_of
from svcanalytics.report.scheduling.timetable import Notify, Timetable, read_notify, read_timetable
from svcanalytics.store.settings import FILE, home, settings

__all__ = ["HOME", "Installation", "find_installation"]

HOME = "SVC_HOME"
"""Environment variable that names the folder of ``svcanalytics.toml``; default: the working folder or one above it."""

_DEMO = Path("data", "demo")


@dataclass(frozen=True)
class Installation:
    """Paths and choices of one installation; nothing is opened before it is asked for."""

    lake_path: Path
    reports: Path
    inbox: Path
    timetable: Timetable
    notify: Notify
    configured: bool = True

    def open_lake(self) -> store.Lake:
        """Open the lake at its newest snapshot.

        Raises
        ------
        LakeError
            When there is none and none was configured: nobody has made the demonstration yet.
        """
        return store.open(self.lake_path, create=self.configured)

    def today(self, lake: store.Lake) -> date:
        """Return the local day it is where the lake is."""
        return datetime.now(ZoneInfo(lake.timezone)).date()

    def first_day(self) -> date:
        """Return the day on which partitions begin: the first month of the data, or of this year without any."""
        lake = self.open_lake()
        first = date(date.today().year, 1, 1)
        for table in ("cases", "contacts"):
            if lake.has(table):
                key = int(lake.sql(f"select min(day_key) as d from {table}")["d"].iloc[0])
                first = min(first, date(key // 10_000, key // 100 % 100, key % 100))
        return period_of(first, "year", lake.month_start).start


def find_installation(near: Path | None = None) -> Installation:
    """Read the installation of a folder: its ``svcanalytics.toml``, or the demonstration where there is none.

    Parameters
    ----------
    near : Path, optional
        Where to look; default: the folder that `HOME` names, else the working folder.

    Raises
    ------
    ConfigError
        When the file holds something that can't be used.
    """
    near = near or Path(os.environ.get(HOME, "."))
    folder, chosen = home(near), settings(near)
    configured = (folder / FILE).is_file()
    return Installation(
        lake_path=folder / (chosen.lake if configured else _DEMO),
        reports=folder / chosen.reports,
        inbox=folder / "data" / "inbox",
        timetable=read_timetable(near),
        notify=read_notify(near),
        configured=configured,
    )
