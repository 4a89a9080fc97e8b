import pandas as pd
import pytest

from svcanalytics import metrics, store
from svcanalytics.errors import CatalogueError
from svcanalytics.quality import Goalposts, Profile, ProfileMetric, profile, profile_names

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
