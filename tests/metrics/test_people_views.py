"""The metrics on rosters, workload and agents against plain loops over random rows."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from random_rows import ZONE, Atoms, Draw, Row, assert_equal, month_of, seconds, total, written

SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])


def kept(planned: Row, rows: list[Row]) -> int:
    """Return the seconds of a planned interval in which its agent worked, each second once."""
    mine = [r for r in rows if r["agent"] == planned["agent"] and is_worked(r)]
    found, covered = 0, planned["start_at"]
    for row in sorted(mine, key=lambda r: r["start_at"]):
        start, end = max(row["start_at"], covered), min(row["end_at"], planned["end_at"])
        if start < end:
            found, covered = found + seconds(start, end), end
    return found


def is_worked(row: Row) -> bool:
    return row["status"] == "worked" and row["kind"] in ("work", "overtime")


def shifts(draw: Draw, n: int, agents: list[str]) -> list[Row]:
    kinds = ("work", "work", "overtime", "leave", "sick", "break")
    rows = []
    for i in range(n):
        start = draw.moment()
        row = {"roster_id": f"r{i}", "agent": draw.of(*agents), "kind": draw.of(*kinds), "start_at": start}
        row |= {"status": draw.of("planned", "worked"), "end_at": start + timedelta(hours=draw.number(0, 12))}
        rows.append(row | {"cost": draw.of(0, 900, 4001, empty=0.2)})
    return rows


@SEEDS
def test_time_worked_twice_over_is_kept_once_and_contacts_meet_the_roster_of_their_local_day(lake, seed):
    draw, agents, parts = Draw(seed), ["A", "B", "C"], ("talk_s", "hold_s", "wrap_s")
    rows = shifts(draw, 400, agents)
    contacts = [{"contact_id": f"k{i}", "offered_at": draw.moment()} for i in range(400)]
    for row in contacts:
        row |= {"agent": draw.of(*agents, "D", empty=0.2), "handled_by": draw.of("human", "bot", empty=0.3)}
        row |= {"concurrency": draw.of(1, 2, 3, empty=0.3)}
        row |= {name: draw.of(0, 7, 300, empty=0.3) for name in parts}
    lake = written(lake, roster=rows, contacts=contacts)
    spans = [(month_of(r["start_at"]), seconds(r["start_at"], r["end_at"]), r) for r in rows]
    plan = {id(r): span for _, span, r in spans if r["status"] == "planned" and r["kind"] == "work"}
    away = {id(r): span for _, span, r in spans if r["status"] == "worked" and r["kind"] in ("leave", "sick")}
    extra = {id(r): span for _, span, r in spans if is_worked(r) and r["kind"] == "overtime"}
    days = {(r["agent"], r["start_at"].astimezone(ZONE).date()) for r in rows if is_worked(r)}
    met = [r for r in contacts if (r["agent"], r["offered_at"].astimezone(ZONE).date()) in days]
    handled = [
        (
            month_of(r["offered_at"]),
            sum(r[p] or 0 for p in ("talk_s", "hold_s", "wrap_s")) // (r["concurrency"] or 1),
            0,
        )
        for r in met
        if r["handled_by"] != "bot"
    ]
    worked = [(month, 0, span) for month, span, r in spans if is_worked(r)]
    paid = [(month, r["cost"], 0) for month, _, r in spans if r["status"] == "worked"]
    wanted = {
        "adherence": total(((m, kept(r, rows) if id(r) in plan else 0, plan.get(id(r))) for m, _, r in spans), True),
        "absence_rate": total(((m, away.get(id(r)), plan.get(id(r))) for m, _, r in spans), True),
        "overtime_share": total(((m, extra.get(id(r)), span * is_worked(r)) for m, span, r in spans), True),
        "occupancy": total(handled + worked, ratio=True),
        "contacts_per_hour": total([(month_of(r["offered_at"]), 3600, 0) for r in met] + worked, ratio=True),
        "cost_per_contact": total(paid + [(month_of(r["offered_at"]), 0, 1) for r in met], ratio=True),
    }
    assert_equal(lake, wanted)


@SEEDS
def test_agents_count_in_every_local_month_in_post_and_in_the_month_they_were_hired(lake, seed):
    draw, people = Draw(seed), []
    dawn, dusk = datetime(2026, 1, 1, 0, 0, 1, tzinfo=ZONE), datetime(2026, 5, 1, 2, tzinfo=ZONE)
    for i in range(80):
        hired = draw.of(date(2025, 11, 20) + timedelta(days=draw.number(0, 170)), date(2026, 1, 29), empty=0.1)
        days = timedelta(days=draw.of(0, 40, 91, 92, 93))
        row = {"agent": f"g{i}", "hired_on": hired, "competent_on": draw.of(hired and hired + days, empty=0.5)}
        row["left_on"] = draw.of((hired or date(2026, 1, 31)) + days, empty=0.6)
        row |= {name: draw.of(0, 1, 2, 3, empty=0.2) for name in ("tools", "certificates")}
        people.append(row | {"satisfaction": draw.of(0, 70, 100, empty=0.2), "exam_passed": draw.of(True, False, None)})
    courses = [{"training_id": f"t{i}", "agent": f"g{draw.number(0, 79)}"} for i in range(300)]
    for row in courses:
        row |= {"at": max(draw.moment(), dawn), "duration_s": draw.of(0, 3600, 129_600, 259_200, empty=0.1)}
        row["before_first_shift"] = draw.of(True, False, empty=0.2)
    courses[0]["at"] = dawn
    roster = [{"roster_id": "r", "agent": "g0", "kind": "work", "status": "worked", "start_at": dusk, "end_at": dusk}]
    lake = written(lake, agents=people, training=courses, roster=roster)
    posts, prepared = [], {p["agent"]: 0 for p in people}
    for row in courses:
        prepared[row["agent"]] += (row["duration_s"] or 0) * (row["before_first_shift"] is True)
    for start in (date(2026, month, 1) for month in range(1, 6)):
        end = start.replace(day=monthrange(2026, start.month)[1])
        for p in people:
            if (p["hired_on"] or start) <= end and (p["left_on"] or end) >= start:
                mine = [r for r in courses if r["agent"] == p["agent"] and month_of(r["at"]) == month_of(start)]
                trained = sum(r["duration_s"] or 0 for r in mine if r["before_first_shift"] is not True)
                posts.append((month_of(start), p, trained))
    hired = [(month_of(p["hired_on"]), p) for p in people if p["hired_on"]]
    judged = [(m, p) for m, p in hired if p["competent_on"] or (dusk.date() - p["hired_on"]).days >= 92]

    def known(name: str, number: Callable[[int], int]) -> Atoms:
        return total((m, number(p[name]), 1) for m, p, _ in posts if p[name] is not None)

    wanted = {
        "training_time": total((m, trained, 1) for m, _, trained in posts),
        "training_coverage": total((m, trained > 0, 1) for m, _, trained in posts),
        "tools_mastered": known("tools", lambda n: n >= 2),
        "certified_share": known("certificates", lambda n: n >= 1),
        "staff_satisfaction": known("satisfaction", int),
        "pre_shift_training": total((m, prepared[p["agent"]] >= 72 * 3600, 1) for m, p in hired),
        "exam_passed_rate": total((m, p["exam_passed"], 1) for m, p in hired if p["exam_passed"] is not None),
        "new_staff_competent": total(
            (m, bool(p["competent_on"] and (p["competent_on"] - p["hired_on"]).days <= 92), 1) for m, p in judged
        ),
    }
    assert_equal(lake, wanted)
