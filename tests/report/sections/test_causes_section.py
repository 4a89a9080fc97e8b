"""What a manager reads of causes: how many, what they cost, on which layer, and what became of the last ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import causes, report
from svcanalytics.causes import Finding, tabulate
from svcanalytics.improve import propose_actions
from svcanalytics.metrics import catalogue
from svcanalytics.periods import parse_period
from svcanalytics.report.blocks import Blocks, Figure, Table, Text
from svcanalytics.report.facts.diagnosis import Diagnosis, diagnose, sum_points
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.sections.causes_section import root_causes, top_causes

NONE = tabulate([])
HOSTILE = "<script>alert(1)</script>\x00\u202e=cmd()"


def finding(where: str, points: float = 0.5, measure: str = "reopen_rate", **more) -> Finding:
    told = {"kind": "segment", "n": 412, "layer": "process", "trend": "new", "since": pd.Timestamp("2026-09-04")} | more
    return Finding(measure=measure, where=where, excess=60.0, points=points, low=points - 0.1, high=points + 0.1,
                   p_value=0.001, **told)  # fmt: skip


SLOW = finding("channel=app&step=supplier check", 1.3, kind="step")
KIOSK = finding("queue=south", 0.6, "csat", kind="artefact", layer="data")
TEAM = finding("owner_team=B", 0.4, layer="people")


def evaluation(found: list[Finding] | Diagnosis, language: str = "en") -> Evaluation:
    if not isinstance(found, Diagnosis):
        table = tabulate(found)
        table.attrs["baseline"] = "2026Q2"
        found = Diagnosis(table)
    known = catalogue().metrics
    return Evaluation("quarterly", parse_period("2026Q3"), language, causes=found, metrics=known)


def flat(blocks) -> list:
    return [inner for item in blocks for inner in (flat(item) if isinstance(item, Blocks) else [item])]


def said(blocks) -> str:
    return "\n".join(block.text for block in flat(blocks) if isinstance(block, Text))


def table(blocks, id: str = "causes") -> list[dict]:
    tables = [block.data if isinstance(block, Figure) else block for block in flat(blocks)]
    found = next(each for each in tables if isinstance(each, Table) and each.id == id)
    return [dict(zip([c.key for c in found.columns], row, strict=True)) for row in found.rows]


@pytest.mark.parametrize(
    ("language", "lead", "place", "layer"),
    [
        ("en", "2 causes stand out from chance against last quarter; together they cost about 1.7 index points",
         "Channel “App”, with the step “supplier check”: ", "process"),
        ("zh", "与上季度相比，共有2项超出偶然的原因，合计损失指数约1.7分",
         "渠道“应用”、经过“supplier check”环节",
         "流程"),
    ],
)  # fmt: skip
def test_the_section_says_how_many_causes_there_are_what_they_cost_and_where(language, lead, place, layer):
    blocks = root_causes(evaluation([SLOW, KIOSK, TEAM], language))
    assert lead in said(blocks)
    rows = table(blocks)
    assert rows[0]["finding"].text.startswith(place)
    assert (rows[0]["n"].value, rows[0]["layer"].text) == (412, layer)
    assert rows[0]["cost"].text == "1.3 (1.2–1.4)"
    assert rows[0]["since"].value == "2026-09-04"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "No cause stands out from chance."), ("zh", "未发现超出偶然的原因。")]
)
def test_a_period_in_which_nothing_happened_has_no_causes(language, words):
    blocks = root_causes(evaluation([], language))
    assert said(blocks) == words
    assert top_causes(evaluation([], language)) == []


def test_what_is_but_a_change_of_the_data_is_told_apart_from_the_service():
    blocks = root_causes(evaluation([KIOSK]))
    assert "No cause stands out" in said(blocks)
    assert "in 1 place the data changed, not the service (about 0.6 index points)" in said(blocks)
    assert "not the service" in said(report.summary(evaluation([KIOSK])))
    assert table(blocks)[0]["layer"].text == "the data changed, not the service"
    assert table(blocks)[0]["ledger"].text == "–"
    assert top_causes(evaluation([KIOSK])) == []
    figure = next(block for block in blocks if isinstance(block, Figure))
    assert figure.svg.count('fill="white"') == 1  # the only bar is hollow


def test_without_an_index_the_largest_comes_first_and_nothing_is_said_in_points():
    lost = {"points": np.nan, "layer": ""}
    blocks = root_causes(evaluation([finding("team=A", **lost, n=30), finding("team=B", **lost)]))
    assert [row["finding"].text[:8] for row in table(blocks)] == ["Team “B”", "Team “A”"]
    assert "no index" in said(blocks) and "points" not in said(blocks)
    assert "cost" not in table(blocks)[0]
    assert top_causes(evaluation([finding("team=B", **lost)]))[0].endswith("(60 cases beyond the expected)")


def test_what_overlaps_is_counted_once_unless_it_costs_another_measure():
    part = finding("channel=app", 1.2, details={"related": [SLOW.finding_id]})
    other = finding("channel=app", 0.3, "csat", details={"related": [SLOW.finding_id]})
    assert sum_points(tabulate([SLOW, part, other])) == pytest.approx(1.3 + 0.3)
    more = finding("team=C", 0.2, details={"also_costs": [{"measure": "csat", "points": 0.1}], "points_in_all": 0.3})
    assert sum_points(tabulate([more])) == pytest.approx(0.3)
    assert table(root_causes(evaluation([more])))[0]["cost"].text == "0.3 (0.15–0.5)"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Of 3 findings of last quarter: 1 still there (Team in charge “B”: "),
        ("zh", "上季度的3项发现：依然存在1项（责任团队“B”：重开率）；减轻1项"),
    ],
)
def test_last_periods_findings_are_followed_and_those_in_the_ledger_named(language, words):
    gone, smaller = finding("team=Z", 0.9), finding("channel=app&step=supplier check", 2.3)
    now, before = tabulate([SLOW, TEAM]), tabulate([smaller, TEAM, gone])
    line = {"action_id": "Z7", "origin_id": TEAM.finding_id, "status": "doing", "closed_at": pd.NaT}
    found = Diagnosis(
        now, before, causes.follow(now, before), propose_actions(now, pd.DataFrame([line]), causes.describe)
    )
    blocks = root_causes(evaluation(found, language))
    assert words in said(blocks)
    rows = table(blocks)
    assert rows[1]["ledger"].text.startswith("Z7") and rows[0]["ledger"].text in ("to be added", "建议列入")
    assert rows[0]["trend"].text in ("smaller", "减轻")


def test_hostile_words_stay_words():
    theme = finding("theme=T-1", 0.4, kind="theme", details={"label_en": HOSTILE, "label_zh": HOSTILE})
    place = finding(f"team={HOSTILE}", 0.3)
    found = Diagnosis(tabulate([theme, place]), quotes=(HOSTILE,), quoted=theme.finding_id)
    blocks = root_causes(evaluation(found))
    assert HOSTILE.split("\x00")[0] in said(blocks)
    figure = next(block for block in blocks if isinstance(block, Figure))
    assert "<script" not in figure.svg and "\x00" not in figure.svg
    assert "<script" not in blocks.preview()


def test_the_first_screen_names_the_costliest_three_with_how_sure_they_are():
    lines = top_causes(evaluation([SLOW, KIOSK, TEAM]))
    assert len(lines) == 2
    assert "costs 1.30±0.10 index points; on the layer of process" in lines[0]
    first = next(block for block in report.summary(evaluation([SLOW, TEAM])) if getattr(block, "label", "") == "TOP 1")
    assert first.text.startswith("Channel “App”")


def test_a_lake_in_which_nothing_can_be_compared_says_so_and_does_not_fail(tmp_path):
    lake = sv.open(tmp_path / "lake", timezone="UTC")
    days = pd.date_range("2026-07-01", periods=5, tz="UTC")
    sv.store.write(lake, {"cases": pd.DataFrame({"case_id": list("abcde"), "opened_at": days})})
    found = diagnose(lake.refresh(), parse_period("2026-07"))
    assert found.why_not and found.findings.empty
    assert "could not be looked for" in said(root_causes(evaluation(found)))
    assert said(root_causes(evaluation(found, "zh"))) == "本期数据不足以逐件比较，未能查找原因。"


def test_quotes_are_masked_and_about_the_finding(tmp_path):
    """From a lake: what went wrong in one team, in the words of its customers."""
    rng = np.random.default_rng(5)
    n = 1600
    opened = pd.date_range("2026-07-01", "2026-08-31 12:00", n, tz="UTC")
    team = rng.choice(["A", "B", "C", "D"], n)
    late = opened >= "2026-08-01"
    reopened = np.where(team == "B", np.where(late, 0.3, 0.05), np.where(late, 0.05, 0.12))  # hardly changed as a whole
    cases = pd.DataFrame(
        {
            "case_id": [f"c{i}" for i in range(n)],
            "opened_at": opened,
            "resolved_at": opened + pd.Timedelta(hours=3),
            "reopened_n": (rng.random(n) < reopened).astype(int),
            "owner_team": team,
            "text": [f"please call me on 13912345678 about order {i}, team {t}" for i, t in enumerate(team)],
        }
    )
    lake = sv.open(tmp_path / "lake", timezone="UTC")
    sv.store.write(lake, {"cases": cases})
    found = diagnose(lake.refresh(), parse_period("2026-08"))
    assert found.service.iloc[0]["where"] == "owner_team=B"
    assert len(found.quotes) == 3 and all("team B" in quote and "139123" not in quote for quote in found.quotes)
