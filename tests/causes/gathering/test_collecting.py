"""Material comes from a lake: what counts for the metrics, along what was known before, with what stands around it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import causes, store
from svcanalytics.causes.gathering.material import dimensions_of
from svcanalytics.errors import CauseError

BEFORE = pd.Timestamp("2026-03-31 16:00", tz="UTC")  # local midnight of 1 April


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    lake = sv.open(tmp_path_factory.mktemp("gathered") / "lake", timezone="Asia/Shanghai")  # which is only read
    rng = np.random.default_rng(0)
    n = 3000
    opened = BEFORE + pd.to_timedelta(np.sort(rng.integers(0, 183 * 86_400, n)), "s")
    channel, team = rng.choice(["app", "phone"], n), rng.choice(["T1", "T2", "T3"], n)
    late = (channel == "app") & (team == "T2") & (opened >= pd.Timestamp("2026-07-20", tz="UTC"))
    cases = pd.DataFrame(
        {
            "case_id": [f"K{i}" for i in range(n)],
            "opened_at": opened,
            "first_response_at": opened + pd.to_timedelta(rng.exponential(300, n) * np.where(late, 6, 1), "s"),
            "resolved_at": opened + pd.Timedelta(hours=5),
            "reopened_n": (rng.random(n) < 0.05).astype(int),
            "transferred_n": (rng.random(n) < 0.1).astype(int),
            "channel": channel,
            "team": team,
            "agent": rng.choice([f"A{i}" for i in range(9)], n),
            "customer_id": [f"C{i}" for i in range(n)],
            "text": "where is my parcel",
            "attributes": [
                f'{{"version": "5.{i % 2}", "closed_code": "x{i % 3}", "ticket": "t{i}"}}' for i in range(n)
            ],
        }
    )
    agents = pd.DataFrame({"agent": [f"A{i}" for i in range(9)], "hired_on": pd.Timestamp("2026-06-15").date()})
    events = cases[["case_id"]].assign(seq=0, activity="register", milestone="opened", at=opened)
    return store.write(lake, {"cases": cases, "agents": agents, "events": events})


def test_material_holds_the_metrics_rows_of_both_periods_and_says_what_it_lacks(loaded):
    material = causes.gather(loaded, "2026Q3")
    rows = material.outcomes["responded_15min"]
    whole = sv.measure(loaded, ["responded_15min"], every="quarter").set_index("period")["value"]
    for side, period in (("now", "2026Q3"), ("before", "2026Q2")):
        assert 1 - rows.loc[rows["period"] == side, "bad"].mean() == pytest.approx(whole[period])
    named = dimensions_of(rows)
    assert {"channel", "team", "version", "weekday", "hour", "tenure", "day_class"} <= set(named)
    assert not {"closed_code", "ticket", "agent", "customer_id", "reopened_n"} & set(named)
    assert "afterwards" in material.missing["dimension closed_code"]
    assert material.missing["responded_15min, ticket"] == "it names single rows"
    assert "csat" in material.missing  # nobody was asked
    assert len(material.events) == len(material.texts) == 3000 and set(material.texts["period"]) == {"now", "before"}
    assert {"missing", "source", "load"} <= set(material.definitions["what"])
    assert set(material.measures["every"]) == {"week"} and set(material.measures["metric"]) == set(material.outcomes)


def test_the_price_of_a_case_is_what_the_index_of_the_period_says(loaded):
    material = causes.gather(loaded, "2026Q3", metric="responded_15min")
    rows = material.outcomes["responded_15min"]
    worth = material.worth.set_index("metric")["points"]["responded_15min"]
    curve = material.curves[material.curves["metric"] == "responded_15min"]
    n, here = (rows["period"] == "now").sum(), rows.loc[rows["period"] == "now", "bad"].mean()
    step = np.interp(here - 1 / n, curve["level"], curve["index"]) - np.interp(here, curve["level"], curve["index"])
    assert worth == pytest.approx(step, rel=1e-6) and worth > 0


def test_a_lake_is_searched_through_one_door_and_the_planted_place_comes_out(loaded):
    table = causes.findings(loaded, "2026Q3")
    assert set(table.iloc[0]["where"].split("&")) == {"channel=app", "team=T2"}
    assert table.iloc[0]["measure"] in ("responded_15min", "first_response_time")
    assert abs(table.iloc[0]["since"] - pd.Timestamp("2026-07-20")) <= pd.Timedelta(days=7)
    assert table.attrs["baseline"] == "2026Q2"
    assert table.attrs["missing"]["themes"].startswith("all texts are the same")


def test_several_periods_are_gathered_in_one_reading_as_if_each_were_gathered_alone(loaded):
    asked = {"metric": ["responded_15min", "reopen_rate"], "measures": False}
    both = causes.gather_each(loaded, ["2026-09", "2026-07"], **asked)
    for together in both:
        alone = causes.gather(loaded, together.period, **asked)
        assert together.missing == alone.missing and together.outcomes.keys() == alone.outcomes.keys()
        for metric in alone.outcomes:
            pd.testing.assert_frame_equal(together.outcomes[metric], alone.outcomes[metric])
            pd.testing.assert_frame_equal(together.earlier[metric], alone.earlier[metric])
        for name in ("worth", "curves", "events", "texts", "definitions"):
            pd.testing.assert_frame_equal(getattr(together, name), getattr(alone, name))


def test_a_lake_or_period_without_rows_and_a_period_held_against_itself_are_refused_in_a_few_words(lake, loaded):
    for asked, period in ((lake, "2026Q3"), (loaded, "2030Q1")):
        with pytest.raises(CauseError, match="no metric has a row") as told:
            causes.findings(asked, period)
        assert len(str(told.value)) < 200
    with pytest.raises(CauseError, match="2026-08 is part of 2026Q3"):
        causes.gather(loaded, "2026Q3", "2026-08")


def test_events_out_of_order_or_without_a_name_change_no_finding_of_other_kinds(loaded):
    material = causes.gather(loaded, "2026Q3", metric="responded_15min", measures=False)
    events = material.events.sample(frac=1, random_state=0, ignore_index=True)
    events.loc[::3, "activity"] = None
    table = causes.find(replace(material, events=events))
    assert set(table.iloc[0]["where"].split("&")) == {"channel=app", "team=T2"}


def test_periods_to_compare_with_can_be_chosen_and_none_is_said(loaded):
    first = causes.gather(loaded, "2026Q2")
    assert first.baseline is None and "2026Q1" in first.missing["baseline"]
    assert causes.gather(loaded, "2026-08", "2026-05").baseline.key == "2026-05"
    assert causes.gather(loaded, "2026Q3", "none").baseline is None


def test_dimensions_can_be_named_or_left_out(loaded):
    rows = causes.gather(loaded, "2026Q3", metric="reopen_rate", dimensions=["team", "version"]).outcomes["reopen_rate"]
    assert dimensions_of(rows) == ["team", "version"]
    rows = causes.gather(loaded, "2026Q3", metric="reopen_rate", leave_out=["team", "hour"]).outcomes["reopen_rate"]
    assert not {"team", "hour"} & set(dimensions_of(rows))


@pytest.mark.slow
@pytest.mark.real_data
def test_a_real_log_gives_findings_along_what_was_known_beforehand(real_data, tmp_path):
    lake = sv.open(tmp_path / "lake", timezone="UTC")
    sv.load(lake, real_data / "cases/servicenow_incident_log.zip", source="servicenow")
    table = causes.findings(lake, "2016-05")
    assert 3 <= len(table) <= 20
    places = {part.partition("=")[0] for where in table["where"] for part in where.split("&")}
    assert not places & {"closed_code", "resolved_by", "agent", "customer_id", "updates", "change", "problem"}
    path = table["measure"].isin(["transfer_rate", "first_contact_resolution"]) & (table["kind"] == "segment")
    assert not table.loc[path, "where"].str.contains("owner_team|^team=|&team=").any()
