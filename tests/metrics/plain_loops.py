"""Metrics a second time, without SQL: rows as dicts, derived columns and sums as plain Python loops."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlglot
from sqlglot import exp

from svcanalytics.metrics import Metric
from svcanalytics.periods import period_of

Row = dict[str, object]
Tables = dict[str, list[Row]]


def seconds(earlier: datetime | None, later: datetime | None) -> int | None:
    return None if earlier is None or later is None else (later - earlier) // timedelta(seconds=1)


def positive(number: int | None) -> int | None:
    return None if number is None else max(0, number)


def first(*values: object) -> object:
    return next((value for value in values if value is not None), None)


def evaluate(node: exp.Expression, row: Row) -> object:
    """Evaluate an expression with SQL's three-valued logic."""
    if isinstance(node, exp.Paren):
        return evaluate(node.this, row)
    if isinstance(node, exp.Column):
        if node.table == "attributes":
            return json.loads(row["attributes"] or "{}").get(node.name)
        return row[node.name]
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else int(node.name)
    if isinstance(node, exp.Boolean):
        return node.this
    if isinstance(node, exp.Null):
        return None
    if isinstance(node, exp.Case):
        for branch in node.args["ifs"]:
            if evaluate(branch.this, row):
                return evaluate(branch.args["true"], row)
        return evaluate(node.args["default"], row) if node.args.get("default") else None
    if isinstance(node, (exp.Coalesce, exp.Least, exp.Greatest)):
        values = [evaluate(part, row) for part in [node.this, *node.expressions]]
        known = [value for value in values if value is not None]
        if not known:
            return None
        return known[0] if isinstance(node, exp.Coalesce) else (min if isinstance(node, exp.Least) else max)(known)
    if isinstance(node, exp.DateDiff):
        return seconds(evaluate(node.expression, row), evaluate(node.this, row))
    if isinstance(node, (exp.And, exp.Or)):
        sides = [evaluate(node.this, row), evaluate(node.expression, row)]
        decisive = isinstance(node, exp.Or)
        return decisive if decisive in sides else (None if None in sides else not decisive)
    if isinstance(node, exp.Not):
        value = evaluate(node.this, row)
        return None if value is None else not value
    if isinstance(node, exp.Is):
        return evaluate(node.this, row) is evaluate(node.expression, row)
    if isinstance(node, (exp.NullSafeEQ, exp.NullSafeNEQ)):
        same = evaluate(node.this, row) == evaluate(node.expression, row)
        return same if isinstance(node, exp.NullSafeEQ) else not same
    if isinstance(node, exp.In):
        value = evaluate(node.this, row)
        return None if value is None else value in [evaluate(option, row) for option in node.expressions]
    if isinstance(node, (exp.Lower, exp.Length, exp.Neg)):
        value = evaluate(node.this, row)
        done = {exp.Lower: str.lower, exp.Length: len, exp.Neg: lambda x: -x}[type(node)]
        return None if value is None else done(value)
    left, right = evaluate(node.this, row), evaluate(node.expression, row)
    if left is None or right is None:
        return None
    if isinstance(node, exp.Like):
        return re.fullmatch(re.escape(right).replace("%", ".*"), left, re.DOTALL) is not None
    return {
        exp.EQ: lambda: left == right,
        exp.NEQ: lambda: left != right,
        exp.GT: lambda: left > right,
        exp.GTE: lambda: left >= right,
        exp.LT: lambda: left < right,
        exp.LTE: lambda: left <= right,
        exp.Add: lambda: left + right,
        exp.Sub: lambda: left - right,
        exp.Mul: lambda: left * right,
    }[type(node)]()


