"""Reports that leave the house or concern persons: what may not be in them, and who may read them."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import report as sections
from svcanalytics.errors import PublishError
from svcanalytics.metrics import rulebook
from svcanalytics.periods import parse_period
from svcanalytics.quality import profile
from svcanalytics.report.facts.announcement import choose_improvements, choose_suggestion
from svcanalytics.report.facts.appraisal import narrow_profile
from svcanalytics.report.facts.compliance import judge_clock
from svcanalytics.report.facts.examiners import compare_examiners
from svcanalytics.report.facts.readings import Clock, Reading

TEAMS = {"热线甲组 Alpha desk": ["E9001", "E9002", "E9003", "E9004"], "柜面乙组 Beta desk": ["E9011", "E9012", "E9013"]}
SECRETS = [
    *(name for team in TEAMS for name in (team, *team.split(" ", 1))),
    *(agent for team in TEAMS.values() for agent in team),
]
SECRETS += ["M77", "K0000", "退款迟迟不到账我很生气", "Z9001", "特别名称流程"]
SITES = ("东门网点", "西门网点", "南门网点")
ZONE = "Asia/Shanghai"


def times(rng: np.random.Generator, count: int, start: str, days: float) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.Timestamp(start, tz=ZONE) + pd.to_timedelta(np.sort(rng.uniform(0, days, count)), "D"))


def cases(rng: np.random.Generator, count: int = 1500) -> pd.DataFrame:
    agents = {agent: team for team, names in TEAMS.items() for agent in names}
    who = rng.choice(list(agents), count)
    opened = times(rng, count, "2026-07-01", 92)
    # E9001 settles nearly everything, E9002 far less than the rest of the team: that is planted.
    solved = np.select([who == "E9001", who == "E9002"], [0.99, 0.6], 0.9)
    return pd.DataFrame(
        {
            "case_id": [f"K0000{number}" for number in range(count)],
            "opened_at": opened,
            "first_response_at": opened + pd.to_timedelta(rng.exponential(300, count), "s"),
            "resolved_at": opened + pd.to_timedelta(rng.exponential(30_000, count) + 900, "s"),
            "business_type": rng.choice(["consultation", "complaint", "suggestion"], count, p=[0.7, 0.2, 0.1]),
            "resolution": np.where(rng.random(count) < solved, "yes", "no"),
            "owner_team": [agents[name] for name in who],
            "first_team": [agents[name] for name in who],
            "team": [agents[name] for name in who],
            "agent": who,
            "channel": rng.choice(["phone", "web"], count),
            "text": "退款迟迟不到账我很生气",
        }
    )  # fmt: skip


def audits(rng: np.random.Generator) -> pd.DataFrame:
    """Outside audits six points below patrols at every site; compliance checks passed 9 times of 10."""
    rows = []
    for kind, visits, level in (("third_party", 8, 0.82), ("patrol", 40, 0.88)):
        for site in SITES:
            for at in times(rng, visits, "2026-07-02", 88):
                for item in ("礼貌", "环境"):
                    score = int(np.clip(rng.normal(100 * level, 6), 0, 100))
                    rows.append(
                        {"kind": kind, "site": site, "at": at, "item": item, "score": score, "scene": "on_site"}
                    )
    for at in times(rng, 60, "2026-07-02", 88):
        rows.append({"kind": "compliance", "at": at, "item": "隐私保护", "score": 100 if rng.random() < 0.9 else 50})
    return pd.DataFrame(rows).assign(max_score=100, audit_id=[f"Q{number}" for number in range(len(rows))])


def ledger() -> pd.DataFrame:
    rows = [
        ("complaint", "窗口排队时间长", "周一增开窗口", "2026-08-20", None, "doing"),
        ("complaint", "窗口排队时间长", "周一增开窗口", "2026-09-01", "2026-09-20", "done"),
        ("qa", "录音告知用语缺失", "由M77更新开场白", "2026-09-03", None, "open"),
        ("complaint", "客户张女士反映热线甲组未回访", "补做回访", "2026-09-05", None, "open"),
        ("suggestion", "办理进度查不到", "上线短信提醒", "2026-08-15", "2026-09-10", "closed"),
    ]
    frame = pd.DataFrame(rows, columns=["origin", "problem", "measure", "found_at", "done_at", "status"])
    for name in ("found_at", "done_at"):
        frame[name] = pd.to_datetime(frame[name]).dt.tz_localize(ZONE)
    closed = frame["status"] == "closed"
    frame["accepted_at"] = frame["verified_at"] = (frame["done_at"] + pd.Timedelta(days=5)).where(closed)
    frame["due_at"] = frame["found_at"] + pd.Timedelta(days=60)
    frame["effect"] = np.where(closed, "better", None)
    return frame.assign(
        action_id=[f"Z900{n}" for n in range(len(frame))], owner="M77", department="客服部", became_standard=closed
    )


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> sv.Lake:
    rng = np.random.default_rng(7)
    folder = tmp_path_factory.mktemp("others")
    (folder / "svcanalytics.toml").write_text('[contact]\nphone = "96000"\ncomplaints = { zh = "监督邮箱" }\n', "utf-8")
    lake = sv.open(folder / "lake", timezone=ZONE)
    held = cases(rng)
    asked = held[rng.random(len(held)) < 0.5]
    surveys = pd.DataFrame(
        {"survey_id": [f"R{n}" for n in range(len(asked))], "case_id": asked["case_id"].to_numpy(), "scale": 5,
         "at": asked["resolved_at"].to_numpy(), "csat": rng.choice([5, 4, 2], len(asked), p=[0.6, 0.3, 0.1])}
    )  # fmt: skip
    agents = [{"agent": agent, "team": team, "role": "front", "exam_passed": agent != "E9003"}
              for team, names in TEAMS.items() for agent in names]  # fmt: skip
    training = [{"training_id": f"L{n}", "agent": row["agent"], "at": pd.Timestamp("2026-08-03", tz=ZONE),
                 "duration_s": 13 * 3600 if n else 3600} for n, row in enumerate(agents)]  # fmt: skip
    duties = [("drill_held", "消防演练", "2026-08-05"), ("procedure_revised", "特别名称流程", "2026-03-01")]
    duties = pd.DataFrame(duties, columns=["kind", "name", "at"]).assign(duty_id=["D1", "D2"])
    duties["at"] = pd.to_datetime(duties["at"]).dt.tz_localize(ZONE)
    tables = {"cases": held, "surveys": surveys, "audits": audits(rng), "agents": pd.DataFrame(agents)}
    tables |= {"training": pd.DataFrame(training), "actions": ledger(), "duties": duties}
    return sv.store.write(lake, tables)


def shown(result, names: str) -> str:
    """Return all that a report's sections show, data included, as one text."""
    found = [getattr(sections, name)(result).to_json() for name in names.split()]
    return json.dumps(found, ensure_ascii=False)


