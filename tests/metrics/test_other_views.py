"""The metrics on audits, actions, people, rosters, demand, duties and risks against plain loops over random rows.

The loops are written from the definitions and the contract. A rate is a pair of yes or no per row that counts, a ratio
sums two numbers per row and counts the rows with something below the line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import store

ZONE = ZoneInfo("Asia/Shanghai")
DAY_S = 86_400
SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])
Row = dict[str, object]
Atoms = dict[str, list[int]]


class Draw:
    """Random values, none of a part of them, and times that often fall on the edge of a month or tie."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def of(self, *values: object, empty: float = 0.0) -> object:
        return None if self.rng.random() < empty else values[self.number(0, len(values) - 1)]

    def moment(self) -> datetime:
        if self.rng.random() < 0.2:
            edge = datetime(2026, self.number(1, 4), 1, tzinfo=ZONE)
            return edge + timedelta(seconds=self.number(-1, 1))
        return datetime(2026, 1, 2, tzinfo=ZONE) + timedelta(hours=self.number(0, 100 * 24))

    def later(self, start: datetime, empty: float, *hours: int) -> datetime | None:
        """Return a time after `start` by one of `hours`, at times a second beside it."""
        off = timedelta(hours=self.of(*hours), seconds=self.of(0, 1))
        return None if self.rng.random() < empty else start + off


def month_of(moment: datetime | date) -> str:
    return (moment.astimezone(ZONE) if isinstance(moment, datetime) else moment).strftime("%Y-%m")


def total(pairs: Iterable[tuple[str, int | None, int | None]], ratio: bool = False) -> Atoms:
    """Sum numerators and denominators per month: [n, numerator, denominator] of the months with n above 0."""
    found: Atoms = {}
    for month, x, y in pairs:
        atoms = found.setdefault(month, [0, 0, 0])
        atoms[0] += bool(y)
        atoms[1] += int(x or 0) if ratio or y else 0
        atoms[2] += int(y or 0)
    return {month: atoms for month, atoms in found.items() if atoms[0]}


def seconds(start: datetime, end: datetime) -> int:
    return (end - start) // timedelta(seconds=1)


def assert_equal(lake: sv.Lake, wanted: dict[str, Atoms]) -> None:
    """Compare n everywhere, and numerator and denominator wherever enough rows let them be shown."""
    frame = sv.measure(lake, list(wanted))
    assert (frame["flag"] != "suppressed").mean() > 0.5, "too few rows to compare anything"
    for name, atoms in wanted.items():
        rows = frame[frame["metric"] == name].to_dict("records")
        assert rows and {row["period"]: row["n"] for row in rows} == {m: n for m, (n, _, _) in atoms.items()}, name
        for row in rows:
            if row["flag"] != "suppressed":
                _, x, y = atoms[row["period"]]
                shown = (row["numerator"], y if pd.isna(row["denominator"]) else row["denominator"])
                assert shown == (x, y), (name, row["period"])


def written(lake: sv.Lake, **tables: list[Row]) -> sv.Lake:
    return store.write(lake, {name: pd.DataFrame(rows) for name, rows in tables.items()})


def by_row(rows: list[Row], at: str, test: Callable[[Row], bool], base: Callable[[Row], object] = bool) -> Atoms:
    return total((month_of(row[at]), test(row) if base(row) else 0, bool(base(row))) for row in rows)


@SEEDS
def test_audit_scores_count_only_items_whose_points_given_and_possible_are_both_known(lake, seed):
    draw, rows = Draw(seed), []
    for i in range(500):
        at, most = draw.moment(), draw.of(5, 10, empty=0.2)
        due = draw.later(at, 0.4, 24, 240, 2000)
        row = {"audit_id": f"a{i}", "at": at, "max_score": most, "rectify_due": due}
        row["rectified_at"] = draw.of(due, draw.later(at, 0, 1, 24, 240), empty=0.5)
        row["kind"] = draw.of("qa", "third_party", "mystery_shopper", "patrol", "compliance")
        row["item"] = draw.of("Courtesy", "script use", "accuracy", "礼貌", "服务用语", "时效", empty=0.1)
        row["score"] = draw.of(0, 5, most or 4, empty=0.2)
        rows.append(row | {"fatal": draw.of(True, False, False, empty=0.3)})
    lake = written(lake, audits=rows)

    def points(chosen: Callable[[Row], bool]) -> Atoms:
        known = [r for r in rows if chosen(r) and r["score"] is not None and r["max_score"] is not None]
        return total(((month_of(r["at"]), r["score"], r["max_score"]) for r in known), ratio=True)

    newest = max(row["at"] for row in rows)
    manners = ("courtesy", "script", "礼貌", "用语")
    wanted = {
        "qa_score": points(lambda r: r["kind"] == "qa"),
        "third_party_score": points(lambda r: r["kind"] == "third_party"),
        "mystery_shopper_score": points(lambda r: r["kind"] == "mystery_shopper"),
        "patrol_score": points(lambda r: r["kind"] == "patrol"),
        "courtesy_score": points(lambda r: any(word in (r["item"] or "").lower() for word in manners)),
        "fatal_error_rate": by_row(rows, "at", lambda r: r["fatal"] is True, lambda r: r["kind"] == "qa"),
        "conduct_compliance": by_row(
            rows,
            "at",
            lambda r: r["score"] == r["max_score"],
            lambda r: r["kind"] == "compliance" and None not in (r["score"], r["max_score"]),
        ),
        "audit_rectified_on_time": by_row(
            rows,
            "at",
            lambda r: r["rectified_at"] is not None and r["rectified_at"] <= r["rectify_due"],
            lambda r: r["rectify_due"] and (r["rectified_at"] or r["rectify_due"] <= newest),
        ),
    }
    assert_equal(lake, wanted)


