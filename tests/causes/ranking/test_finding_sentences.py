"""Findings as sentences that a manager reads, in both languages."""

from __future__ import annotations

import pandas as pd
import pytest

from svcanalytics.causes.finding import Finding, tabulate
from svcanalytics.causes.ranking.naming import measure_name, place_name
from svcanalytics.causes.ranking.telling import describe

TEAM = Finding(
    "segment", "reopen_rate", "channel=app&owner_team=技术组 Technical", 699, 99.1, 0.35, 0.27, 0.43, 0.001,
    layer="people", since=pd.Timestamp("2026-07-01"), trend="new", cases=("C1", "C2", "C3", "C4"),
)  # fmt: skip
KIOSK = Finding(
    "artefact", "csat", "queue=counter_south", 66, 58.8, 1.61, 1.5, 1.72, 0.0001, layer="data",
    since=pd.Timestamp("2026-08-01"), trend="new",
)  # fmt: skip
THEME = Finding(
    "theme", "nps", "theme=T-12345678", 40, 900.0, float("nan"), float("nan"), float("nan"), 0.01, trend="larger",
    details={"label_zh": "退款 到账", "label_en": "refund late"},
)  # fmt: skip
ALWAYS = Finding(
    "segment", "answer_rate", "business_type=after_sales&weekday=7 Sun&window=", 1200, 80.0, 0.1, 0.05, 0.15, 0.01,
    trend="steady",
)  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "english", "chinese"),
    [
        (
            TEAM,
            "Reopen rate: channel app, responsible team Technical: 699 cases, 99 beyond the expected, 0.35 (0.27 to "
            "0.43) index points lost, since 1 July 2026, new; layer: people; shown by C1, C2, C3.",
            "重开率\uff1a渠道“app”、责任团队“技术组”\uff0c涉及699件\uff0c不理想的比预期多99件\uff0c拉低指数0.35分"
            "\uff080.27\uff5e0.43\uff09\uff1b自2026年7月1日起新出现\uff1b原因在人员层面\uff1b典型样例\uff1aC1、C2、C3。",
        ),
        (
            KIOSK,
            "Customer satisfaction: queue counter_south: 66 answers, 59 beyond the expected, 1.6 (1.5 to 1.7) index "
            "points lost, since 1 August 2026, new; the data changed, not the service.",
            "客户满意度\uff1a队列“counter_south”\uff0c涉及66份\uff0c不理想的比预期多59份\uff0c拉低指数1.6分"
            "\uff081.5\uff5e1.7\uff09\uff1b自2026年8月1日起新出现\uff1b系数据变化\uff0c并非服务变差。",
        ),
        (
            THEME,
            "Net promoter score: about 'refund late': 40 answers, 900 beyond the expected, worse than before.",
            "净推荐值\uff1a反映“退款 到账”\uff0c涉及40份\uff0c超出预期900\uff1b较上期加重。",
        ),
        (
            ALWAYS,
            "Answer rate: kind of request after sales, weekday Sunday, window not filled in: 1,200 contacts, 80 beyond "
            "the expected, 0.10 (0.05 to 0.15) index points lost, as it always was.",
            "接通率\uff1a业务类型“售后”、星期日、未填写窗口\uff0c涉及1,200次\uff0c不理想的比预期多80次\uff0c拉低指数0.10分"
            "\uff080.05\uff5e0.15\uff09\uff1b长期存在。",
        ),
    ],
)
def test_a_finding_reads_as_a_sentence(finding, english, chinese):
    assert describe(finding) == english
    assert describe(finding, "zh") == chinese
    row = tabulate([finding]).iloc[0]
    assert describe(row) == describe(row.to_dict()) == english


def test_own_metrics_and_columns_are_called_as_they_are():
    assert measure_name("my_metric", "zh") == "my_metric"
    assert describe(TEAM, measures={"reopen_rate": "Wieder offen"}).startswith("Wieder offen: ")
    assert place_name("plant=B 7", "zh") == "plant“B 7”" and place_name("plant_no=B 7", "en") == "plant no B 7"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_names_no_column_is_shown_as_it_is(language):
    assert place_name("something else", language) == "something else"


def test_steps_and_measures_that_lead_are_said():
    assert place_name("step=supplier check&channel=app", "en") == "with the step 'supplier check', channel app"
    assert place_name("lag=2&with=answer_rate", "en") == "2 weeks after 'Answer rate'"
    assert place_name("lag=0&with=answer_rate", "zh") == "与“接通率”同步变化"