NOTICE = "announcement_opening announced_improvements announced_promises announced_satisfaction announced_volumes "
NOTICE += "announced_suggestion announced_reach"
PUBLIC = "compliance_opening compliance_verdict compliance_standards compliance_protection compliance_duties "
PUBLIC += "compliance_outside compliance_notes"


@pytest.fixture(scope="module")
def compliance(lake):
    return sections.check_compliance(lake, period="2026H2", language="zh")


@pytest.mark.slow
def test_what_is_published_names_no_agent_team_customer_or_case(lake, compliance):
    notice = shown(sections.announce(lake, period="2026-09", language="zh"), NOTICE)
    public = replace(compliance, occasion=replace(compliance.occasion, report="half_yearly_public"))
    for text in (notice, shown(public, PUBLIC)):
        assert [secret for secret in SECRETS if secret in text] == []
        assert not re.search(r"\b[EKZ]\d{4}", text)
    assert "窗口排队时间长" in notice and "96000" in notice  # what may be told is told
    assert "录音告知用语缺失" in notice and "更新开场白" not in notice  # its measure names a person


@pytest.mark.slow
@pytest.mark.sweep
def test_the_published_notice_holds_no_name_in_any_of_its_files_and_an_appraisal_is_its_owners_alone(lake, tmp_path):
    edition = sv.publish("public_notice", "2026-09", lake, tmp_path, formats=("docx",))
    for file in edition.path.iterdir():
        data = file.read_bytes()
        if zipfile.is_zipfile(file):
            archive = zipfile.ZipFile(io.BytesIO(data))
            data = b"".join(archive.read(name) for name in archive.namelist())
        text = data.decode("utf-8", "ignore")
        assert [secret for secret in SECRETS if secret in text] == [], file.name
    assert "公开" in edition.page.read_text("utf-8") and edition.manifest["masthead"]["confidentiality"] == "public"
    private = sv.publish("staff_appraisal", "2026Q3", lake, tmp_path)
    assert private.path.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in private.path.iterdir()} == {0o400}
    index = (tmp_path / "index.html").read_text("utf-8")
    assert "public_notice/2026-09" in index and "staff_appraisal" not in index and "E9001" not in index
    again = sv.publish("staff_appraisal", "2026Q3", lake, tmp_path)
    assert again.status == "up to date"


def test_improvements_come_from_lines_open_in_the_month_and_say_how_far_they_are(lake):
    lines, names = sv.improve.read_actions(lake), frozenset({"M77", "热线甲组"})
    chosen, withheld = choose_improvements(lines, parse_period("2026-09"), names, "zh")
    assert chosen["problem"].tolist() == ["窗口排队时间长", "办理进度查不到", "录音告知用语缺失"]
    assert chosen[["lines", "done"]].iloc[0].tolist() == [2, 1] and withheld == 1
    assert chosen["measure"].isna().tolist() == [False, False, True]
    assert choose_improvements(lines, parse_period("2026-07"), names, "zh")[0].empty


