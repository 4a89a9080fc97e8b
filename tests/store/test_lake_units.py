from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics.errors import LakeError
from svcanalytics.metrics.views import view
from svcanalytics.store.units import KINDS, case_column, count_units

START = pd.Timestamp("2026-08-01", tz="Asia/Shanghai")
TEAMS = np.array(["甲组", "乙组 B", "o'Hara; drop table cases --", None], dtype=object)
KEYS = {
    "cases": "case_id",
    "contacts": "contact_id",
    "surveys": "survey_id",
    "audits": "audit_id",
    "events": "case_id",
    "messages": "message_id",
    "agents": "agent",
    "roster": "roster_id",
    "training": "training_id",
    "outcomes": "customer_id",
}


def made_up(seed: int = 5, n: int = 120) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(seed)

    def pick(values, size=n) -> np.ndarray:
        values = np.asarray(values, dtype=object)
        return values[rng.integers(0, len(values), size)]

    def when(size=n) -> pd.Series:
        return pd.Series(START + pd.to_timedelta(rng.integers(0, 60 * 86400, size), unit="s")).dt.tz_convert("UTC")

    numbers, agents = [f"{i}" for i in range(n)], [f"A{i}" for i in range(8)]
    opened = when()
    cases = pd.DataFrame({"case_id": numbers, "opened_at": opened, "owner_team": pick(TEAMS), "team": pick(TEAMS)})
    cases = cases.assign(
        resolved_at=opened + pd.to_timedelta(rng.integers(60, 9e5, n), unit="s"),
        site=pick(["North", "South", None]), channel=pick(["phone", "app"]), category=pick(["x", "y"]),
        business_type=pick(["complaint", "help", None]), customer_id=pick([f"c{i}" for i in range(60)]),
    )  # fmt: skip
    linked, called = pick([*numbers, None]), pick([*numbers, None])
    offered = when()
    contacts = pd.DataFrame({"contact_id": numbers, "case_id": linked, "offered_at": offered, "team": pick(TEAMS)})
    contacts = contacts.assign(
        answered_at=offered + pd.Timedelta("20s"), queue=pick(["q1", "q2"]), site=pick(["North", "South"]),
        channel=pick(["phone", "chat"]), agent=pick(agents), customer_id=pick([f"c{i}" for i in range(60)]),
    )  # fmt: skip
    about = {"case_id": np.where(rng.random(n) < 0.5, pick(numbers), None), "contact_id": called}
    surveys = pd.DataFrame({"survey_id": numbers, **about, "at": when(), "csat": rng.integers(1, 6, n), "scale": 5})
    audits = pd.DataFrame({"audit_id": numbers, **about, "kind": "qa", "at": when(), "team": pick(TEAMS)})
    audits = audits.assign(site=pick(["North", "South"]), score=rng.integers(0, 9, n), max_score=9)
    messages = pd.DataFrame({"message_id": numbers, **about, "at": when(), "speaker": "customer", "text": "好"})
    events = pd.DataFrame({"case_id": numbers, "seq": 1, "at": opened, "milestone": "escalated", "team": pick(TEAMS)})
    people = pd.DataFrame({"agent": agents, "team": pick(TEAMS, 8)})
    roster = pd.DataFrame({"roster_id": numbers, "agent": pick(agents), "queue": pick(["q1", "q2"]), "kind": "work"})
    roster = roster.assign(status="worked", start_at=offered, end_at=offered + pd.Timedelta("8h"))
    training = pd.DataFrame({"training_id": numbers, "agent": pick(agents), "at": when(), "duration_s": 60})
    outcomes = pd.DataFrame({"customer_id": [f"c{i}" for i in range(60)], "at": when(60), "orders": 1})
    found = {"cases": cases, "contacts": contacts, "surveys": surveys, "audits": audits, "messages": messages}
    return found | {"events": events, "agents": people, "roster": roster, "training": training, "outcomes": outcomes}


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> sv.Lake:
    return sv.store.write(sv.open(tmp_path_factory.mktemp("units") / "lake", timezone="Asia/Shanghai"), made_up())


