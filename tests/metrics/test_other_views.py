"""The metrics on audits, actions, duties, risks, courses and demand against plain loops over random rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from random_rows import Atoms, Draw, Row, assert_equal, by_row, month_of, total, written

SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])


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
