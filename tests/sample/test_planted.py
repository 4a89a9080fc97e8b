"""Every planted cause is found again, with its size, by a few lines of pandas."""

import numpy as np
import pandas as pd
import pytest

from svcanalytics import sample
from svcanalytics.periods import calendars
from svcanalytics.sample.planted import CAUSES


def since(cause):
    return pd.Timestamp(CAUSES[cause].since, tz="Asia/Shanghai")


def effect(cause):
    return CAUSES[cause].effect


def response_s(cases):
    return (cases["first_response_at"] - cases["opened_at"]).dt.total_seconds()


def test_truth_lists_every_cause_in_both_languages():
    truth = sample.truth()
    assert set(truth["cause"]) == set(CAUSES) and len(truth) >= 10
    assert set(truth["layer"]) == {"data", "process", "people", "demand"}
    assert truth[["en", "zh", "where", "measure"]].ne("").all(axis=None)


def test_first_responses_to_written_requests_take_half_the_time(recent):
    cases = recent["cases"]
    app = cases[cases["channel"] == "app"]
    later = app["opened_at"] >= since("response_fix")
    ratio = response_s(app[later]).median() / response_s(app[~later]).median()
    assert ratio == pytest.approx(effect("response_fix"), abs=0.07)


def test_refunds_of_the_app_wait_four_times_as_long_for_the_supplier(recent):
    cases, events = recent["cases"], recent["events"]
    stuck = cases[
        (cases["category"] == "refund") & (cases["channel"] == "app") & (cases["owner_team"] == "售后组 After-sales")
    ]
    asked = events[events["waits_for"] == "supplier"]
    came = events[events["activity"] == "供应商核查 Supplier check"]
    waits = asked.merge(came, on="case_id", suffixes=("", "_back")).merge(stuck[["case_id", "opened_at"]], on="case_id")
    office = calendars({"office": {"hours": {"mon-fri": ["08:30-18:00"]}, "holidays": "CN"}}, timezone="Asia/Shanghai")[
        "office"
    ]
    worked = office.elapsed_s(waits["at"].dt.tz_convert("UTC"), waits["at_back"].dt.tz_convert("UTC"))
    later = (waits["opened_at"] >= since("supplier_check")).to_numpy()
    assert later.sum() >= 20
    ratio = np.median(worked[later]) / np.median(worked[~later])
    assert ratio == pytest.approx(effect("supplier_check"), rel=0.4)


def test_the_reorganised_team_reopens_more_and_the_others_do_not(recent):
    cases = recent["cases"]
    later = cases["opened_at"] >= since("reorganised_team")
    technical = cases["owner_team"] == "技术组 Technical"
    again = cases["reopened_n"] > 0

    def rise(team):
        return again[team & later].mean() - again[team & ~later].mean()

    assert rise(technical) == pytest.approx(effect("reorganised_team"), abs=0.035)
    assert abs(rise(~technical)) < 0.01


def test_the_kiosk_in_the_south_answers_upside_down(recent):
    kiosk = recent["surveys"].merge(recent["contacts"][["contact_id", "site"]], on="contact_id")
    kiosk = kiosk[(kiosk["route"] == "kiosk") & kiosk["csat"].notna() & ~kiosk["default_rating"]]
    south, later = kiosk["site"] == "南城窗口 South", kiosk["at"] >= since("inverted_kiosk")
    mean = kiosk["csat"].groupby([south, later]).mean()
    assert mean[True, False] + mean[True, True] == pytest.approx(6, abs=0.35)
    assert mean[False, True] > 4


def test_the_web_forms_first_responses_stand_eight_hours_after_the_event_log(recent):
    cases, events = recent["cases"], recent["events"]
    told = events[events["milestone"] == "first_response"].set_index("case_id")["at"]
    late = (cases.set_index("case_id")["first_response_at"] - told).dt.total_seconds().dropna()
    assert set(late) == {0, effect("shifted_clock")}
    wrong = cases.set_index("case_id").loc[late.index[late > 0]]
    assert set(wrong["channel"]) == {"web"}
    assert wrong["opened_at"].between(since("shifted_clock"), pd.Timestamp("2026-08-25", tz="Asia/Shanghai")).all()


