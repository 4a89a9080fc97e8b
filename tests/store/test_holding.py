"""A held lake answers as the lake itself does, and works out once what is asked for again."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import store


@pytest.fixture
def organisation(lake) -> sv.Lake:
    """Return a lake with cases of two teams."""
    opened = pd.date_range("2026-01-01", periods=90, freq="h", tz="UTC")
    cases = pd.DataFrame({"case_id": [f"c{i}" for i in range(90)], "opened_at": opened})
    return store.write(lake, {"cases": cases.assign(owner_team=["A", "B", "B"] * 30)})


def test_connections_of_a_held_lake_read_the_same_rows_in_the_same_zone_and_of_the_same_unit(organisation):
    asked = (
        "select count(*) as n, (select count(*) from main.cases) as everybody, min(opened_at) as oldest, "
        "current_setting('TimeZone') as zone from cases"
    )
    for lake, n in ((organisation, 90), (organisation.only("team", "A"), 30)):
        with lake.held() as held:
            pd.testing.assert_frame_equal(held.sql(asked), lake.sql(asked))
            assert held.sql(asked)[["n", "everybody"]].iloc[0].tolist() == [n, 90]


def test_what_one_connection_makes_for_itself_no_other_sees(organisation):
    with organisation.held() as held:
        con = held.connection()
        con.execute("create temp table mine as select 1 as x")
        con.close()
        with pytest.raises(duckdb.CatalogException):
            held.sql("select * from mine")


def test_rows_of_a_query_are_kept_as_long_as_the_lake_is_held_and_asked_anew_otherwise(organisation):
    drawn = "select random() as x from cases"
    with organisation.held() as held:
        first, again = (held.sql(f"from {held.keep(drawn)}") for _ in range(2))
        with held.held() as same:
            assert same.sql(f"from {same.keep(drawn)}").equals(first)
    assert first.equals(again)
    assert not held.sql(f"from {held.keep(drawn)}").equals(first)
    assert organisation.keep(drawn) == f"({drawn})"


def test_a_load_through_a_held_lake_is_read_at_once(organisation):
    more = {"cases": pd.DataFrame({"case_id": ["d"], "opened_at": pd.to_datetime(["2026-02-01"], utc=True)})}
    with organisation.held() as held:
        assert held.sql("select count(*) as n from cases")["n"].item() == 90
        assert store.write(held, more).sql("select count(*) as n from cases")["n"].item() == 91
