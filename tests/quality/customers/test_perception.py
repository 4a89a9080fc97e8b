"""Learning from a lake: rows of what customers said beside what they met with, and weights from them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import store
from svcanalytics.errors import CatalogueError
from svcanalytics.quality import Goalposts, Profile, ProfileMetric, cell_rows, interactions, learn, learn_from
from svcanalytics.quality.customers.perception import survey_rows

WAIT, SOLVED = Goalposts(120, 20, 5, "down"), Goalposts(0.5, 0.75, 0.9)
PROFILE = Profile(
    "test",
    {"response": 0.3, "resolution": 0.3, "satisfaction": 0.2, "resources": 0.2},
    (
        ProfileMetric("speed_of_answer", "response", 1.0, WAIT),
        ProfileMetric("contact_resolution", "resolution", 0.5, SOLVED),
        ProfileMetric("reopen_rate", "resolution", 0.5, Goalposts(0.15, 0.03, 0, "down")),
        ProfileMetric("csat", "satisfaction", 1.0, Goalposts(0.6, 0.9, 1.0)),
        ProfileMetric("adherence", "resources", 1.0, Goalposts(0.7, 0.9, 0.98)),
    ),
)
PER_SECOND, UNSOLVED = 0.005, 0.6
"""Points of satisfaction (1-5) that a second of waiting and a problem left unsolved cost."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> sv.Lake:
    """Return a lake of 6,000 calls, of which half were asked to rate and 60 % of these did."""
    rng = np.random.default_rng(4)
    n = 6000
    offered = pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(np.sort(rng.integers(0, 120 * 86400, n)), unit="s")
    wait = np.minimum(rng.exponential(40, n), 280).round()
    wait[:3] = 20_000  # left hanging over night: the extreme hundredth counts as its limit
    solved = rng.random(n) < 0.7
    answered = offered + pd.to_timedelta(wait, unit="s")
    contacts = pd.DataFrame(
        {
            "contact_id": [f"C{i}" for i in range(n)],
            "offered_at": offered,
            "queued_at": offered,
            "answered_at": answered,
            "human_at": answered,
            "ended_at": answered + pd.Timedelta(minutes=5),
            "abandoned": False,
            "handled_by": "human",
            "resolved": solved,
            "channel": "phone",
            "team": np.where(np.arange(n) % 3 == 0, "A", "B"),
        }
    )
    weekend = offered.tz_convert("Asia/Shanghai").day_of_week >= 5
    pleased = 3.7 - PER_SECOND * np.minimum(wait, 280) * np.where(weekend, 2.3, 1.0) - UNSOLVED * ~solved
    asked = np.flatnonzero(np.arange(n) % 2 == 0)
    csat = np.clip(np.rint(pleased + rng.normal(0, 0.6, n)), 1, 5)[asked]
    said = rng.random(len(asked)) < 0.6
    surveys = pd.DataFrame(
        {
            "survey_id": [f"S{i}" for i in asked],
            "contact_id": [f"C{i}" for i in asked],
            "invited_at": offered[asked],
            "at": offered[asked],
            "route": "ivr",
            "csat": pd.array(np.where(said, csat, np.nan), dtype="Float64").astype("Int64"),
            "scale": 5,
        }
    )
    made = sv.open(tmp_path_factory.mktemp("asked") / "lake", timezone="Asia/Shanghai", made_up=True)
    return store.write(made, {"contacts": contacts, "surveys": surveys})


def test_each_customer_asked_is_a_row_with_what_they_met_with_in_score_points(lake):
    rows = survey_rows(lake, PROFILE)
    assert len(rows) == 3000 and rows["start"].is_monotonic_increasing
    assert rows["csat_score"].notna().mean() == pytest.approx(0.6, abs=0.03)
    assert set(rows["csat_score"].dropna()) == {0.2, 0.4, 0.6, 0.8, 1.0}
    assert not {"adherence", "reopen_rate"} & set(rows)
    facts = lake.sql("select contact_id, epoch(human_at - offered_at) as wait, resolved from contacts")
    met = rows.assign(contact_id="C" + rows["survey_id"].str[1:]).merge(facts, on="contact_id")
    short, high = met["wait"] < 60, met["resolved"]
    # A point is the hundredth part of the way from floor to goal, beyond the goalposts too: 1.15 s, 0.004 of a problem.
    slope = np.polyfit(met.loc[short, "wait"], met.loc[short, "speed_of_answer"], 1)[0]
    assert slope == pytest.approx(-1 / 1.15)
    apart = met.loc[high, "contact_resolution"].mean() - met.loc[~high, "contact_resolution"].mean()
    assert apart == pytest.approx(100 / 0.4)
    assert met["speed_of_answer"].min() > -400


