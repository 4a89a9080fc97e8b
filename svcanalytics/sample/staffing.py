"""Agents, their roster and their training, in the contract's form."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.people import People
from svcanalytics.sample.structure import TEAMS
from svcanalytics.sample.tables import whole
from svcanalytics.sample.world import DAY, World

__all__ = ["agents_table", "roster_table", "training_table"]

_KINDS = np.array(["work", "break", "training", "meeting", "leave", "sick", "overtime", "on_call"], dtype=object)
_WORK, _BREAK, _TRAINING, _MEETING, _LEAVE, _SICK, _OVERTIME, _ON_CALL = range(8)
_BREAK_S = 2700
_WAGE = {"front": 3200, "expert": 4200, "supervisor": 5200, "manager": 8000}
_COURSES = (
    "服务礼仪 Courtesy",
    "业务知识 Product knowledge",
    "系统操作 Systems",
    "投诉处理 Complaints",
    "情景演练 Scenarios",
)


def agents_table(world: World, people: People) -> pd.DataFrame:
    """Return the agents."""
    rng = world.rng("agents")
    staff = people.staff
    n = len(staff)
    hired, left = staff["hired"].to_numpy(), staff["left"].to_numpy()
    competent = hired + rng.integers(45, 110, n)
    days_in_post = np.minimum(left, world.n_days) - hired
    return pd.DataFrame(
        {
            "agent": people.codes,
            "team": np.array([t.name for t in TEAMS], dtype=object)[staff["team"]],
            "role": staff["role"].to_numpy(dtype=object),
            "hired_on": world.dates(hired),
            "left_on": world.dates(left, left < world.n_days),
            "tools": whole(1 + (days_in_post > 60) + (days_in_post > 300) + rng.integers(0, 2, n)),
            "certificates": whole(rng.integers(0, 2, n) + (days_in_post > 200) + (staff["role"] == "manager")),
            "exam_passed": rng.random(n) < 0.97,
            "competent_on": world.dates(
                competent, (competent < world.n_days) & (competent < left) & (rng.random(n) < 0.95)
            ),
            "satisfaction": whole(rng.normal(78, 9, n).clip(35, 100)),
        }
    )


def roster_table(world: World, people: People) -> pd.DataFrame:
    """Return the roster: what was planned, and what was worked with breaks, absences, overtime and nights on call.

    A shift with a break is two intervals of work; training and meetings take their time from the shift.
    """
    rng = world.rng("roster")
    shifts = people.shifts
    n = len(shifts)
    starts, ends, pause = (shifts[c].to_numpy() for c in ("starts", "ends", "pause"))
    state, late = shifts["state"].to_numpy(dtype=object), shifts["late"].to_numpy()
    working, parts = state == "work", []
    rests = pause >= 0
    # Experts keep office hours; the roster knows of them only when they are on call.
    rostered = np.array([spec.kind != "expert" for spec in TEAMS])[shifts["team"].to_numpy()]
    # Where there is no break the shift is one interval, up to where training takes over.
    stops = np.where(shifts["trains"], ends - 7200, ends)
    begins = np.where(shifts["meets"], starts + 1800, starts)

    def add(kind: int, worked: bool, rows: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
        keep = np.flatnonzero(rows & (rostered | (kind == _ON_CALL)) & (end > start))
        parts.append((keep, np.full(len(keep), kind), np.full(len(keep), worked), start[keep], end[keep]))

    planned = state != "leave"
    add(_WORK, False, planned & ~rests, begins, stops)
    add(_WORK, False, planned & rests, begins, pause)
    add(_WORK, False, planned & rests, pause + _BREAK_S, stops)
    add(_TRAINING, False, planned & shifts["trains"].to_numpy(), stops, ends)
    add(_MEETING, False, planned & shifts["meets"].to_numpy(), starts, begins)
    add(_LEAVE, False, state == "leave", starts, ends)
    came, went = (
        begins + late,
        stops + np.where(rng.random(n) < 0.04, -rng.integers(300, 2400, n), rng.integers(0, 240, n)),
    )
    add(_WORK, True, working & ~rests, came, went)
    add(_WORK, True, working & rests, came, pause)
    add(_BREAK, True, working & rests, pause, pause + _BREAK_S)
    add(_WORK, True, working & rests, pause + _BREAK_S, went)
    add(_TRAINING, True, working & shifts["trains"].to_numpy(), np.maximum(stops, went), ends)
    add(_MEETING, True, working & shifts["meets"].to_numpy(), starts, begins + np.minimum(late, 0))
    add(_LEAVE, True, state == "leave", starts, ends)
    add(_SICK, True, state == "sick", starts, ends)
    # Nobody stays on after a shift that ends in training, so overtime never overlaps it.
    add(
        _OVERTIME,
        True,
        working & ~shifts["trains"].to_numpy() & (rng.random(n) < 0.03),
        np.maximum(ends, went),
        ends + 5400,
    )
    technical = next(i for i, team in enumerate(TEAMS) if team.name.startswith("技术"))
    nights = working & (shifts["team"] == technical).to_numpy() & (shifts["day"] % 4 == shifts["person"] % 4).to_numpy()
    for worked in (False, True):
        add(_ON_CALL, worked, nights, np.maximum(ends, went) + 60, ends + 14 * 3600)
    row, kind, worked, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((end, kind, worked, row, start))
    row, kind, worked, start, end = row[order], kind[order], worked[order], start[order], end[order]
    inside = start < world.cutoff
    row, kind, worked, start, end = row[inside], kind[inside], worked[inside], start[inside], end[inside]
    team, person = shifts["team"].to_numpy()[row], shifts["person"].to_numpy()[row]
    wage = people.staff["role"].map(_WAGE).to_numpy()[person] * np.select(
        [kind == _OVERTIME, kind == _ON_CALL], [1.5, 0.1], 1.0
    )
    counter = np.array([spec.kind == "branch" for spec in TEAMS])[team]
    seat = (people.staff["seat"].to_numpy()[person] + 1).astype(str).astype(object)
    return pd.DataFrame(
        {
            "roster_id": [f"W{i:07d}" for i in range(1, len(row) + 1)],
            "agent": people.codes[person],
            "site": np.array([spec.site for spec in TEAMS], dtype=object)[team],
            "window": np.where(counter, seat, None),
            "queue": np.array([spec.queue or None for spec in TEAMS], dtype=object)[team],
            "kind": _KINDS[kind],
            "status": np.where(worked, "worked", "planned").astype(object),
            "start_at": world.stamps(start),
            "end_at": world.later(end),
            "cost": whole((end - start) * wage / 3600, worked & (kind != _BREAK)),
        }
    )


def training_table(world: World, people: People) -> pd.DataFrame:
    """Return the training: 72 hours and more before the first shift, then a few hours every month."""
    rng = world.rng("training")
    staff = people.staff
    parts = []
    # The monthly live session of the roster, and online courses on other days.
    live = people.shifts[people.shifts["trains"] & (people.shifts["state"] == "work")]
    parts.append(
        (
            live["person"].to_numpy(),
            live["ends"].to_numpy() - 60,
            np.full(len(live), 7200),
            np.ones(len(live), bool),
            False,
        )
    )
    worked = people.shifts[people.shifts["state"] == "work"]
    online = worked[rng.random(len(worked)) < 0.075]
    length = rng.choice([3600, 5400, 7200], len(online))
    parts.append(
        (online["person"].to_numpy(), online["ends"].to_numpy() - 600, length, np.zeros(len(online), bool), False)
    )
    # Who was hired before the data begin is left out: half a preparation on record would mislead.
    new = np.flatnonzero((staff["hired"] >= 0) & (staff["hired"] < world.n_days - 14) & (staff["seat"] >= 0))
    person, course = np.repeat(new, 10), np.tile(np.arange(10), len(new))
    taken = rng.random(len(person)) < 0.985
    at = (staff["hired"].to_numpy()[person] + 1 + course) * DAY + 17 * 3600
    keep = taken & (at >= 0)
    parts.append((person[keep], at[keep], np.full(int(keep.sum()), 28_800), (course % 5 < 3)[keep], True))
    columns = [np.concatenate([part[i] for part in parts]) for i in range(4)]
    before = np.concatenate([np.full(len(part[0]), part[4]) for part in parts])
    order = np.lexsort((columns[0], columns[1]))
    person, at, length, live_mode = (column[order] for column in columns)
    n = len(person)
    return pd.DataFrame(
        {
            "training_id": [f"L{i:06d}" for i in range(1, n + 1)],
            "agent": people.codes[person],
            "at": world.stamps(at),
            "course": np.asarray(_COURSES, dtype=object)[rng.integers(0, len(_COURSES), n)],
            "mode": np.where(live_mode, "live", "online").astype(object),
            "duration_s": whole(length),
            "score": whole(rng.normal(86, 7, n).clip(40, 100), rng.random(n) < 0.9),
            "before_first_shift": before[order],
        }
    )