def atoms(metric: Metric, rows: list[Row], zone: str, by: list[str], every: str, month_start: int = 1) -> dict:
    """Return {(period, *unit): (n, numerator, denominator)}; of a quantile its value as the numerator."""
    parsed = {
        key: sqlglot.parse_one(getattr(metric, key), dialect="duckdb")
        for key in ("numerator", "denominator", "requires")
        if getattr(metric, key)
    }
    knowing = {row.get("source") for row in rows if "requires" not in parsed or evaluate(parsed["requires"], row)}
    groups = defaultdict(list)
    for row in rows:
        moment = row[metric.at]
        if moment is None or row.get("source") not in knowing:
            continue
        period = period_of(moment.astimezone(ZoneInfo(zone)).date(), every, month_start).key
        groups[(period, *(row[name] for name in by))].append(row)
    found = {}
    for key, members in groups.items():
        pairs = [(evaluate(parsed["numerator"], row), evaluate(parsed["denominator"], row)) for row in members]
        if metric.kind == "ratio":
            x, y = (sum(int(pair[side] or 0) for pair in pairs) for side in (0, 1))
            n = sum(1 for _, base in pairs if base)
        else:
            kept = [hit for hit, base in pairs if base]
            if metric.kind in ("mean", "quantile"):
                kept = [hit for hit in kept if hit is not None]
            n, x, y = len(kept), sum(int(hit or 0) for hit in kept), len(kept)
            y = None if metric.kind == "count" else y
            if metric.kind == "quantile" and n:
                x, y = sorted(kept)[max(1, math.ceil(metric.q * n - 1e-9)) - 1], None
        if n:
            found[key] = (n, x, y)
    return found


def rows_of(view: str, tables: Tables) -> list[Row]:
    """Return the rows of a view with its derived columns."""
    return {"cases": _cases, "contacts": _contacts, "surveys": _surveys, "flow": _flow, "events": _events}[view](tables)


def _cases(tables: Tables) -> list[Row]:
    events, contacts = defaultdict(list), defaultdict(int)
    for event in sorted(tables["events"], key=lambda e: (e["at"], e["seq"])):
        events[event["case_id"]].append(event)
    for contact in tables["contacts"]:
        contacts[contact["case_id"]] += 1
    stop = max((case["opened_at"] for case in tables["cases"]), default=None)
    following = _following(tables["cases"], "opened_at", "case_id")
    rows = []
    for case in tables["cases"]:
        steps = events[case["case_id"]]
        human = [e["at"] for e in steps if e["milestone"] == "first_response" and e["by"] in (None, "human")]
        machine = [
            e["at"]
            for e in steps
            if e["milestone"] in ("first_response", "acknowledged") and e["by"] in ("automatic", "bot")
        ]
        responded = first(case["first_response_at"], min(human, default=None))
        if machine and min(machine) == case["first_response_at"]:
            responded = min(human, default=None)
        resolved = case["resolution"] == "yes" if case["resolution"] else case["resolved_at"] is not None
        paused = _paused(steps, case)
        gross = seconds(case["opened_at"], case["resolved_at"])
        once = not case["reopened_n"] and not case["transferred_n"] and contacts[case["case_id"]] <= 1
        milestones = {e["milestone"] for e in steps}
        restored = [e["at"] for e in steps if e["milestone"] in ("restored", "switched_over")]
        rows.append(
            case
            | {
                "responded_at": responded,
                "first_response_s": seconds(case["opened_at"], responded),
                "resolve_s": gross,
                "paused_s": paused,
                "resolve_net_s": None if gross is None else gross - paused,
                "restore_s": seconds(case["opened_at"], first(min(restored, default=None), case["resolved_at"])),
                "is_resolved": resolved,
                "is_open": case["resolved_at"] is None and case["closed_at"] is None and case["resolution"] is None,
                "contacts_n": contacts[case["case_id"]] or None,
                "at_first_contact": resolved and once,
                "next_case_s": following.get(case["case_id"]),
                "watched_s": seconds(case["opened_at"], stop),
                "escalated": "escalated" in milestones,
                "followed_up": "followed_up" in milestones,
                "adopted": "adopted" in milestones,
                "published": "published" in milestones,
                "has_events": bool(steps),
                "teams_n": len({e["team"] for e in steps} - {None}) if steps else None,
            }
        )
    return rows


def _paused(steps: list[Row], case: Row) -> int:
    """Walk through the case's life and count the time it waited for the customer."""
    if case["resolved_at"] is None:
        return 0
    total, waiting_since = timedelta(), None
    for at, waits_for in [(e["at"], e["waits_for"]) for e in steps if e["waits_for"]] + [(case["resolved_at"], "us")]:
        if waiting_since is not None:
            begin, end = max(waiting_since, case["opened_at"]), min(at, case["resolved_at"])
            total += max(end - begin, timedelta())
        waiting_since = at if waits_for == "customer" else None
    return total // timedelta(seconds=1)


