"""Where missed days come from: one source of trouble after the other is let in, on the same random days."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.living.comparison import compare
from svcanalytics.staffing.living.presence import Attendance, Team, read_teams
from svcanalytics.staffing.living.simulation import Simulation, live

__all__ = ["trace_misses"]


def trace_misses(lived: Simulation, needed: pd.DataFrame) -> pd.DataFrame:
    """Return how many of a plan's days miss their promise, and what each source adds.

    The required agents first meet the forecast's mean with nothing but chance in calls and times. Then come, one after
    the other and each on top of the last: the error of the forecast, days on which everything takes longer, people away
    or late, as many hours as the plan has in place of those required, and at last the plan itself. What a source adds
    depends on this order, which is that of time: what is settled first comes first.

    Parameters
    ----------
    lived : Simulation
        Of the plan, over a forecast with sample paths.
    needed : DataFrame
        What `requirement` asked for.

    Returns
    -------
    pandas.DataFrame
        queue, source (chance, forecast, handle time, shrinkage, staffing, shift fit), missed (share of days up to
        here), added, low, high (95 %, from draws).

    Raises
    ------
    StaffingError
        The requirement is of other queues or slots; or the forecast was a plain table.
    """
    scene = lived.scene
    if any(volume.paths is None for volume in scene.volumes):
        raise StaffingError("a table of means has no error to trace", fix="simulate a forecast with sample paths")
    asked = read_teams(needed, scene.volumes, scene.crews)
    same_hours = read_teams(_scaled(needed, asked, scene.teams), scene.volumes, scene.crews)
    quiet = replace(scene, teams=asked, attendance=Attendance(), handle_noise=0.0)
    noisy = replace(quiet, handle_noise=scene.handle_noise)
    away = replace(noisy, attendance=scene.attendance)
    steps = {"chance": live(replace(quiet, arrivals=scene.expected_arrivals())), "forecast": live(quiet)}
    steps["handle time"] = live(noisy) if scene.handle_noise else steps["forecast"]
    steps["shrinkage"] = live(away) if scene.attendance != Attendance() else steps["handle time"]
    steps["staffing"] = live(replace(away, teams=same_hours))
    steps["shift fit"] = lived
    parts, before = [], None
    for source, after in steps.items():
        if before is None:
            found = after.promises.query("period == 'day' and target == 'all'")
            missed = 1 - found["probability"].to_numpy()
            bounds = missed, 1 - found["high"].to_numpy(), 1 - found["low"].to_numpy()
            queues = found["queue"].to_numpy()
        else:
            change = compare(before, after).query("measure == 'kept'")
            missed = 1 - change["after"].to_numpy()
            bounds = tuple(-change[name].to_numpy() for name in ("change", "high", "low"))
            queues = change["queue"].to_numpy()
        added, low, high = (np.asarray(each) + 0.0 for each in bounds)
        parts.append(
            pd.DataFrame(
                {"queue": queues, "source": source, "missed": missed, "added": added, "low": low, "high": high}
            )
        )
        before = after
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values("queue", kind="stable", ignore_index=True)


def _scaled(needed: pd.DataFrame, asked: tuple[Team, ...], given: tuple[Team, ...]) -> pd.DataFrame:
    """The requirement in the plan's hours, by team where both have it, else all together."""
    wanted, planned = ({team.name: team.hours for team in teams} for teams in (asked, given))
    overall = sum(planned.values()) / max(sum(wanted.values()), 1e-9)
    alike = wanted.keys() == planned.keys()
    ratio = {
        name: planned[name] / hours if alike and hours else overall for name, hours in wanted.items()
    }  # fmt: skip
    key = "crew" if "crew" in needed else "queue"
    return needed.assign(agents=needed["agents"] * needed[key].astype(str).map(ratio))
