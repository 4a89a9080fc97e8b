"""`measure` against plain loops over the rows, and what it promises about periods, units and small numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plain_loops import Row, Tables, atoms, rows_of

import svcanalytics as sv
from svcanalytics import store
from svcanalytics.errors import CatalogueError, PeriodError
from svcanalytics.metrics import Catalogue, Metric, catalogue, knowledge, measure, measures
from svcanalytics.metrics.views import view
from svcanalytics.store.commit import finished
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import connect

VIEWS = ("cases", "contacts", "surveys", "flow", "events")
START = datetime(2025, 12, 31, 12, tzinfo=UTC)
ZONES = ("Asia/Shanghai", "America/New_York", "Pacific/Apia")

moment = st.integers(0, 90 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
short = st.integers(0, 3 * 24 * 3600)


def maybe(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | values


def words(*values: str) -> st.SearchStrategy:
    return st.sampled_from([None, *values])


flag = st.sampled_from([None, True, False])
sources = st.sampled_from(["a", "b"])
case = st.fixed_dictionaries(
    {
        "opened_at": moment,
        "first_response_at": maybe(short),
        "resolved_at": maybe(short),
        "closed_at": maybe(short),
        "due_at": maybe(short),
        "sla_met": flag,
        "team": words("A", "B"),
        "channel": words("phone", "app"),
        "business_type": words("complaint", "suggestion", "praise", "incident"),
        "complaint_level": maybe(st.integers(1, 3)),
        "grade": maybe(st.integers(1, 4)),
        "reopened_n": maybe(st.integers(0, 2)),
        "transferred_n": maybe(st.integers(0, 2)),
        "resolution": words("yes", "partly", "no"),
        "need_met": flag,
        "language": words("zh", "en"),
        "customer_id": words("K", "L"),
        "category": words("S", "T"),
        "source": sources,
    }
)
event = st.fixed_dictionaries(
    {
        "case": st.integers(0, 12),
        "at": moment,
        "started_at": maybe(short),
        "milestone": words("first_response", "acknowledged", "escalated", "followed_up", "adopted", "restored"),
        "by": words("human", "bot", "automatic"),
        "waits_for": words("us", "customer", "supplier"),
        "team": words("A", "B"),
    }
)
contact = st.fixed_dictionaries(
    {
        "offered_at": moment,
        "queued_at": maybe(st.integers(0, 60)),
        "answered_at": maybe(st.integers(0, 120)),
        "human_at": maybe(st.integers(0, 240)),
        "ended_at": maybe(st.integers(0, 900)),
        "case": maybe(st.integers(0, 12)),
        "abandoned": flag,
        "direction": words("inbound", "outbound"),
        "handled_by": words("human", "bot"),
        "handover_reason": words("asked"),
        "talk_s": maybe(st.integers(0, 900)),
        "hold_s": maybe(st.integers(0, 90)),
        "wrap_s": maybe(st.integers(0, 90)),
        "resolved": flag,
        "channel": words("phone", "app"),
        "customer_id": words("K", "L"),
        "category": words("S", "T"),
        "team": words("A", "B"),
        "source": sources,
    }
)
survey = st.fixed_dictionaries(
    {
        "at": moment,
        "case": maybe(st.integers(0, 12)),
        "contact": maybe(st.integers(0, 12)),
        "csat": maybe(st.integers(0, 5)),
        "scale": st.just(5),
        "nps": maybe(st.integers(0, 10)),
        "attitude": maybe(st.integers(0, 5)),
        "default_rating": flag,
    }
)


@dataclass(frozen=True)
class Frames:
    """Stands in for a lake over DataFrames: what `measure` asks of one, without files."""

    frames: dict[str, pd.DataFrame]
    timezone: str
    month_start: int = 1
    catalogue_paths: tuple[Path, ...] = ()
    path: Path = field(default_factory=lambda: Path("frames"))

    def __post_init__(self) -> None:
        knowledge._ANSWERS.clear()  # every example is a lake of its own

    unit = None
    key = ("frames",)

    @property
    def whole(self) -> Frames:
        return self

    def keep(self, query: str) -> str:
        return f"({query})"

    def has(self, table: str) -> bool:
        return len(self.frames.get(table, ())) > 0

    def connection(self):
        con = connect()
        for table in contract().tables.values():
            frame = self.frames.get(table.name)
            if frame is None or frame.empty:
                nulls = ", ".join(f'cast(null as {c.sql_type}) as "{c.name}"' for c in table.all_columns.values())
                con.execute(f'create view "{table.name}" as select {nulls} where false')
                continue
            con.register(f"_{table.name}", frame)
            given = [name for name in frame.columns if name != "source"]
            sql = finished(self, table, f"_{table.name}", given, source="", load_id="t")
            kept = ", ".join(f'"{name}"' for name in table.all_columns if name != "source")
            source = "source" if "source" in frame else "''"
            con.execute(
                f'create table "{table.name}" as select {kept}, s as source from (select *, row_number() over () as r '
                f"from ({sql})) join (select {source} as s, row_number() over () as r from _{table.name}) using (r)"
            )
        return con


def draw_tables(cases: list[Row], events: list[Row], contacts: list[Row], surveys: list[Row]) -> Tables:
    """Give rows their keys and turn durations into times, so that the contract's order of times holds."""

    def later(row: Row, start: str, *names: str) -> Row:
        base = row[start]
        return row | {n: None if row[n] is None else base + timedelta(seconds=row[n]) for n in names}

    cases = [
        later(row, "opened_at", "first_response_at", "resolved_at", "closed_at", "due_at") | {"case_id": f"c{i:02}"}
        for i, row in enumerate(cases)
    ]
    names = ("queued_at", "answered_at", "human_at", "ended_at")
    contacts = [later(row, "offered_at", *names) | {"contact_id": f"k{i:02}"} for i, row in enumerate(contacts)]
    contacts = [row | {"case_id": None if row["case"] is None else f"c{row['case']:02}"} for row in contacts]
    events = [
        row
        | {"case_id": f"c{row['case']:02}", "seq": i, "source": "a"}
        | {"started_at": None if row["started_at"] is None else row["at"] - timedelta(seconds=row["started_at"])}
        for i, row in enumerate(events)
    ]
    surveys = [
        row
        | {"survey_id": f"s{i:02}", "source": "a"}
        | {"case_id": None if row["case"] is None else f"c{row['case']:02}"}
        | {"contact_id": None if row["contact"] is None else f"k{row['contact']:02}"}
        for i, row in enumerate(surveys)
    ]
    return {"cases": cases, "events": events, "contacts": contacts, "surveys": surveys}