def _following(rows: list[Row], at: str, key: str) -> dict[object, int]:
    """Seconds until the same customer's next row about the same subject."""
    last, found = {}, {}
    for row in sorted(rows, key=lambda r: (r[at], r[key])):
        whose = row["customer_id"], row["category"]
        if whose in last:
            found[last[whose][key]] = seconds(last[whose][at], row[at])
        if row["customer_id"] is not None:
            last[whose] = row
    return found


def _contacts(tables: Tables) -> list[Row]:
    queues = {row["source"] for row in tables["contacts"] if row["queued_at"] is not None}
    stop = max((row["offered_at"] for row in tables["contacts"]), default=None)
    following = _following(tables["contacts"], "offered_at", "contact_id")
    rows = []
    for row in tables["contacts"]:
        bot = row["handled_by"] == "bot"
        person = first(row["human_at"], row["answered_at"] if row["handled_by"] != "bot" else None)
        gave_up = person is None and (row["answered_at"] is None if row["abandoned"] is None else row["abandoned"])
        wanted = row["direction"] != "outbound" and (
            person is not None or (gave_up and (row["queued_at"] is not None or row["source"] not in queues))
        )
        begin = first(row["queued_at"], person if row["source"] in queues else row["offered_at"])
        parts = [row["talk_s"], row["hold_s"], row["wrap_s"]]
        rows.append(
            row
            | {
                "is_offered": wanted,
                "is_answered": wanted and person is not None,
                "is_abandoned": wanted and person is None,
                "wait_s": positive(seconds(begin, person)),
                "patience_s": positive(seconds(first(row["queued_at"], row["offered_at"]), row["ended_at"]))
                if gave_up
                else None,
                "handle_s": None if parts == [None] * 3 else sum(part or 0 for part in parts),
                "began_with_bot": bot or row["handover_reason"] is not None,
                "kept_by_bot": row["handled_by"] == "bot"
                and row["handover_reason"] is None
                and row["human_at"] is None,
                "next_contact_s": following.get(row["contact_id"]),
                "watched_s": seconds(row["offered_at"], stop),
            }
        )
    return rows


def _surveys(tables: Tables) -> list[Row]:
    cases = {row["case_id"]: row for row in tables["cases"]}
    contacts = {row["contact_id"]: row for row in tables["contacts"]}
    rows = []
    for row in tables["surveys"]:
        contact = contacts.get(row["contact_id"], {})
        case = cases.get(first(row["case_id"], contact.get("case_id")), {})
        rated = row["csat"] is not None and row["default_rating"] is not True
        rows.append(
            row
            | {
                "is_rated": rated,
                "satisfied": rated and row["scale"] is not None and row["csat"] / row["scale"] >= 0.8,
                "is_default": row["default_rating"] is True,
                "team": first(contact.get("team"), case.get("team")),
                "channel": first(contact.get("channel"), case.get("channel")),
            }
        )
    return rows


def _flow(tables: Tables) -> list[Row]:
    rows = []
    for case in tables["cases"]:
        finished = first(case["closed_at"], case["resolved_at"])
        rows.append(case | {"at": case["opened_at"], "opened": True, "finished": False})
        rows += [case | {"at": finished, "opened": False, "finished": True}] if finished else []
    return rows


def _events(tables: Tables) -> list[Row]:
    before, rows = {}, []
    channels = {case["case_id"]: case["channel"] for case in tables["cases"]}
    for event in sorted(tables["events"], key=lambda e: (e["case_id"], e["at"], e["seq"])):
        previous = before.get(event["case_id"])
        node, waiting = seconds(previous, event["at"]), seconds(previous, event["started_at"])
        derived = {"node_s": positive(node), "waiting_s": positive(waiting), "channel": channels.get(event["case_id"])}
        rows.append(event | derived)
        before[event["case_id"]] = event["at"]
    return rows