def rows_of(frame: pd.DataFrame) -> list[dict]:
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def owners(tables: dict[str, pd.DataFrame], by: str) -> dict[str, Callable[[dict], object]]:
    """Return for each table, written as a plain rule, whose one of its rows is."""
    cases = {row["case_id"]: row for row in rows_of(tables["cases"])}
    contacts = {row["contact_id"]: row for row in rows_of(tables["contacts"])}
    teams = {row["agent"]: row["team"] for row in rows_of(tables["agents"])}

    def of_case(row: dict, column: str = by) -> object:
        return cases.get(row["case_id"], {}).get(column)

    def of_either(row: dict) -> object:
        contact = contacts.get(row["contact_id"], {})
        case = cases.get(row["case_id"] or contact.get("case_id"), {})
        return contact.get(by) or case.get(by)

    charge = "owner_team" if by == "team" else by
    in_case = by != "queue"
    rules = {
        "cases": (lambda row: row[charge]) if in_case else None,
        "events": (lambda row: of_case(row, charge)) if in_case else None,
        "contacts": of_case if by == "business_type" else lambda row: row[by],
        "surveys": of_either,
        "messages": of_either,
        "audits": (lambda row: row[by]) if by in ("team", "site") else of_either,
        "agents": (lambda row: row["team"]) if by == "team" else None,
        "training": (lambda row: teams.get(row["agent"])) if by == "team" else None,
        "roster": (lambda row: teams.get(row["agent"])) if by == "team" else None,
        "outcomes": None,
    }
    if by in ("queue", "site"):
        rules["roster"] = lambda row: row.get(by)
    return {name: rule or (lambda row: None) for name, rule in rules.items()}


@pytest.mark.parametrize("by", KINDS)
def test_a_unit_has_the_rows_that_a_plain_rule_gives_it(lake, by):
    tables = made_up()
    plain = {table: rows_of(tables[table]) for table in KEYS}
    for name in count_units(lake, by)["name"][:1]:
        part, rules = lake.only(by, name), owners(tables, by)
        held, con = part.tables().set_index("table")["rows"], part.connection()
        for table, key in KEYS.items():
            due = sorted(row[key] for row in plain[table] if rules[table](row) == name)
            found = [value for (value,) in con.sql(f"select {key} from {table} order by 1").fetchall()]
            assert found == due, (table, name)
            assert (len(found), bool(found)) == (held[table], part.has(table))
            assert con.sql(f"select count(*) from main.{table}").fetchall() == [(len(plain[table]),)]
        con.close()


@pytest.mark.slow
def test_every_measure_of_a_unit_is_what_the_whole_gives_when_it_is_split(lake):
    known = sv.metrics.catalogue(lake).metrics
    compared = 0
    for by, name in (("team", "甲组"), ("channel", "phone")):
        part = sv.measure(lake.only(by, name), start="2026-08", end="2026-09").groupby("metric")
        for column in dict.fromkeys((case_column(lake, by), by)):
            # Complaints beside contacts, contacts beside rosters: the two sides are split by rules of their own.
            ours = [m for m in part.groups if known[m].view not in ("demand", "workload")]
            ours = [m for m in ours if column in view(known[m].view).columns()]
            if by == "team":
                ours = [m for m in ours if (known[m].view in ("cases", "flow", "events")) == (column != by)]
            split = sv.measure(lake, ours, by=[column], start="2026-08", end="2026-09")
            for metric, rows in split[split[column] == name].groupby("metric"):
                own = part.get_group(metric).reset_index(drop=True)
                pd.testing.assert_frame_equal(own, rows.drop(columns=column).reset_index(drop=True), check_dtype=False)
                compared += 1
    assert compared > 60


def test_a_part_is_read_only_keeps_to_its_unit_in_time_and_knows_its_units(lake):
    part = lake.only("team", "甲组")
    with pytest.raises(LakeError, match="part of a lake"):
        sv.store.write(part, {"agents": pd.DataFrame({"agent": ["x"]})})
    assert part.at(lake.snapshot.id).unit == part.refresh().unit == part.unit
    assert part.whole.key == lake.key != part.key
    with pytest.raises(LakeError, match="no case and no contact"):
        lake.only("team", "丙组")
    with pytest.raises(LakeError, match="divided by 'agent'"):
        lake.only("agent", "A1")