def frames_of(tables: Tables) -> dict[str, pd.DataFrame]:
    frames = {}
    for name, rows in tables.items():
        columns = contract()[name].all_columns
        frame = pd.DataFrame([{key: row[key] for key in row if key in columns} for row in rows])
        for key in frame.columns:
            if columns[key].type == "timestamp":
                frame[key] = pd.to_datetime(frame[key], utc=True)
            elif columns[key].type == "integer":
                frame[key] = frame[key].astype("Int64")
            elif columns[key].type == "boolean":
                frame[key] = frame[key].astype("boolean")
        frames[name] = frame
    return frames


def readable(metrics: Catalogue) -> list[Metric]:
    """The metrics that the plain loops know; texts are tested by example."""
    texts = {"form_letter", "risk_words", "handover_on_emotion", "environment", "skill"}
    return [m for m in metrics.metrics.values() if m.view in VIEWS and not m.columns() & texts]


def assert_equal_to_loops(frame: pd.DataFrame, tables: Tables, metrics: list[Metric], zone: str, by: list[str], every):
    rows = {name: rows_of(name, tables) for name in VIEWS}
    found: dict[str, dict] = {metric.id: {} for metric in metrics}
    for row in frame.to_dict("records"):
        unit = tuple(None if pd.isna(row[name]) else row[name] for name in by)
        kind = next(m.kind for m in metrics if m.id == row["metric"])
        x, y = (None if pd.isna(row[name]) else int(row[name]) for name in ("numerator", "denominator"))
        x = int(row["value"]) if kind == "quantile" else x
        found[row["metric"]][(row["period"], *unit)] = (int(row["n"]), x, y)
    for metric in metrics:
        assert found[metric.id] == atoms(metric, rows[metric.view], zone, by, every), metric.id