@SEEDS
def test_the_ledger_of_actions_is_judged_at_its_newest_entry_without_what_was_dropped(lake, seed):
    draw, rows = Draw(seed), []
    for i in range(300):
        found = draw.moment()
        done = draw.later(found, 0.4, 0, 24, 48, 240)
        accepted = draw.later(done, 0.3, 0, 24) if done else None
        row = {"action_id": f"a{i}", "origin": "audit", "found_at": found, "done_at": done, "accepted_at": accepted}
        row["due_at"] = draw.of(done, found + timedelta(hours=draw.of(48, 480, 1000)), empty=0.2)
        row["verified_at"] = draw.later(accepted, 0.4, 0, 24) if accepted else None
        row["class"], row["effect"] = draw.of("urgent", "phased"), draw.of("better", "same", "worse", "unknown", None)
        row["status"] = draw.of("open", "doing", "done", "dropped", empty=0.3)
        rows.append(row | {"became_standard": draw.of(True, False, empty=0.3)})
    lake = written(lake, actions=rows)
    newest = max(t for r in rows for t in (r["found_at"], r["done_at"], r["verified_at"]) if t)
    two_days = timedelta(hours=48)

    def share(test: Callable[[Row], bool], base: Callable[[Row], object]) -> Atoms:
        return by_row(rows, "found_at", test, base)

    def kept(row: Row) -> bool:
        return row["status"] != "dropped"

    wanted = {
        "actions_found": share(bool, bool),
        "actions_completed": share(lambda r: r["done_at"] is not None, kept),
        "actions_on_time": share(
            lambda r: r["done_at"] is not None and r["done_at"] <= r["due_at"],
            lambda r: kept(r) and r["due_at"] and (r["done_at"] or r["due_at"] <= newest),
        ),
        "actions_closed": share(lambda r: None not in (r["accepted_at"], r["verified_at"]), kept),
        "actions_effective": share(lambda r: r["effect"] == "better", lambda r: r["effect"] not in (None, "unknown")),
        "became_standard_rate": share(lambda r: r["became_standard"] is True, lambda r: r["done_at"]),
        "urgent_fixed_48h": share(
            lambda r: r["done_at"] is not None and r["done_at"] - r["found_at"] <= two_days,
            lambda r: r["class"] == "urgent" and (r["done_at"] or newest - r["found_at"] >= two_days),
        ),
    }
    assert_equal(lake, wanted)


@SEEDS
def test_duties_risks_courses_and_complaints_are_counted_in_their_local_month(lake, seed):
    draw = Draw(seed)
    kinds = ("procedure_revised", "drill_held", "emergency_plan_revised", "managers_trained")
    duties = [{"duty_id": f"d{i}", "name": "x", "kind": draw.of(*kinds), "at": draw.moment()} for i in range(80)]
    risks = [{"risk_id": f"r{i}", "at": draw.moment()} for i in range(80)]
    risks = [r | {name: draw.of(1, 3, 4, 5, empty=0.2) for name in ("probability", "impact")} for r in risks]
    courses = [{"training_id": f"t{i}", "agent": "A", "at": draw.moment()} for i in range(200)]
    for row in courses:
        row |= {"mode": draw.of("online", "live", empty=0.2), "score": draw.of(0, 59, 100, empty=0.3)}
        row["duration_s"] = draw.of(0, 600, 3601, empty=0.2)
    contacts = [{"contact_id": f"k{i}", "offered_at": draw.moment()} for i in range(200)]
    contacts = [row | {"direction": draw.of("inbound", "outbound", empty=0.3)} for row in contacts]
    cases = [{"case_id": f"c{i}", "opened_at": draw.moment()} for i in range(120)]
    cases = [row | {"business_type": draw.of("complaint", "incident", empty=0.2)} for row in cases]
    sold = [{"customer_id": f"u{i}", "at": draw.moment(), "orders": draw.of(0, 1, 9, empty=0.2)} for i in range(120)]
    lake = written(lake, duties=duties, risks=risks, training=courses, contacts=contacts, cases=cases, outcomes=sold)
    complaints = [(month_of(r["opened_at"]), 1, 0) for r in cases if r["business_type"] == "complaint"]
    inbound = [(month_of(r["offered_at"]), 0, 1) for r in contacts if r["direction"] != "outbound"]
    rated = [r for r in risks if r["probability"] is not None and r["impact"] is not None]
    moded = [(month_of(r["at"]), r["mode"] == "online", r["duration_s"] or 0) for r in courses if r["mode"]]
    names = {"procedures_revised": kinds[0], "drills_held": kinds[1]}
    names |= {"emergency_plans_revised": kinds[2], "managers_trained": kinds[3]}
    wanted = {
        **{name: total((month_of(r["at"]), r["kind"] == kind, 1) for r in duties) for name, kind in names.items()},
        "risks_registered": total((month_of(r["at"]), 1, 1) for r in risks),
        "high_risk_share": total((month_of(r["at"]), r["probability"] * r["impact"] >= 15, 1) for r in rated),
        "training_score": total((month_of(r["at"]), r["score"], 1) for r in courses if r["score"] is not None),
        "training_online_share": total(((month, online * length, length) for month, online, length in moded), True),
        "complaint_rate_per_contact": total(complaints + inbound, ratio=True),
        "complaint_rate_per_order": total(complaints + [(month_of(r["at"]), 0, r["orders"]) for r in sold], ratio=True),
    }
    assert_equal(lake, wanted)
