from dataclasses import replace

import pandas as pd
import pytest

from svcanalytics import metrics, store
from svcanalytics.errors import CatalogueError
from svcanalytics.quality import (
    Cap,
    Goalposts,
    Profile,
    ProfileMetric,
    Situation,
    profile,
    profile_names,
    reweigh,
    weights_over,
)

OWN = """
[profiles.own]
name = { zh = "自有", en = "Own" }
[profiles.own.families.satisfaction]
weight = 100
[profiles.own.families.satisfaction.metrics]
csat = 60
nps = { weight = 40, floor = -50, target = 10, goal = 50 }
"""


@pytest.fixture
def own(lake):
    """Write an organisation's own profiles beside its lake and read one."""

    def read(text, name="own"):
        folder = lake.path.parent / "catalogue"
        folder.mkdir(exist_ok=True)
        (folder / "profiles.toml").write_text(text, "utf-8")
        return profile(name, lake)

    return read


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_adds_up_and_keeps_metrics_in_their_own_family(name):
    shipped = profile(name)
    assert sum(shipped.families.values()) == pytest.approx(1)
    catalogue = metrics.catalogue().metrics
    assert {m.metric: m.family for m in shipped.metrics} == {
        m.metric: catalogue[m.metric].family for m in shipped.metrics
    }
    assert all(text for text in (shipped.name["zh"], shipped.name["en"]))


def test_grades_are_a_from_90_b_from_80_c_from_60_else_d():
    shipped = profile("default")
    assert [shipped.grade(x) for x in (100, 90, 89.99, 80, 79.99, 60, 59.99, 0, float("nan"))] == [*"AABBCCDD", ""]


def test_an_organisations_own_profile_takes_goalposts_from_the_catalogue_where_it_states_none(own):
    read = own(OWN)
    csat = metrics.catalogue().metrics["csat"]
    assert read.metrics[0].goalposts == Goalposts(csat.floor, csat.target, csat.goal)
    assert read.metrics[1] == ProfileMetric("nps", "satisfaction", 0.4, Goalposts(-50, 10, 50))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("csat = 60", "csat = 50", "weights add up to 90, not 100"),
        ("weight = 100", "weight = 90", "weights add up to 90, not 100"),
        ("csat = 60", "csat = 60\nnonsense = 0", "no metric 'nonsense'"),
        ("families.satisfaction", "families.joy", "no family 'joy'"),
        ("floor = -50", "floor = 20", "goalposts are out of order"),
        ("csat = 60", "csat = -60", "csat"),
        ("[profiles.own]", "[profiles.own]\ncolour = 1", "colour"),
        ("csat = 60", "talk_time = 60\ncsat = 0", "talk_time: has no floor"),
    ],
)
def test_a_bad_profile_is_refused_with_file_key_and_remedy(own, old, new, said):
    with pytest.raises(CatalogueError) as error:
        own(OWN.replace(old, new))
    assert said in str(error.value)
    assert "profiles.toml, profiles.own" in error.value.where and error.value.fix


def test_an_unknown_profile_is_refused_with_the_names_there_are():
    with pytest.raises(CatalogueError, match="no index profile 'x'") as error:
        profile("x")
    assert "default" in error.value.fix


def test_without_a_name_the_profile_made_for_the_tables_of_the_lake_is_taken(lake):
    assert profile(lake=lake).id == "default"
    at = pd.Timestamp("2026-10-01", tz="UTC")
    store.write(lake, {"cases": pd.DataFrame({"case_id": ["a"], "opened_at": [at]})})
    assert profile(lake=lake.refresh()).id == "cases"
    store.write(lake.refresh(), {"contacts": pd.DataFrame({"contact_id": ["a"], "offered_at": [at]})})
    assert profile(lake=lake.refresh()).id == "default"


def test_a_profile_built_by_hand_is_checked_too():
    metric = ProfileMetric("m", "f", 1.0, Goalposts(0, 1, 2))
    with pytest.raises(CatalogueError, match="named twice"):
        Profile("p", {"f": 0.5, "g": 0.5}, (metric, ProfileMetric("m", "g", 1.0, Goalposts(0, 1, 2))))
    with pytest.raises(CatalogueError, match="negative"):
        Profile("p", {"f": 1.5, "g": -0.5}, (metric, ProfileMetric("n", "g", 1.0, Goalposts(0, 1, 2))))
    for wrong, said in (
        ({"families": {"f": float("nan")}}, "negative or no number"),
        ({"min_coverage": 40}, "min_coverage is 40"),
        ({"min_family_coverage": -0.1}, "min_family_coverage is -0.1"),
        ({"grades": {}}, "no grades"),
        ({"caps": (Cap("C", below=600),)}, "below is 600"),
    ):
        with pytest.raises(CatalogueError, match=said):
            Profile(**({"id": "p", "families": {"f": 1.0}, "metrics": (metric,)} | wrong))
    with pytest.raises(CatalogueError, match="no numbers"):
        reweigh(Profile("p", {"f": 1.0}, (metric,)), {"m": float("inf")})


SITUATIONS = """
[profiles.own.situations.rush]
load = { metric = "contacts_offered", above = 0.8, past_days = 40 }
pins = { satisfaction = 100 }
transition_days = 0
"""


