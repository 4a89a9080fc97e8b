"""The main job, end to end on real files: what the package says equals what a few lines of pandas say."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import svcanalytics as sv

pytestmark = pytest.mark.real_data


def loaded(folder: Path, file: Path, source: str, timezone: str = "UTC"):
    """Load a file into a new lake; give back the lake and the load's result."""
    lake = sv.open(folder / "data" / "lake", timezone=timezone)
    result = sv.load(lake, file, source=source)
    assert result.new + result.updated + result.unchanged + result.quarantined == result.read
    return lake.refresh(), result


def total(lake, metric: str, where=None) -> pd.Series:
    """Add up a metric's periods: numerator and denominator are whole numbers, so their sums are exact."""
    rows = sv.measure(lake, [metric], every="year", where=where)
    return rows[["numerator", "denominator", "n"]].sum()


def published(edition) -> str:
    """Return the words of a published page."""
    assert edition.status == "published"
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", (edition.path / "report.html").read_text("utf-8")))


@pytest.fixture(scope="module")
def servicenow(real_data, tmp_path_factory):
    return loaded(tmp_path_factory.mktemp("now"), real_data / "cases" / "servicenow_incident_log.zip", "servicenow")


@pytest.fixture(scope="module")
def incidents(real_data) -> pd.DataFrame:
    """Return the last row of each case, as pandas reads the file."""
    with zipfile.ZipFile(real_data / "cases" / "servicenow_incident_log.zip") as archive:
        rows = pd.read_csv(archive.open(archive.namelist()[0]), na_values="?", low_memory=False)
    return rows.sort_values("sys_mod_count", kind="stable").groupby("number").last()


def test_the_servicenow_log_gives_its_own_service_level_over_every_case(servicenow, incidents):
    lake, result = servicenow
    assert (result.read, result.quarantined) == (141_712, 0)
    got = total(lake, "sla_met_reported")
    met = incidents["made_sla"].astype(str).str.lower() == "true"
    assert len(incidents) == 24_918
    assert (int(got["numerator"]), int(got["denominator"])) == (int(met.sum()), len(met))
    assert round(100 * got["numerator"] / got["denominator"], 1) == 63.4


def test_the_tail_of_the_servicenow_log_is_flagged_and_its_quarter_too(servicenow):
    lake, _ = servicenow
    months = sv.measure(lake, ["cases_opened"]).set_index("period")
    whole = months.index[months["flag"] == ""]
    assert list(whole) == ["2016-03", "2016-04", "2016-05"]
    assert set(months.loc["2016-06":, "flag"]) == {"incomplete"}
    quarters = sv.measure(lake, ["sla_met_reported"], every="quarter").set_index("period")
    assert quarters.loc["2016Q2", "flag"] == "incomplete"


@pytest.mark.slow
def test_the_servicenow_quarter_is_published_in_chinese_with_its_flag(servicenow, tmp_path):
    lake, _ = servicenow
    edition = sv.publish("quarterly", "2016Q2", lake, out=tmp_path, language="zh")
    page = published(edition)
    assert "不完整" in page and "2016年" in page
    assert sv.publish("quarterly", "2016Q2", lake, out=tmp_path, language="zh").status == "up to date"


def test_loading_the_servicenow_log_again_changes_nothing(servicenow, real_data):
    lake, _ = servicenow
    again = sv.load(lake, real_data / "cases" / "servicenow_incident_log.zip", source="servicenow")
    assert (again.new, again.updated, again.unchanged) == (0, 0, 141_712)
    assert lake.refresh().snapshot.tables == lake.snapshot.tables


def test_the_xes_log_gives_net_and_gross_time_of_every_case(real_data, tmp_path):
    lake, result = loaded(tmp_path, real_data / "cases" / "bpi2013_incidents.xes.gz", "xes")
    assert lake.sql("select count(*) as n from cases")["n"].item() + cases_held(lake) == 7_554
    assert result.read == 65_533
    gross, net = (total(lake, metric) for metric in ("resolution_time", "resolution_time_net"))
    assert gross["n"] == net["n"] > 0
    assert 0 < net["numerator"] < gross["numerator"]


def cases_held(lake) -> int:
    """Count the cases in quarantine."""
    return int(lake.sql("select count(*) as n from quarantine where \"table\" = 'cases'")["n"].item())


