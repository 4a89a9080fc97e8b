"""From a solution of the programme to shifts, coverage and cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.staffing.shifting.covering import Covering
from svcanalytics.staffing.shifting.diagnosis import find_shortfalls
from svcanalytics.staffing.shifting.programme import Solution
from svcanalytics.staffing.shifting.shiftplan import ShiftPlan

__all__ = ["lay_out", "planned_agents"]


def lay_out(
    covering: Covering, counts: dict[str, NDArray[np.int64]], solution: Solution, gap: float, seconds: float
) -> ShiftPlan:
    """Return the plan of so many of each group's columns; what it can't cover is looked into for so many seconds."""
    shifts = pd.concat([_shifts(covering, group, of) for group, of in counts.items()], ignore_index=True)
    planned = planned_agents(covering, counts, solution.x)
    rows = covering.rows
    required = rows["required"].to_numpy()
    short, over = np.maximum(required - planned, 0.0), np.maximum(planned - required, 0.0)
    short[short < 1e-9], over[over < 1e-9] = 0.0, 0.0
    coverage = pd.DataFrame(
        {
            "queue": rows["queue"],
            "start": rows["start"],
            "required": required,
            "planned": planned,
            "shortfall": short,
            "surplus": over,
            "agents": planned * _at_work(rows),
        }
    )
    cost = float((shifts["count"] * shifts["cost"]).sum())
    price = cost + covering.weighed(planned)
    optimal = solution.optimal or price - solution.bound <= gap * price
    return ShiftPlan(
        shifts=shifts,
        coverage=coverage,
        shortfalls=find_shortfalls(covering, planned, shifts, optimal=optimal, seconds=seconds),
        cost=cost,
        price=price,
        bound=min(solution.bound, price),
        status="optimal" if optimal else "time limit",
        rules=covering.rules,
        interval_s=60.0 * covering.slots.length,
    )


def _at_work(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Of those on shift, the share at work: what shrinkage leaves."""
    if "scheduled" not in rows:
        return np.ones(len(rows))
    sums = rows.groupby("queue")[["agents", "scheduled"]].sum()
    share = (sums["agents"] / sums["scheduled"]).where(sums["scheduled"] > 0, 1.0)
    return rows["queue"].map(share).to_numpy()


def planned_agents(
    covering: Covering, counts: dict[str, NDArray[np.int64]], x: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Agents of each row; what a group of several queues has to spare goes to them as they require."""
    rows = covering.rows
    slot, queue = rows["slot"].to_numpy(), rows["queue"].to_numpy()
    required = rows["required"].to_numpy()
    planned = np.zeros(len(rows))
    for group, queues in covering.groups.items():
        there = covering.cover @ counts[group] + covering.given[group]
        if len(queues) == 1:
            own = queue == queues[0]
            planned[own] += there[slot[own]]
            continue
        own = np.isin(queue, queues)
        part = covering.divided(group, x)[own]
        used = np.bincount(slot[own], part, len(there))
        # The solver's division may promise a hair more than there is.
        part *= np.minimum(1.0, there / np.maximum(used, 1e-12))[slot[own]]
        spare = np.maximum(there - np.bincount(slot[own], part, len(there)), 0.0)
        weight = required[own] + 1e-9
        planned[own] += part + spare[slot[own]] * weight / np.bincount(slot[own], weight, len(there))[slot[own]]
    return planned


def _shifts(covering: Covering, group: str, counts: NDArray[np.int64]) -> pd.DataFrame:
    """Whole shifts with all their breaks: windows are apart, so the breaks are taken in the order of their times."""
    offers, main, further = covering.offers, covering.main, covering.further
    main_counts, further_counts = counts[: len(main)], counts[len(main) :]
    taken = pd.concat(
        [
            main.loc[main_counts > 0, ["shift", "place"]].assign(number=-1, count=main_counts[main_counts > 0]),
            further.loc[further_counts > 0, ["shift", "place", "number"]].assign(
                count=further_counts[further_counts > 0]
            ),
        ]
    )
    rows = []
    for shift, places in taken.groupby("shift"):
        lines = [np.repeat(p["place"].to_numpy(), p["count"].to_numpy()) for _, p in places.groupby("number")]
        combined, many = np.unique(np.vstack(lines), axis=1, return_counts=True)
        rows += [
            (shift, tuple(place for place in each if place >= 0), n) for each, n in zip(combined.T, many, strict=True)
        ]
    made = pd.DataFrame(rows, columns=["shift", "places", "count"])
    of = offers.shifts.loc[made["shift"].astype("int64")].reset_index(drop=True)
    times = covering.slots.times
    begin, end = times(offers.breaks["begin"].to_numpy()), times(offers.breaks["end"].to_numpy())
    paid, saves = offers.breaks["paid"].to_numpy(), offers.breaks["saves"].to_numpy()
    ordered = [sorted(places, key=lambda place: begin[place]) for places in made["places"]]
    return pd.DataFrame(
        {
            "group": group,
            "pattern": of["pattern"],
            "day": of["day"],
            "start": times(of["begin"].to_numpy(dtype="int64")),
            "end": times(of["end"].to_numpy(dtype="int64")),
            "breaks": [tuple((begin[p], end[p], bool(paid[p])) for p in places) for places in ordered],
            "count": made["count"].astype("int64"),
            "paid_s": of["paid_s"].astype("int64"),
            "cost": of["cost"] - [saves[list(places)].sum() for places in made["places"]],
        }
    )