@pytest.mark.parametrize(
    ("line", "said", "where"),
    [
        ("csat = { weight = 60, floor = -0.2, target = 0.9, goal = 1.0 }", "goalpost is negative: -0.2", "csat.floor"),
        ("csat = { weight = 60, floor = 0.95, target = 0.9, goal = 1.0 }", "out of order", "metrics.csat"),
    ],
)
def test_a_goalpost_that_cannot_be_is_refused_with_file_and_key(own, line, said, where):
    with pytest.raises(CatalogueError, match=said) as error:
        own(OWN.replace("csat = 60", line))
    assert "profiles.toml, profiles.own.families.satisfaction.metrics" in error.value.where
    assert where in error.value.where and error.value.fix


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('mean = "median"', "mean"),
        ("mean = 2", "above 1 a mean rewards being uneven"),
        ('caps = [{ grade = "E", below = 60 }]', "there is no grade 'E'"),
        ('caps = [{ grade = "C" }]', "not below which score"),
        ('caps = [{ grade = "C", family = "joy", below = 60 }]', "there is no family 'joy'"),
        ('caps = [{ grade = "C", metric = "joy" }]', "there is no metric or standard 'joy'"),
        ('caps = [{ grade = "C", metric = "reopen_rate", below = 60 }]', "has no score in this profile"),
        ('caps = [{ grade = "C", family = "satisfaction", metric = "csat", below = 60 }]', "a family or a metric"),
        ("situations.x = { months = [6], pins = { response = 40 } }", "pins 'response'"),
        ("situations.x = { months = [6], pins = { csat = 140 } }", "x.pins.csat"),
        ("situations.x = { months = [6], pins = {} }", "x.pins"),
        ('situations.x = { dates = ["2026-05-01..2026-05-05", "2026-05-05"], pins = { csat = 70 } }', "overlap"),
        ('situations.x = { load = { metric = "csat" }, pins = { csat = 70 } }', "'csat' is no count"),
        ("situations.x = { month = [6], pins = { csat = 70 } }", "x.month"),
    ],
)
def test_a_bad_mean_floor_rule_or_situation_is_refused_with_file_and_remedy(own, text, said):
    with pytest.raises(CatalogueError) as error:
        own(OWN.replace("[profiles.own]", f"[profiles.own]\n{text}"))
    assert said in str(error.value)
    assert "profiles.toml, profiles.own" in error.value.where and error.value.fix


def test_means_floor_rules_and_situations_are_read_as_written(own):
    text = """
mean = "geometric"
mean_within = 0.5
caps = [{ grade = "C", below = 60 }, { grade = "B", metric = "csat" }]
situations.sale = { dates = ["06-10..06-20"], pins = { csat = 70 }, transition_days = 3, priority = 2, country = "" }
"""
    read = own(OWN.replace("[profiles.own]", f"[profiles.own]\n{text}"))
    assert (read.power, read.power_within) == (0.0, 0.5)
    assert read.caps == (Cap("C", below=60), Cap("B", metric="csat"))
    sale = Situation("sale", {"csat": 0.7}, dates=("06-10..06-20",), transition_days=3, priority=2, country="")
    assert read.situations == (sale,)


def test_a_situation_that_follows_load_is_tied_to_the_days_of_the_lake(own, lake):
    days = pd.date_range("2026-01-01", "2026-03-31", tz="Asia/Shanghai")
    calls = [at + pd.Timedelta(minutes=n) for at in days for n in range(3 if at.day != 20 else 9)]
    contacts = pd.DataFrame({"contact_id": map(str, range(len(calls))), "offered_at": calls})
    store.write(lake, {"contacts": contacts})
    read = own(OWN + SITUATIONS)
    assert {day.isoformat() for day in read.situations[0].measured} == {"2026-02-20", "2026-03-20"}


def test_a_situation_that_follows_load_needs_it_in_the_lake(own):
    with pytest.raises(CatalogueError, match="follows contacts_offered, of which the lake has no rows") as error:
        own(OWN + SITUATIONS)
    assert "profiles.toml, profiles.own.situations" in error.value.where


def test_the_example_by_season_pins_response_at_40_percent_in_june_and_the_holidays_win_over_it():
    read = profile("contacts_by_season")
    frame = weights_over(read, "2025-06-01", "2025-06-30")
    family = frame.pivot_table(index=["situation", "start"], columns="family", values="weight", aggfunc="sum")
    assert set(frame["situation"]) == {"high_season", "holiday"}  # the Dragon Boat Festival of 2025 ends on 2 June
    assert family.loc["high_season"].iloc[-1]["response"] == pytest.approx(0.4)
    assert family.loc["holiday"].iloc[0]["resolution"] == pytest.approx(0.5)


def test_reweighed_metrics_share_what_they_weighed_and_the_others_keep_their_shares():
    posts = Goalposts(0, 1, 2)
    parts = (("a", "f", 0.5), ("b", "f", 0.5), ("c", "g", 0.25), ("d", "g", 0.75))
    old = Profile(
        "p",
        {"f": 0.4, "g": 0.6},
        tuple(ProfileMetric(m, f, w, posts) for m, f, w in parts),
        situations=(Situation("s", {"f": 0.5}, months=(6,)),),
    )
    new = reweigh(old, pd.Series({"a": 3.0, "c": 1.0}))
    assert new.shares == pytest.approx({"a": 0.75 * 0.35, "b": 0.2, "c": 0.25 * 0.35, "d": 0.45})
    assert new.situations == old.situations
    emptied = reweigh(replace(old, situations=()), {"a": 0, "b": 0, "c": 1})
    assert emptied.families == pytest.approx({"f": 0, "g": 1})
    for weights, said in (
        ({"x": 1}, "'x' is not in the profile"),
        ({"a": 0}, "all 0"),
        ({"a": 2, "b": -1}, "negative"),
    ):
        with pytest.raises(CatalogueError, match=said):
            reweigh(old, weights)