@pytest.mark.slow
# Shrinking would measure hundreds of times; the example as found is small enough to read.
@settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    st.lists(case, max_size=13),
    st.lists(event, max_size=25),
    st.lists(contact, max_size=13),
    st.lists(survey, max_size=13),
    st.sampled_from(ZONES),
    st.sampled_from([[], ["team"], ["team", "channel"]]),
    st.sampled_from(["day", "week", "month", "quarter"]),
)
def test_every_metric_equals_a_plain_loop_over_the_rows_atom_for_atom(
    cases, events, contacts, surveys, zone, by, every
):
    tables = draw_tables(cases, events, contacts, surveys)
    shipped = catalogue()
    open_to_all = {m.id: m.model_copy(update={"min_n": 0}) for m in readable(shipped)}
    chosen = [m for m in open_to_all.values() if set(by) <= set(view(m.view).columns())]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "catalogue", lambda lake: Catalogue(open_to_all))
        frame = measure(Frames(frames_of(tables), zone), by=by, every=every)
    assert_equal_to_loops(frame, tables, chosen, zone, by, every)


def some_cases(n: int = 40, day: str = "2026-03-02", **columns: object) -> pd.DataFrame:
    opened = pd.Timestamp(day, tz="Asia/Shanghai") + pd.to_timedelta(range(n), unit="h")
    frame = {"case_id": [f"{day}-{i}" for i in range(n)], "opened_at": opened.tz_convert("UTC"), **columns}
    return pd.DataFrame(frame)


def test_the_frame_has_the_promised_columns_and_whole_numbers(lake):
    lake = store.write(lake, {"cases": some_cases(sla_met=[True] * 30 + [False] * 10, team="A")})
    frame = measure(lake, "sla_met_reported", by="team")
    wanted = "metric period start team value low high n numerator denominator std unit target met flag"
    assert list(frame.columns) == wanted.split()
    assert frame.dtypes[["n", "numerator", "denominator"]].map(str).tolist() == ["Int64"] * 3
    row = frame.iloc[0]
    assert (row["period"], row["team"], row["value"], row["numerator"], row["n"]) == ("2026-03", "A", 0.75, 30, 40)
    assert row["start"] == pd.Timestamp("2026-03-01") and pd.isna(row["met"])
    assert list(measure(lake, "csat", by="team").columns) == wanted.split()


def test_rows_belong_to_the_local_day_and_to_an_own_month(lake):
    times = pd.to_datetime(["2026-03-25T15:59:59Z", "2026-03-25T16:00:00Z"])
    frame = pd.DataFrame({"case_id": ["a", "b"], "opened_at": times})
    store.write(lake, {"cases": frame})
    (lake.path.parent / "svcanalytics.toml").write_text("month_start = 26\n", "utf-8")
    lake = sv.open(lake.path)
    days = measure(lake, "cases_opened", every="day")
    months = measure(lake, "cases_opened")
    assert days["period"].tolist() == ["2026-03-25", "2026-03-26"]
    assert months["period"].tolist() == ["2026-03", "2026-04"]


def test_days_follow_summer_time(tmp_path):
    lake = sv.open(tmp_path / "ny", timezone="America/New_York")
    times = ["2026-03-08T04:59:00Z", "2026-03-08T05:00:00Z", "2026-03-09T03:59:00Z", "2026-03-09T04:00:00Z"]
    frame = pd.DataFrame({"case_id": list("abcd"), "opened_at": pd.to_datetime(times) - pd.Timedelta("1h")})
    frame["resolved_at"] = frame["opened_at"] + pd.Timedelta("1h")
    lake = store.write(lake, {"cases": frame})
    found = measure(lake, "resolution_time_median", every="day")
    assert dict(zip(found["period"], found["n"], strict=True)) == {"2026-03-07": 1, "2026-03-08": 2, "2026-03-09": 1}


