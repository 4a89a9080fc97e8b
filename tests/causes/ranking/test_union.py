"""Findings: each cause once, with its price, honest about what could not be looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes.finding import FINDING_COLUMNS
from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.ranking.following import follow
from svcanalytics.causes.ranking.telling import describe
from svcanalytics.causes.ranking.union import find
from svcanalytics.errors import CauseError
from svcanalytics.periods import parse_period

NOW, BEFORE = parse_period("2026Q3"), parse_period("2026Q2")
START = pd.Timestamp("2026-04-01")


def make(seed=0, effect=0.25, n=4000, metrics=("csat",), **more):
    """Return material in which app cases of team T1 go wrong more often from 1 August on."""
    rng = np.random.default_rng(seed)
    at = START + pd.to_timedelta(np.sort(rng.integers(0, 183 * 86_400, n)), "s")
    rows = pd.DataFrame(
        {
            "id": [f"K{i}" for i in range(n)],
            "at": at.astype("datetime64[us]"),
            "period": np.where(at < pd.Timestamp("2026-07-01"), "before", "now"),
            "team": rng.choice(["T1", "T2", "T3"], n),
            "channel": rng.choice(["app", "phone"], n),
            "agent": rng.choice([f"a{i}" for i in range(40)], n),
        }
    )
    hit = (rows["team"] == "T1") & (rows["channel"] == "app") & (rows["at"] >= "2026-08-01")
    outcomes = {m: rows.assign(bad=(rng.random(n) < 0.1 + effect * hit).astype(int)) for m in metrics}
    worth = pd.DataFrame({"metric": list(metrics), "points": 0.01})
    given = {"baseline": BEFORE, "worth": worth} | more
    return Material(NOW, given.pop("baseline"), outcomes, **given)


def test_a_planted_cause_is_the_one_finding_with_its_place_price_and_day():
    table = find(make())
    assert table.columns.tolist() == list(FINDING_COLUMNS) and len(table) == 1
    row = table.iloc[0]
    assert set(row["where"].split("&")) == {"team=T1", "channel=app"} and row["kind"] == "segment"
    assert row["points"] == pytest.approx(0.01 * row["excess"]) and row["low"] < row["points"] < row["high"]
    assert abs(row["since"] - pd.Timestamp("2026-08-01")) <= pd.Timedelta(days=7) and row["trend"] == "new"
    assert row["excess"] == pytest.approx(0.25 * row["n"], rel=0.35)
    shown = make().outcomes["csat"].set_index("id").loc[list(row["cases"])]
    assert 0 < len(shown) <= 20 and shown["bad"].all() and (shown["team"] == "T1").all()
    assert row["details"]["rule"]["lift"] > 1.5


def test_nothing_planted_gives_an_empty_table_with_all_its_columns():
    table = find(make(1, effect=0))
    assert table.empty and table.columns.tolist() == list(FINDING_COLUMNS)
    assert table.attrs["searches"] == ["definitions and sources", "segments of csat"]


def test_the_same_cases_wrong_on_two_measures_are_one_cause_whose_costs_add_up():
    table = find(make(metrics=("csat", "repeat_case_7d")))
    assert len(table) == 1
    details = table.iloc[0]["details"]
    other = details["also_costs"][0]
    assert {table.iloc[0]["measure"], other["measure"]} == {"csat", "repeat_case_7d"}
    assert details["points_in_all"] == pytest.approx(table.iloc[0]["points"] + other["points"])


def test_one_period_alone_says_where_it_is_worse_and_that_it_does_not_say_what_changed():
    material = make(effect=0.4)
    rows = material.outcomes["csat"]
    alone = replace(material, baseline=None, outcomes={"csat": rows[rows["period"] == "now"]})
    table = find(alone)
    assert set(table.iloc[0]["where"].split("&")) == {"team=T1", "channel=app"}
    assert table["trend"].eq("").all() and table["since"].isna().all()
    assert "not what changed" in table.attrs["missing"]["baseline"]


def test_what_is_not_there_is_said_and_measures_without_a_price_are_still_found():
    table = find(make(worth=pd.DataFrame({"metric": pd.Series(dtype="str"), "points": pd.Series(dtype="float64")})))
    assert table["points"].isna().all() and len(table) == 1
    assert {"events", "texts", "worth"} <= set(table.attrs["missing"])


def test_a_dimension_that_names_every_row_hides_nothing():
    material = make()
    rows = material.outcomes["csat"]
    wide = rows.assign(order=[f"o{i}" for i in range(len(rows))])
    first = find(replace(material, outcomes={"csat": wide})).iloc[0]
    assert set(first["where"].split("&")) == {"team=T1", "channel=app"}


def test_no_agent_is_named_unless_asked_for():
    material = make(effect=0)
    rows = material.outcomes["csat"]
    bad = np.where((rows["agent"] == "a7") & (rows["period"] == "now"), 1, rows["bad"])
    material = replace(material, outcomes={"csat": rows.assign(bad=bad)})
    assert not find(material)["where"].str.contains("agent").any()
    assert "agent=a7" in find(material, agents=True)["where"].tolist()


def test_a_period_without_any_row_is_refused_with_the_reasons():
    material = make()
    old = material.outcomes["csat"].query("period == 'before'")
    with pytest.raises(CauseError, match="no metric has a row"):
        find(replace(material, outcomes={"csat": old}, missing={"csat": "nobody answered"}))
    with pytest.raises(CauseError, match="level"):
        find(material, level=0)


def test_the_same_material_gives_the_same_table():
    one, two = find(make()), find(make())
    pd.testing.assert_frame_equal(one, two)


def test_findings_are_followed_by_what_and_where_they_are():
    now = find(make(metrics=("csat",)))
    before = now.assign(points=5.0, low=4.5, high=5.5)
    gone = now.assign(finding_id="F-0", where="team=T9")
    told = follow(now, pd.concat([before, gone]))
    assert told["trend"].tolist() == ["smaller", "gone"]
    assert follow(now, now)["trend"].tolist() == ["steady"]
    assert follow(now, now.head(0))["trend"].tolist() == ["new"]
    with pytest.raises(CauseError, match="points"):
        follow(now, now.drop(columns="points"))


def test_a_finding_is_a_sentence_in_both_languages():
    row = find(make()).iloc[0].to_dict()
    english = describe(row, measures={"csat": "Satisfaction"})
    assert english.startswith("Satisfaction: ") and "team T1" in english and "channel app" in english
    assert "index points" in english and "since" in english and row["cases"][0] in english
    chinese = describe(row, "zh")
    assert "团队“T1”" in chinese and "拉低指数" in chinese and chinese.endswith("\u3002")
    other = {"where": "channel=app&step=supplier check", "kind": "step", "points": np.nan, "since": pd.NaT}
    step = describe(row | other)
    assert "with the step 'supplier check'" in step and "beyond the expected" in step and "since" not in step
    assert "all cases" in describe(row | {"where": ""})


def test_a_measure_that_follows_another_is_told_and_hides_no_place():
    material = make(metrics=("csat", "speed"), seed=3)
    rng = np.random.default_rng(0)
    weeks = pd.date_range("2025-03-31", periods=78, freq="7D")
    speed = 0.1 + 0.03 * rng.standard_normal(len(weeks)) + 0.1 * (weeks >= "2026-07-01")
    csat = 0.1 + 0.8 * np.roll(speed, 2) + 0.003 * rng.standard_normal(len(weeks))
    parts = {"csat": csat, "speed": speed}
    measures = pd.concat(
        pd.DataFrame({"metric": name, "every": "week", "start": weeks, "value": values})
        for name, values in parts.items()
    )
    slower = material.outcomes["speed"].assign(bad=lambda d: rng.random(len(d)) < 0.1 + 0.1 * (d["period"] == "now"))
    outcomes = {"csat": material.outcomes["csat"], "speed": slower.astype({"bad": "int64"})}
    material = replace(material, outcomes=outcomes, measures=measures)
    table = find(material)
    row = table[table["kind"] == "relation"].iloc[0]
    assert (row["measure"], row["where"]) == ("csat", "lag=2&with=speed")
    assert row["details"]["effect"] == pytest.approx(0.8, abs=0.1) and row["excess"] > 0 and row["points"] > 0
    assert "2 weeks after 'speed'" in describe(row)
    plain = find(material, over_time=False)
    assert set(plain["finding_id"]) == set(table.loc[table["kind"] != "relation", "finding_id"])