def test_weights_are_learned_from_surveys_and_the_rest_of_the_profile_stays(lake):
    learned = learn_from(lake, PROFILE, replicates=100)
    table = learned.table.set_index("metric")
    assert learned.used and learned.response_corrected
    assert set(table.index) == {"speed_of_answer", "contact_resolution"}
    assert table["prior"].to_dict() == pytest.approx({"speed_of_answer": 2 / 3, "contact_resolution": 1 / 3})
    left_out = learned.table.attrs["left_out"]
    assert left_out["csat"] == "is itself what customers say"
    assert left_out["adherence"] == "means nothing for one contact or case"
    # Weekends, two days in seven, count 2.3 times; one point is 1.15 s of waiting or 0.004 of a solved problem.
    waiting, solving = PER_SECOND * (5 + 2 * 2.3) / 7 * 1.15, UNSOLVED * 0.004
    truth = waiting / (waiting + solving)
    assert table.loc["speed_of_answer", "weight"] == pytest.approx(truth, abs=0.06)
    assert table.loc["speed_of_answer", "low"] < truth < table.loc["speed_of_answer", "high"]
    new = learned.into(PROFILE)
    assert new.families["resources"] == pytest.approx(0.2) and new.families["satisfaction"] == pytest.approx(0.2)
    assert new.families["response"] == pytest.approx(0.45 * table.loc["speed_of_answer", "weight"])


def test_weekend_sensitivity_is_found_in_the_rows(lake):
    rows = survey_rows(lake, PROFILE)
    table = interactions(rows, "csat_score", ["speed_of_answer", "contact_resolution"], ["weekend"])
    top = table.iloc[0]
    assert top["metric"] == "speed_of_answer" and top["found"] and top["low"] < 2.3 < top["high"]
    assert not table.iloc[1]["found"]


def test_start_and_end_bound_the_rows_and_cells_serve_where_rows_do_not(lake):
    april = survey_rows(lake, PROFILE, "2026-04", "2026-04")
    assert april["start"].min() == pd.Timestamp("2026-04-01") and april["start"].max() == pd.Timestamp("2026-04-30")
    measures = sv.measure(lake, ["speed_of_answer", "contact_resolution", "csat_score"], by="team", every="week")
    cells = cell_rows(measures, PROFILE)
    assert {"unit", "period", "start", "csat_score", "answers", "speed_of_answer"} <= set(cells)
    assert cells["speed_of_answer"].dropna().between(0, 100).all() and set(cells["unit"]) == {"A", "B"}
    prior = {"speed_of_answer": 0.5, "contact_resolution": 0.5}
    learned = learn(cells, "csat_score", list(prior), prior, answers="answers", within=["unit"], replicates=0)
    assert learned.surveyed == cells["csat_score"].notna().sum() > 20


def test_a_survey_about_a_contact_is_about_its_case_too(tmp_path):
    noon = pd.Timestamp("2026-03-02 04:00", tz="UTC")
    tables = {
        "cases": pd.DataFrame({"case_id": ["K0", "K1"], "opened_at": noon, "reopened_n": [1, 0]}),
        "contacts": pd.DataFrame({"contact_id": ["C0", "C1"], "case_id": ["K0", "K1"], "offered_at": noon}),
        "surveys": pd.DataFrame(
            {
                "survey_id": ["S0", "S1", "S2"],
                "contact_id": ["C0", "C1", None],
                "case_id": [None, None, "K1"],
                "at": noon,
                "csat": [1, 5, 4],
                "scale": 5,
            }
        ),
    }
    rows = survey_rows(store.write(sv.open(tmp_path / "lake", timezone="Asia/Shanghai"), tables), PROFILE)
    assert rows["csat_score"].tolist() == pytest.approx([0.2, 1.0, 0.8])
    # One reopened of three is beyond the floor of 15 %: score 0 at the mean, a point for every 0.15 % below it.
    assert rows["reopen_rate"].tolist() == pytest.approx([-200 / 3 / 0.15, 100 / 3 / 0.15, 100 / 3 / 0.15])


def test_a_lake_that_cannot_teach_says_why(lake, tmp_path):
    empty = sv.open(tmp_path / "empty", timezone="Asia/Shanghai")
    with pytest.raises(CatalogueError, match="no surveys in the lake"):
        learn_from(empty, PROFILE)
    with pytest.raises(CatalogueError, match="no surveys in that time"):
        learn_from(lake, PROFILE, "2020-01", "2020-02")
    with pytest.raises(CatalogueError, match="nps: has no value"):
        learn_from(lake, PROFILE, outcome="nps")
    people = Profile("people", {"resources": 1.0}, (ProfileMetric("adherence", "resources", 1.0, SOLVED),))
    with pytest.raises(CatalogueError, match="no metric of the profile is known"):
        learn_from(lake, people)
    with pytest.raises(CatalogueError, match="csat_score: was not measured"):
        cell_rows(sv.measure(lake, ["speed_of_answer"]), PROFILE)


@pytest.mark.real_data
def test_ratings_that_follow_nothing_leave_the_expert_in_charge(real_data, tmp_path):
    """The call centre's 5,000 calls carry ratings made up at random: the honest answer is that nothing is learned."""
    calls = sv.open(tmp_path / "lake", timezone="UTC")
    sv.load(calls, real_data / "contacts" / "call_centre_2021_q1.xlsx", source="call_centre_sheet")
    learned = learn_from(calls, replicates=100)
    assert not learned.used and learned.penalty == np.inf and learned.surveyed == 4054
    assert learned.table["weight"].tolist() == learned.table["prior"].tolist()
    assert learned.explained < 0.001
    said = learned.validation.set_index("index")
    assert said.loc["prior", "low"] < 0 < said.loc["prior", "high"]