def test_too_few_rows_show_nothing_but_their_number(lake):
    lake = store.write(lake, {"cases": some_cases(4, sla_met=True)})
    row = measure(lake, "sla_met_reported").iloc[0]
    assert row["flag"] == "suppressed" and row["n"] == 4
    assert row[["value", "low", "high", "numerator", "denominator", "std", "met"]].isna().all()


def test_a_source_that_never_records_an_answer_is_not_late(lake):
    silent = some_cases(20, source="silent")
    telling = some_cases(20, day="2026-03-10", source="telling")
    telling["first_response_at"] = telling["opened_at"] + pd.Timedelta("5min")
    store.write(lake, {"cases": silent.drop(columns="source")}, source="silent")
    alone = measure(lake.refresh(), "responded_15min")
    assert alone.empty and "no source records" in alone.attrs["left_out"]["responded_15min"]
    store.write(lake, {"cases": telling.drop(columns="source")}, source="telling")
    both = measure(lake.refresh(), "responded_15min").iloc[0]
    assert (both["numerator"], both["denominator"]) == (20, 20)


def test_open_cases_make_a_period_provisional_once_they_are_one_in_a_hundred(lake):
    resolution = [None] * 3 + ["yes"] * 197
    march = some_cases(200, "2026-03-01", resolution=resolution)
    april = some_cases(200, "2026-04-01", resolution=[None] + ["yes"] * 199)
    edges = pd.concat([some_cases(1, f"2026-0{m}-{d}", resolution="yes") for m in (3, 4) for d in (12, 20, 28)])
    lake = store.write(lake, {"cases": pd.concat([march, april, edges])})
    found = measure(lake, "resolution_rate", start="2026-03", end="2026-04")
    assert found["flag"].tolist()[0] == "provisional" and found["flag"].tolist()[1] != "provisional"


def test_a_period_cut_by_start_or_end_is_incomplete_and_says_so(lake):
    lake = store.write(lake, {"cases": some_cases(24 * 61, "2026-03-01")})
    found = measure(lake, "cases_opened", start="2026-03-02", end="2026-04-30")
    assert found["flag"].tolist() == ["incomplete", ""] and found["numerator"].tolist() == [30 * 24, 30 * 24]


def test_a_named_metric_that_cannot_be_split_is_refused_and_left_out_otherwise(lake):
    surveys = pd.DataFrame({"survey_id": ["s"], "at": pd.to_datetime(["2026-03-01T00:00Z"]), "csat": [5], "scale": [5]})
    lake = store.write(lake, {"cases": some_cases(), "surveys": surveys})
    with pytest.raises(CatalogueError, match="no column or attribute 'complexity'") as refused:
        measure(lake, ["cases_opened", "rated_share"], by="complexity")
    assert refused.value.fix
    found = measure(lake, by="complexity")
    assert "cases_opened" in set(found["metric"]) and "complexity" in found.attrs["left_out"]["rated_share"]


def test_attributes_split_and_filter_like_columns(lake):
    texts = ['{"product": "loan\'s", "tier.x": "1"}', '{"product": "card"}'] * 20
    lake = store.write(lake, {"cases": some_cases(attributes=texts)})
    found = measure(lake, "cases_opened", by=["product", "tier.x"])
    assert found["product"].tolist() == ["card", "loan's"] and found["numerator"].tolist() == [20, 20]
    only = measure(lake, "cases_opened", where={"product": "loan's"})
    assert only["numerator"].tolist() == [20]
    assert measure(lake, "cases_opened", where={"product": "x' or 1=1 --"}).empty
    with pytest.raises(CatalogueError, match="attribute 'produkt'"):
        measure(lake, "cases_opened", by="produkt")


