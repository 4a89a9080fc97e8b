"""Five times why: the chain ends at what was planted, is empty when nothing was, and says why it stops."""

from __future__ import annotations

import pandas as pd
import pytest

from svcanalytics.causes.tracing import five_why
from svcanalytics.errors import CauseError


@pytest.mark.parametrize(
    ("planted", "layer", "column"),
    [
        ({"people": 0.15}, "people", "tenure"),
        ({"data": 0.15}, "data", "version"),
        ({"process": 0.03}, "process", "wait_check"),
    ],
)
def test_the_last_answer_is_the_planted_circumstance(make_cases, planted, layer, column):
    right = 0
    for seed in range(10):
        found = five_why(make_cases(seed, 8000, **planted))
        last = found.links.iloc[-1]
        right += (last["layer"], last["column"], found.stopped) == (layer, column, "told")
    assert right >= 8


def test_a_chain_goes_from_the_measure_over_the_team_to_its_waits(make_cases):
    found = five_why(make_cases(1, 8000, process=0.05), measure="late")
    assert found.links["kind"].tolist() == ["measure", "split", "course"]
    assert found.links["where"].tolist() == ["", "team=D", "team=D"]
    inside = found.links[["low", "high"]].to_numpy()
    assert (inside[:, 0] < found.links["amount"]).all() and (found.links["amount"] < inside[:, 1]).all()
    assert found.links["share"].iloc[1:].between(0.2, 1).all() and found.links["step"].tolist() == [1, 2, 3]
    said = found.sentences("en")
    assert len(said) == 4 and "team D" in said[1] and "wait for \u201ccheck\u201d" in said[2]
    assert "等待\u201ccheck\u201d" in found.sentences("zh")[2]


def test_what_is_measured_in_seconds_is_told_by_the_case_in_time(make_cases):
    rows = make_cases(1, 8000, process=0.05)
    rows["bad"] = 3600.0 * rows["wait_check"]
    found = five_why(rows.drop(columns="wait_check"), measure="first_response_time")
    assert found.unit == "s" and found.links["kind"].tolist()[:2] == ["measure", "split"]
    split = found.links.iloc[1]
    hours = f"{split['amount'] / split['n'] / 3600:.1f}".removesuffix(".0")
    assert f"{hours} h a case beyond the expected" in found.sentences("en")[1]
    assert f"平均每件超出预期{hours}小时" in found.sentences("zh")[1]


def test_a_split_is_worth_what_the_cases_became_worse_by_beyond_the_others(make_cases):
    rows = make_cases(2, 8000, process=0.03)
    link = five_why(rows).links.set_index("where").loc["team=D"].iloc[0]
    mean = rows.groupby([rows["team"].eq("D"), "period"])["bad"].mean()
    worse = (mean[True, "now"] - mean[True, "before"]) - (mean[False, "now"] - mean[False, "before"])
    size = (rows["team"].eq("D") & rows["period"].eq("now")).sum()
    assert link["amount"] == pytest.approx(worse * size) and link["n"] == size


def test_a_team_without_a_known_reason_ends_the_chain_unexplained(make_cases):
    found = five_why(make_cases(1, 8000, team=0.15), by=["team", "channel", "version"])
    assert found.links["where"].iloc[-1] == "team=B" and found.stopped == "unexplained"


def test_what_got_worse_everywhere_alike_is_told_so(make_cases):
    rows = make_cases(1, 8000)
    later = make_cases(2, 8000, luck=0.0)
    anywhere = (rows["period"] == "now") & (later["channel"] == "app")  # one in three
    rows["bad"] = rows["bad"].where(~anywhere, 1)
    found = five_why(rows, by=["channel", "version"])
    assert found.links["kind"].tolist() == ["measure"] and found.stopped == "alike"


@pytest.mark.slow
def test_when_nothing_changed_the_chain_is_empty_in_nineteen_of_twenty(make_cases):
    false = sum(len(five_why(make_cases(seed, 3000), draws=299).links) > 0 for seed in range(150))
    assert false <= 15  # 5 % and three standard errors


def test_the_order_of_rows_and_the_run_make_no_difference(make_cases):
    rows = make_cases(3, 4000, data=0.2)
    one, other = five_why(rows), five_why(rows.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(one.links, five_why(rows).links)
    assert one.links["where"].tolist() == other.links["where"].tolist()


def test_cases_that_can_not_be_asked_about_are_refused(make_cases):
    rows = make_cases(0, 300)
    assert five_why(rows.head(40)).stopped == "nothing"
    for change, said in (
        ({"where": "team=Z"}, "no cases to ask about"),
        ({"outcome": "team"}, "not a number"),
        ({"outcome": "colour"}, "no column 'colour'"),
        ({"level": 0.0}, "level can't be 0"),
    ):
        with pytest.raises(CauseError, match=said):
            five_why(rows, **change)