def test_calls_of_hotline_b_are_shorter_since_its_knowledge_base(recent):
    calls = recent["contacts"]
    calls = calls[(calls["queue"] == "hotline") & (calls["handled_by"] == "human") & (calls["talk_s"] > 0)]
    later, b = calls["offered_at"] >= since("knowledge_base"), calls["team"] == "热线B组 Hotline B"
    level = np.log(calls["talk_s"].astype(float)).groupby([b, later]).mean()
    # Against the other team, whose calls stay as they are: difference in differences.
    ratio = np.exp((level[True, True] - level[True, False]) - (level[False, True] - level[False, False]))
    assert ratio == pytest.approx(effect("knowledge_base"), abs=0.06)


def test_june_is_the_high_season_and_spring_festival_is_quiet(recent):
    calls = recent["contacts"]
    calls = calls[calls["queue"] == "hotline"]
    daily = calls.groupby(calls["offered_at"].dt.strftime("%Y-%m-%d")).size()
    june = daily[daily.index.str.startswith("2026-06")].mean()
    beside = daily[daily.index.str.match("2026-0[57]")].mean()
    assert june / beside == pytest.approx(effect("high_season"), abs=0.1)
    feast = daily["2026-02-16":"2026-02-20"].mean() / daily[daily.index.str.startswith("2026-03")].mean()
    assert feast == pytest.approx(effect("spring_festival"), abs=0.12)


def test_the_faulty_version_brings_technical_requests(recent):
    cases = recent["cases"]
    app = cases[cases["channel"] == "app"]
    version = app["attributes"].str.extract(r'"product_version": "([^"]+)"')[0]
    # Requests doubled come up to five days later, so the first days are not at full size.
    late = (app["opened_at"] >= since("faulty_version") + pd.Timedelta(days=5)) & (version == "5.2")
    before = app["opened_at"] < since("faulty_version")

    def odds(rows):
        technical = (app["category"][rows] == "technical").sum()
        return technical / (rows.sum() - technical)

    assert odds(late) / odds(before) == pytest.approx(effect("faulty_version"), rel=0.3)


def test_waiting_costs_conversion(recent):
    outcomes, contacts = recent["outcomes"], recent["contacts"]
    served = contacts[contacts["queued_at"].notna() & contacts["human_at"].notna()]
    waited = (served["human_at"] - served["queued_at"]).dt.total_seconds()
    month = served["offered_at"].dt.strftime("%Y-%m")
    waited = (
        waited.groupby([served["customer_id"], month]).mean().rename("waited").rename_axis(["customer_id", "month"])
    )
    rows = outcomes.assign(month=outcomes["at"].dt.strftime("%Y-%m"))
    rows = rows[rows["contacted"] & rows["retained"]].merge(waited.reset_index(), on=["customer_id", "month"])
    rows = rows[rows["waited"] < 150]
    slope = np.polyfit(rows["waited"], rows["converted"].astype(float), 1)[0] * 10
    assert slope == pytest.approx(effect("waiting_costs"), abs=0.007)


@pytest.mark.slow
def test_weekend_customers_and_new_agents_differ_as_planted():
    # Slopes and small groups need all the months.
    made = sample.organisation()
    contacts, surveys = made["contacts"], made["surveys"]
    asked = surveys[surveys["contact_id"].notna()].merge(
        contacts[["contact_id", "queued_at", "human_at", "agent"]], on="contact_id"
    )
    asked["waited"] = (asked["human_at"] - asked["queued_at"]).dt.total_seconds() / 60
    calls = asked[(asked["route"] == "ivr") & asked["csat"].notna() & (asked["waited"] < 12)]
    weekend = calls["invited_at"].dt.day_of_week >= 5
    lost = [
        np.polyfit(rows["waited"].astype(float), rows["csat"].astype(float), 1)[0]
        for rows in (calls[weekend], calls[~weekend])
    ]
    assert lost[0] / lost[1] == pytest.approx(effect("weekend_sensitivity"), rel=0.3)
    scored = asked[asked["attitude"].notna()].merge(made["agents"][["agent", "hired_on"]], on="agent")
    days = (scored["at"].dt.tz_localize(None) - pd.to_datetime(scored["hired_on"])).dt.days
    new = scored["attitude"].astype(float).groupby(days < 75).mean()
    assert new[True] - new[False] == pytest.approx(effect("new_hires"), abs=0.12)