def test_a_filter_takes_lists_and_what_is_not_filled(lake):
    lake = store.write(lake, {"cases": some_cases(team=["A", "B", None, "C"] * 10)})
    assert measure(lake, "cases_opened", where={"team": ["A", None]})["numerator"].tolist() == [20]


def test_units_and_filters_come_as_python_has_them_or_are_refused_in_words(lake):
    lake = store.write(lake, {"cases": some_cases(6, team="A", reopened_n=0)})
    split = measure(lake, "cases_opened", by=["team", "team"], every="year", where={"team": pd.Series(["A", "B"])})
    assert split.equals(measure(lake, "cases_opened", by="team", every="year", where={"team": ["A", "B"]}))
    assert len(measure(lake, "cases_opened", by=None, every="year")) == 1
    with pytest.raises(CatalogueError, match="not of its column's type"):
        measure(lake, "cases_opened", where={"reopened_n": "often"})
    for wrong in ({"by": 5}, {"by": [None]}, {"where": "team=A"}):
        with pytest.raises(CatalogueError, match="columns"):
            measure(lake, "cases_opened", **wrong)
        with pytest.raises(CatalogueError, match="columns"):
            sv.standards(lake, **wrong)


def test_a_kind_of_period_that_does_not_exist_is_refused(lake):
    with pytest.raises(PeriodError):
        measure(lake, every="fortnight")


def test_form_letters_are_told_apart_from_replies(lake):
    replies = [
        "网友:您好!留言已收悉",
        "已收悉",
        " 您的留言已收悉。 ",
        "Dear customer, your message has been received.",
        "ok",
    ]
    answers = [
        "您好,您反映的路灯损坏问题已由市政部门于昨日修复,感谢您的支持",
        "We replaced the faulty card reader today.",
    ]
    lake = store.write(lake, {"cases": some_cases(10, reply_text=[*replies, *answers, None, None, None])})
    sums = store_sum(lake, "form_letter")
    assert sums == (5, 7)


def store_sum(lake: sv.Lake, column: str) -> tuple[int, int]:
    con = lake.connection()
    rows = view("cases").select([column, "reply_text"], lake.timezone)
    found = con.execute(f"select count(*) filter ({column}), count(reply_text) from ({rows})").fetchall()[0]
    con.close()
    return found


def test_the_four_published_service_levels_differ_as_published(lake):
    """100 calls: 70 answered within 20 s, 10 later; 8 given up within 20 s, 12 later."""
    waits = [10] * 70 + [60] * 10 + [5] * 8 + [90] * 12
    offered = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(range(100), unit="min")
    done = offered + pd.to_timedelta(waits, unit="s")
    given_up = [False] * 80 + [True] * 20
    frame = pd.DataFrame({"contact_id": [f"k{i}" for i in range(100)], "offered_at": offered, "queued_at": offered})
    frame["answered_at"] = done.where(~pd.Series(given_up).to_numpy())
    frame["ended_at"], frame["abandoned"], frame["handled_by"] = done, given_up, "human"
    lake = store.write(lake, {"contacts": frame})
    found = measure(lake, [f"service_level_20s_{v}" for v in ("offered", "answered", "virtual", "net_short")])
    assert found["value"].tolist() == [0.7, 70 / 80, 0.78, 70 / 92]
    others = measure(lake, ["abandonment_rate", "speed_of_answer"])
    assert others["value"].tolist() == [0.2, (70 * 10 + 10 * 60) / 80]


@pytest.mark.slow
def test_every_shipped_metric_has_rows_on_the_made_up_organisation(tmp_path):
    from svcanalytics import sample

    lake = store.write(sv.open(tmp_path / "demo", timezone="Asia/Shanghai", made_up=True), sample.organisation())
    found = measure(lake, every="year")
    silent = set(catalogue().metrics) - set(found.loc[found["n"] > 0, "metric"])
    assert not silent, {name: found.attrs["left_out"].get(name) for name in silent}


