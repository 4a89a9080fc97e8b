"""The people: who sits on which seat when, their shifts, absences and training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcanalytics.sample.structure import TEAMS
from svcanalytics.sample.world import World

__all__ = ["People", "make_people"]

_IN_TRAINING = 15  # days between hiring and the first shift: the 72 hours of training and the exam lie in them
_MEAN_TENURE = 620


@dataclass(frozen=True)
class People:
    """The staff.

    Attributes
    ----------
    staff : DataFrame
        One row per person in order of hiring: agent, team (code), seat, hired, first_shift, left (day numbers, may be
        negative; `left` far in the future when still there), role.
    shifts : DataFrame
        One row per person and rostered day: person, team, day, starts, ends (seconds), state (work, sick, leave),
        late (seconds late at the start), pause (second at which the break begins, -1 without), trains (the last two
        hours are training), meets (the first half-hour is a meeting).
    """

    staff: pd.DataFrame
    shifts: pd.DataFrame

    @property
    def codes(self) -> np.ndarray:
        """Agent numbers by person, as objects."""
        return self.staff["agent"].to_numpy(dtype=object)

    def pick(self, rng: np.random.Generator, team: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Pick for each team code and day somebody in post there; the latest to leave when the team stands empty."""
        person = np.full(len(team), -1)
        chance = rng.random(len(team))
        for code in np.unique(team):
            rows = np.flatnonzero(team == code)
            own = self.staff[(self.staff["team"] == code) & (self.staff["seat"] >= 0)]
            when = day[rows][:, None]
            there = (when >= own["first_shift"].to_numpy()) & (when < own["left"].to_numpy())
            there[:, int(np.argmax(own["left"].to_numpy()))] |= ~there.any(axis=1)
            nth = (chance[rows] * there.sum(axis=1)).astype(np.int64)
            position = np.argmax(np.cumsum(there, axis=1) == (nth + 1)[:, None], axis=1)
            person[rows] = own.index.to_numpy()[position]
        return person


def make_people(world: World) -> People:
    """Fill the seats, lay out the rotation, and let people fall ill, go on leave and be late."""
    staff = _hire(world)
    shifts = _rotate(world, staff)
    return People(staff, _absent(world, shifts))


def _hire(world: World) -> pd.DataFrame:
    rng = world.rng("staff")
    rows = []
    for team, spec in enumerate(TEAMS):
        for seat in range(spec.seats):
            hired = -int(rng.integers(90, 1500))
            while True:
                tenure = int(rng.exponential(_MEAN_TENURE * (1 if spec.kind == "front" else 3))) + 120
                left = max(hired, 0) + tenure
                role = "supervisor" if seat == 0 else ("expert" if spec.kind == "expert" else "front")
                rows.append((team, seat, hired, hired + _IN_TRAINING, left, role))
                # Successors are looked for in time, and mostly come before the seat stands empty.
                hired = left - int(rng.integers(0, 18))
                if left >= world.n_days:
                    break
    # Two managers answer for the departments and take no shifts.
    rows += [(0, -1, -2000, -2000, 99_999, "manager"), (8, -1, -1500, -1500, 99_999, "manager")]
    staff = pd.DataFrame(rows, columns=["team", "seat", "hired", "first_shift", "left", "role"])
    staff = staff.sort_values(["hired", "team", "seat"], ignore_index=True)
    staff.insert(0, "agent", [f"E{1001 + i}" for i in range(len(staff))])
    return staff


def _rotate(world: World, staff: pd.DataFrame) -> pd.DataFrame:
    days = np.arange(world.n_days)
    calendar = world.days.iloc[: world.n_days]
    works, feast = calendar["works"].to_numpy(), calendar["feast"].to_numpy()
    saturday = (calendar["weekday"].to_numpy() == 5) & ~works & ~feast
    parts = []
    for person, row in enumerate(staff.itertuples()):
        if row.role == "manager":
            continue
        spec = TEAMS[row.team]
        length, on = spec.cycle
        if length:
            duty = (days + round(row.seat * length / spec.seats)) % length < on
        else:
            duty = works.copy()
            if spec.kind == "branch":
                duty |= saturday & ((days // 7 + row.seat) % spec.seats == 0)
        duty &= (days >= row.first_shift) & (days < row.left)
        day = days[duty]
        shift = (day // 7 + row.seat) % len(spec.shifts)
        hours = np.array(spec.shifts)[shift] * 3600
        parts.append(
            pd.DataFrame({"person": person, "team": row.team, "day": day, "starts": hours[:, 0], "ends": hours[:, 1]})
        )
    shifts = pd.concat(parts, ignore_index=True)
    offset = shifts["day"].to_numpy() * 86_400
    shifts["starts"] = (shifts["starts"].to_numpy() + offset).astype(np.int64)
    shifts["ends"] = (shifts["ends"].to_numpy() + offset).astype(np.int64)
    return shifts


def _absent(world: World, shifts: pd.DataFrame) -> pd.DataFrame:
    rng = world.rng("absence")
    n = len(shifts)
    chance = rng.random(n)
    # Leave comes in weeks, not in single days: one draw per person and week.
    weeks = shifts["person"].to_numpy() * 1000 + shifts["day"].to_numpy() // 7
    _, week = np.unique(weeks, return_inverse=True)
    on_leave = (rng.random(week.max() + 1) < 0.03)[week]
    state = np.where(on_leave, "leave", np.where(chance < 0.02, "sick", "work")).astype(object)
    late = np.where(rng.random(n) < 0.06, rng.integers(300, 2400, n), rng.integers(-300, 120, n))
    # Front desks break after about half the shift, one after another.
    breaks = np.array([spec.kind != "expert" for spec in TEAMS])[shifts["team"].to_numpy()]
    middle = (shifts["starts"] + shifts["ends"]).to_numpy() // 2
    pause = np.where(breaks, middle + (shifts["person"].to_numpy() % 3 - 1) * 2700 - 1350, -1)
    # One training a month and person.
    month = world.days["month"].to_numpy()[shifts["day"]] + 12 * (shifts["day"].to_numpy() // 365)
    _, first = np.unique(shifts["person"].to_numpy() * 1000 + month, return_index=True)
    trains = np.zeros(n, bool)
    trains[np.minimum(first + 4, n - 1)] = True
    # Teams meet on Mondays, half of the people each week, so that the others serve.
    turn = (shifts["person"].to_numpy() + shifts["day"].to_numpy() // 7) % 2 == 0
    meets = turn & (world.days["weekday"].to_numpy()[shifts["day"]] == 0)
    return shifts.assign(state=state, late=late, pause=pause, trains=trains & (state == "work"), meets=meets)
