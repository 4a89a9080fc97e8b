"""Only what was known before the outcome is looked along."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes.gathering.dimensions import add_tenure, add_times, is_known_late, usable
from svcanalytics.periods import day_classes


@pytest.mark.parametrize(
    "name",
    [
        "closed_code",
        "state",
        "resolved_by",
        "u_resolution",
        "assigned_to",
        "reopen_count",
        "made_sla",
        "caller_id_name",
    ],
)
def test_names_that_tell_the_end_of_a_case_or_a_person_are_known_late(name):
    assert is_known_late(name)


@pytest.mark.parametrize("name", ["country", "product_version", "impact", "subcategory", "device", "vendor", "line_of"])
def test_names_of_circumstances_are_not(name):
    assert not is_known_late(name)


def test_what_says_nothing_names_rows_or_tells_the_outcome_is_left_out_with_a_reason():
    rng = np.random.default_rng(0)
    n = 400
    bad = (rng.random(n) < 0.2).astype(int)
    rows = pd.DataFrame(
        {
            "bad": bad,
            "team": rng.choice(["A", "B"], n),
            "one": "x",
            "ticket": [f"T{i}" for i in range(n)],
            "verdict": np.where(bad == 1, "late", "fine"),
            "made_of": rng.choice(["p", "q"], n),
        }
    )
    rows["crew"] = rows["team"].map({"A": "1", "B": "2"})
    kept, left_out = usable(rows, ["team", "one", "ticket", "verdict", "made_of", "crew"], own=["made_of"])
    assert kept == ["team"]
    assert left_out.keys() == {"ticket", "verdict", "made_of", "crew"}
    assert "team" in left_out["crew"]


def test_a_team_in_which_all_goes_wrong_is_no_tautology():
    rows = pd.DataFrame({"bad": [1] * 30 + [0, 1] * 200, "team": ["A"] * 30 + ["B", "C"] * 200})
    assert usable(rows.assign(bad=[1] * 30 + [0, 0, 1, 0] * 100), ["team"])[0] == ["team"]


def test_where_a_case_ended_up_is_not_asked_of_measures_of_hand_overs():
    rows = pd.DataFrame({"bad": [0, 1, 1, 0] * 30, "owner_team": ["A", "B", "B", "A", "B", "A"] * 20})
    assert usable(rows, ["owner_team"], own=["transferred_n"])[0] == []
    assert usable(rows, ["owner_team"], own=["sla_met"])[0] == ["owner_team"]


def test_times_become_days_of_the_week_kinds_of_day_and_hours():
    at = pd.Series(pd.to_datetime(["2026-10-01 09:30", "2026-10-10 23:59"]))  # National Day; a make-up working Saturday
    days = day_classes(pd.Timestamp("2026-09-30").date(), pd.Timestamp("2026-10-12").date(), "CN")
    rows = add_times(pd.DataFrame({"at": at}), days)
    assert rows["weekday"].tolist() == ["4 Thu", "6 Sat"] and rows["hour"].tolist() == ["09-12", "21-24"]
    assert rows["day_class"].tolist() == ["holiday", "make_up"]


def test_tenure_is_that_of_the_day_and_unknown_without_a_day_of_hiring():
    rows = pd.DataFrame({"at": pd.to_datetime(["2026-03-01", "2026-03-01", "2026-03-01"]), "agent": ["a", "b", "c"]})
    people = pd.DataFrame({"agent": ["a", "b"], "hired_on": pd.to_datetime(["2026-02-01", "2020-01-01"])})
    assert add_tenure(rows, people)["tenure"].fillna("").tolist() == ["under 60 days", "a year or more", ""]


def test_what_is_filled_in_for_the_bad_alone_in_one_channel_is_left_out():
    rng = np.random.default_rng(0)
    n = 4000
    rows = pd.DataFrame({"channel": rng.choice(["phone", "counter"], n), "bad": (rng.random(n) < 0.1).astype(int)})
    counter = rows["channel"] == "counter"
    window = pd.Series(rng.choice(["1", "2"], n)).where(counter & (rows["bad"] == 0))
    honest = pd.Series(rng.choice(["1", "2"], n)).where(counter)
    kept, left_out = usable(rows.assign(window=window, desk=honest), ["channel", "window", "desk"])
    assert kept == ["channel", "desk"] and "filled in" in left_out["window"]


def test_what_is_more_often_empty_for_the_bad_is_left_out_and_what_is_empty_by_chance_is_kept():
    rng = np.random.default_rng(1)
    n = 4000
    bad = rng.random(n) < 0.4
    country = pd.Series(rng.choice(["NO", "SE"], n)).where(rng.random(n) < np.where(bad, 0.1, 0.6))
    system = pd.Series(rng.choice(["a", "b"], n)).where(rng.random(n) < np.where(bad, 0.5, 0.6))
    rows = pd.DataFrame({"country": country, "system": system, "bad": bad.astype(int)})
    kept, left_out = usable(rows, ["country", "system"])
    assert kept == ["system"] and "filled in" in left_out["country"]