@pytest.mark.slow
@pytest.mark.real_data
def test_the_incident_log_equals_a_plain_loop_and_its_tail_is_flagged(real_data, tmp_path):
    lake = sv.open(tmp_path / "lake", timezone="UTC")
    sv.load(lake, real_data / "cases" / "servicenow_incident_log.zip", source="servicenow", assume_yes=True)
    lake = lake.refresh()
    names = ["sla_met_reported", "cases_opened", "resolution_rate", "reopen_rate", "transfers_per_case"]
    names += [
        "resolution_time_median",
        "resolution_time_net",
        "first_response_time",
        "clearance_rate",
        "repeat_case_7d",
    ]
    frame = measure(lake, names)
    hits, all_rows = frame.query("metric == 'sla_met_reported' and flag != 'suppressed'")[["numerator", "n"]].sum()
    assert round((hits + 3) / (all_rows + 5), 3) == 0.634  # 3 of the 5 cases of June, which are too few to show
    flags = frame.query("metric == 'cases_opened'").set_index("period")["flag"]
    assert flags[["2016-03", "2016-04", "2016-05"]].tolist() == ["", "", ""]
    assert set(flags["2016-06":]) == {"incomplete"}
    quarter = measure(lake, "sla_met_reported", every="quarter", start="2016Q2", end="2016Q2")
    assert quarter["flag"].tolist() == ["incomplete"]
    chosen = [catalogue()[name].model_copy(update={"min_n": 0}) for name in names]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "catalogue", lambda lake: Catalogue({m.id: m for m in chosen}))
        frame = measure(lake, by="channel")
    tables = {"contacts": [], "surveys": [], "cases": records(lake, "cases"), "events": records(lake, "events")}
    assert_equal_to_loops(frame, tables, chosen, "UTC", ["channel"], "month")


@pytest.mark.slow
@pytest.mark.real_data
def test_the_bank_calls_equal_a_direct_computation_on_the_file(real_data, tmp_path):
    lake = sv.open(tmp_path / "lake", timezone="Asia/Jerusalem")
    file = real_data / "contacts" / "bank_contacts_1999_01.txt"
    sv.load(lake, file, source="telephony_log", assume_yes=True)
    lake = lake.refresh()
    chosen = [m for m in readable(catalogue()) if m.view == "contacts"]
    tables = {"contacts": records(lake, "contacts"), "surveys": [], "cases": [], "events": []}
    frame = measure(lake, [m.id for m in chosen])
    chosen = [m for m in chosen if m.id in set(frame["metric"])]
    assert {"service_level_20s_offered", "speed_of_answer", "abandonment_rate"} <= {m.id for m in chosen}
    assert_equal_to_loops(frame, tables, chosen, "Asia/Jerusalem", [], "month")


def records(lake: sv.Lake, table: str) -> list[Row]:
    """Return a table's rows as dicts with None for what is not filled, times whole."""
    frame = lake.sql(f'select * from "{table}"')
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def test_a_roster_and_contacts_of_different_systems_meet_in_occupancy(lake):
    shift = pd.Timestamp("2026-03-02T01:00Z")
    starts = shift + pd.to_timedelta(range(0, 120, 10), unit="min")
    roster = pd.DataFrame({"roster_id": [f"r{i}" for i in range(12)], "agent": "A", "kind": "work", "status": "worked"})
    roster["start_at"], roster["end_at"] = starts, starts + pd.Timedelta("10min")
    offered = shift + pd.to_timedelta(range(12), unit="min")
    calls = pd.DataFrame({"contact_id": [f"k{i}" for i in range(12)], "offered_at": offered, "agent": "A"})
    calls["answered_at"], calls["talk_s"], calls["handled_by"] = offered, 300, "human"
    store.write(lake, {"roster": roster}, source="planning")
    lake = store.write(lake, {"contacts": calls}, source="telephony")
    found = measure(lake, ["occupancy", "contacts_per_hour"], every="day")
    assert found["numerator"].tolist() == [3600, 12 * 3600] and found["denominator"].tolist() == [7200, 7200]