def test_the_bank_s_calls_are_accounted_for_and_measure_as_pandas_does(real_data, tmp_path):
    file = real_data / "contacts" / "bank_contacts_1999_01.txt"
    lake, result = loaded(tmp_path, file, "telephony_log", "Asia/Jerusalem")
    calls = pd.read_csv(file, sep="\t", dtype=str).rename(columns=str.strip)
    assert result.read == len(calls) == 31_599
    assert result.quarantined == (calls["outcome"] == "PHANTOM").sum()
    calls = calls[calls["outcome"] != "PHANTOM"]
    at = {
        name: pd.to_timedelta(calls[name]).where(calls[name] != "0:00:00")
        for name in ("q_start", "q_exit", "ser_start")
    }
    answered = calls["outcome"] == "AGENT"
    queued = at["q_start"].notna()
    wait = (at["ser_start"].fillna(at["q_exit"]) - at["q_start"]).dt.total_seconds()
    # Over midnight the clock starts again; served a second before the queue began is a clock's error, no wait.
    wait = wait.where(wait > -43_200, wait + 86_400).clip(lower=0).where(queued, 0)[answered]
    offered = answered | queued
    level, asa, given_up = (
        total(lake, m) for m in ("service_level_20s_offered", "speed_of_answer", "abandonment_rate")
    )
    assert (level["numerator"], level["denominator"]) == ((wait <= 20).sum(), offered.sum())
    assert (asa["numerator"], asa["denominator"]) == (wait.sum(), answered.sum())
    assert (given_up["numerator"], given_up["denominator"]) == ((offered & ~answered).sum(), offered.sum())


def test_surveys_filled_in_by_hand_join_the_contacts_they_name(real_data, tmp_path):
    """The ratings are made up; the contacts, and so the categories they are split by, are the bank's."""
    lake, _ = loaded(tmp_path, real_data / "contacts" / "bank_contacts_1999_01.txt", "telephony_log", "Asia/Jerusalem")
    query = "select contact_id, category, ended_at from contacts where human_at is not null order by contact_id"
    calls = lake.sql(query).iloc[:900:3].reset_index(drop=True)
    calls["rating"] = 1 + (calls.index * 7) % 5
    file = sv.store.write_template("surveys", tmp_path / "surveys.xlsx", "zh")
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[0]
    heads = {cell.value: cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)}
    for number, call in enumerate(calls.itertuples(), start=heads["评价编号"].row + 1):
        at = call.ended_at.tz_convert(lake.timezone).tz_localize(None).to_pydatetime()
        told = {"评价编号": f"S{number}", "接触编号": call.contact_id, "评价时间": at, "满意度": call.rating, "满分": 5}
        for head, value in told.items():
            sheet.cell(number, heads[head].column, value)
    book.save(file)
    result = sv.load(lake, file)
    assert (result.new, result.quarantined) == (len(calls), 0)
    got = sv.measure(lake.refresh(), ["csat"], by=["category"], every="year").dropna(subset="value")
    wanted = calls.assign(good=calls["rating"] >= 4).groupby("category")["good"].mean()
    assert got.set_index("category")["value"].to_dict() == wanted[got["category"]].to_dict()
    assert got["n"].sum() >= 250


def test_the_call_centre_sheet_gives_calls_and_their_ratings(real_data, tmp_path):
    file = real_data / "contacts" / "call_centre_2021_q1.xlsx"
    lake, result = loaded(tmp_path, file, "call_centre_sheet")
    sheet = pd.read_excel(file, engine="openpyxl")
    assert (result.read, result.new) == (5_000, 5_000)
    answer, rating, solved = (total(lake, m) for m in ("answer_rate", "csat", "contact_resolution"))
    answered = sheet["Answered (Y/N)"] == "Y"
    rated = sheet["Satisfaction rating"].dropna()
    assert (answer["numerator"], answer["denominator"]) == (answered.sum(), 5_000)
    assert (rating["numerator"], rating["denominator"]) == ((rated >= 4).sum(), len(rated))
    assert solved["numerator"] == (sheet["Resolved"] == "Y").sum()


def test_the_chinese_hotline_tells_form_letters_from_answers(real_data, tmp_path):
    file = real_data / "cases" / "hotline_zh_messages.xlsx"
    lake, result = loaded(tmp_path, file, "hotline_messages", "Asia/Shanghai")
    assert (result.read, result.new + result.quarantined) == (2_816, 2_816)
    letters = pd.read_excel(file, engine="openpyxl", dtype=str)
    days = (
        pd.to_datetime(letters["答复时间"], format="mixed") - pd.to_datetime(letters["留言时间"], format="mixed")
    ).dt.total_seconds() / 86_400
    replied = lake.sql("select median(epoch(first_response_at) - epoch(opened_at)) / 86400 as days from cases")
    assert replied["days"].item() == pytest.approx(days.median(), rel=0.01)
    short = letters["答复意见"].str.strip().str.len() < 20
    assert total(lake, "form_letter_rate")["numerator"] >= short.sum()


@pytest.mark.slow
def test_the_hotline_s_month_is_published_in_chinese(real_data, tmp_path):
    lake, _ = loaded(tmp_path, real_data / "cases" / "hotline_zh_messages.xlsx", "hotline_messages", "Asia/Shanghai")
    edition = sv.publish("monthly", "2019-11", lake, out=tmp_path / "reports", language="zh")
    page = published(edition)
    assert "2019年11月" in page
    texts = lake.sql("select text from cases where month_key = 201911 and length(text) > 60 limit 50")["text"]
    assert not any(text[:60] in page for text in texts), "a report quotes a customer at length"