def test_the_best_suggestion_was_accepted_in_the_month_or_the_reason_is_given(lake):
    lines = sv.improve.read_actions(lake)
    best, _ = choose_suggestion(lines, parse_period("2026-09"), frozenset(), "zh")
    assert best == {"problem": "办理进度查不到", "measure": "上线短信提醒", "standard": True}
    assert choose_suggestion(lines, parse_period("2026-10"), frozenset(), "zh") == (None, "none_adopted")
    assert choose_suggestion(lines, parse_period("2026-09"), frozenset({"短信"}), "zh") == (None, "withheld")
    assert choose_suggestion(None, parse_period("2026-09"), frozenset(), "zh") == (None, "no_ledger")


def test_outside_audits_that_score_lower_are_found_by_scene_and_nobody_is_called_weak(lake):
    found = compare_examiners(lake, parse_period("2026Q3"))
    row = found.scenes.iloc[0]
    assert row["verdict"] == "lower" and row["low"] < -0.06 < row["high"]
    assert row["n_outside"] == 24 and found.against == {"on_site": ("patrol",)}  # a visit with two items is one visit
    assert set(found.shared["on_site"]) == {"礼貌", "环境"} and not found.weak["inside_weak"].any()
    review = sections.review_audits(lake, period="2026Q3", language="en")
    assert "own scores too kind" in sections.examiners_verdict(review)[1].text
    with pytest.raises(PublishError, match="no third-party") as refused:
        sections.review_audits(lake, period="2025Q3")
    assert "template audits" in refused.value.fix


def clock(due: int, late: int | None, target: float | None = None, light: str | None = None) -> Clock:
    value = None if late is None or not due else 1 - late / due
    return Clock(Reading("x", "x", value=value, target=target, light=light), due, None, late, 0, None)


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (clock(0, 0), "nothing_due"),
        (clock(5, None), "few"),
        (clock(50, 0), "met"),
        (clock(50, 1), "missed"),
        (clock(50, 1, 0.95, "green"), "met"),
        (clock(50, 3, 0.95, "yellow"), "unsure"),
        (clock(50, 9, 0.95, "red"), "missed"),
    ],
)
def test_a_standard_is_met_missed_or_too_close_to_call(one, state):
    assert judge_clock(one) == state


@pytest.mark.slow
def test_every_standard_in_force_gets_a_verdict_and_duties_are_held_against_their_dates(lake, compliance):
    single = {rule.id for rule in rulebook(lake).standards.values() if not rule.of}
    assert {standing.id for standing in compliance.standings} == single
    states = {standing.id: standing.state for standing in compliance.standings}
    assert states["confirmed_by_person"] == "no_data" and states["first_response"] in ("met", "missed", "unsure")
    duties = compliance.duties.set_index("name")
    assert duties["state"].to_dict() == {"消防演练": "kept", "特别名称流程": "overdue"}
    assert duties["times"].to_dict() == {"消防演练": 1, "特别名称流程": 0}
    check = compliance.checks.iloc[0]
    assert (check["item"], check["n"]) == ("隐私保护", 60) and check["low"] < check["share"] < check["high"]
    assert "特别名称流程" in shown(compliance, "compliance_duties")  # inside the house it is named


@pytest.mark.slow
def test_an_appraisal_finds_who_is_below_the_team_and_ranks_nobody_else(lake):
    appraisal = sections.appraise(lake, period="2026Q3", language="zh")
    solved = appraisal.measured[appraisal.measured["of"] == "resolution_rate"].set_index("unit")
    assert solved.loc["E9002", "stands_out"] == "worse" and solved.loc["E9001", "stands_out"] == "better"
    assert set(solved.loc[["E9011", "E9012", "E9013"], "stands_out"]) == {"no"}
    needs = appraisal.needs.set_index("agent")
    assert "resolution_rate" in needs.loc[["E9002"], "what"].tolist()
    assert needs.loc[["E9003"], "kind"].tolist() == ["exam"]
    assert needs.loc[["E9001"], "detail"].tolist() == [11.0]  # one hour of the twelve
    text = shown(
        appraisal, "appraisal_verdict appraisal_attainment appraisal_places appraisal_training appraisal_needs"
    )
    assert "退款迟迟不到账" not in text and "K0000" not in text  # nothing of customers
    with pytest.raises(PublishError, match="no two agents"):
        sections.appraise(lake, period="2025Q3")


def test_a_narrowed_profile_keeps_the_proportions_of_its_weights(lake):
    whole = profile("default", lake)
    part = narrow_profile(whole, ["csat", "resolution_rate", "reopen_rate"])
    assert sum(part.shares.values()) == pytest.approx(1)
    assert part.shares["csat"] / part.shares["reopen_rate"] == pytest.approx(
        whole.shares["csat"] / whole.shares["reopen_rate"]
    )


def test_the_weekly_list_says_what_was_adopted_and_what_to_put_right(lake):
    found = sections.list_improvements(lake, period="2026-W36", language="zh")
    assert set(found.suggestions["state"]) == {"received"} and not found.known
    opened = lake.sql("select day_key from cases where business_type = 'suggestion'")["day_key"]
    assert len(found.suggestions) == opened.between(20260831, 20260906).sum()
    assert found.lines["action_id"].tolist() == ["Z9001", "Z9002", "Z9003"]
    assert "无法说明是否采纳" in sections.improvements(found)[2].text
