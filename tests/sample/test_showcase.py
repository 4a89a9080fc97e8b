import json
import re

import pytest

import svcanalytics as sv
from svcanalytics import metrics, report, sample, store
from svcanalytics.errors import LakeError
from svcanalytics.sample import showcase


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Three months, loaded like real files."""
    lake = store.open(tmp_path_factory.mktemp("demo") / "lake", timezone="Asia/Shanghai", made_up=True)
    frames = sample.organisation(months=3, broken=True)
    return lake, frames, sample.load(lake, frames)


@pytest.mark.slow
def test_every_row_is_stored_or_quarantined_and_exactly_the_broken_ones_are(loaded):
    lake, frames, results = loaded
    held = lake.refresh().tables().set_index("table")["rows"]
    for table, frame in frames.items():
        result = results[table]
        assert result.read == len(frame)
        assert result.quarantined == sample.BROKEN.get(table, 0), table
        assert held[table] == len(frame) - result.quarantined, table


@pytest.mark.slow
def test_no_identifier_and_no_customer_number_reaches_the_lake(loaded):
    lake = loaded[0].refresh()
    text = "|".join(
        [
            "1380000[0-9]{4}",
            "010-8000[0-9]{4}",
            r"555 01[0-9]{2}",
            "user[0-9]+@",
            "110101[0-9]{11}",
            "62220000",
            "京A[0-9]",
        ]
    )
    for table, column in (
        ("cases", "text"), ("cases", "attributes"), ("messages", "text"), ("surveys", "comment"), ("audits", "note"),
        ("actions", "problem"),
    ):  # fmt: skip
        found = lake.sql(f"select count(*) as n from {table} where regexp_matches({column}, '{text}')")
        assert found["n"][0] == 0, (table, column)
    for table in ("cases", "contacts", "customers", "outcomes"):
        ids = lake.sql(f"select distinct customer_id from {table} where customer_id is not null")["customer_id"]
        assert len(ids) > 100 and not ids.str.fullmatch(r"C\d+").any(), table
    joined = lake.sql("select count(*) as n from contacts join customers using (customer_id)")
    assert joined["n"][0] == lake.sql("select count(customer_id) as n from contacts")["n"][0]


@pytest.mark.slow
def test_every_shipped_metric_and_clock_has_something_to_measure(tmp_path):
    # Fourteen months hold two performances of the yearly duties.
    lake = store.open(tmp_path / "lake", timezone="Asia/Shanghai", made_up=True)
    lake = store.write(lake, sample.organisation(months=14))
    measured = sv.measure(lake, every="month").groupby("metric")["n"].sum()
    assert set(measured.index[measured > 0]) == set(metrics.catalogue(lake).metrics)
    timed = sv.standards(lake, every="month").groupby("metric")["n"].sum()
    assert set(timed.index[timed > 0]) == set(metrics.rulebook(lake).standards)


def test_made_up_rows_never_enter_a_lake_of_real_data(lake):
    with pytest.raises(LakeError, match="made-up"):
        sample.load(lake, {"teams": sample.organisation(months=3)["teams"]})


@pytest.mark.parametrize(
    ("end", "first", "quarter"),
    [("2026-10-31", "2026-08", "2026Q3"), ("2026-12-31", "2026-10", "2026Q4"), ("2027-01-20", "2026-10", "2026Q4")],
)
def test_the_last_three_months_and_the_last_whole_quarter_are_reported(end, first, quarter):
    editions = showcase.editions(end)
    assert editions[0] == ("monthly", first, "zh")
    assert ("quarterly", quarter, "zh") in editions and ("quarterly", quarter, "en") in editions
    assert len([e for e in editions if e[0] == "monthly" and e[2] == "zh"]) == 3


def test_the_demonstration_is_made_once_and_made_anew_when_the_recipe_changes(tmp_path, monkeypatch):
    made, published = [], []
    frames = {"teams": sample.organisation(months=3)["teams"]}
    monkeypatch.setattr(showcase, "organisation", lambda *given, **more: made.append(given) or frames)
    monkeypatch.setattr(report, "publish", lambda *given, **more: published.append(given[:2]), raising=False)
    steps = []
    for seed in (7, 7, 8):
        index = sample.demo(tmp_path / "demo", out=tmp_path / "reports", progress=lambda *s: steps.append(s), seed=seed)
    assert [given[1] for given in made] == [7, 8]
    assert len(published) == 3 * 6 and index == tmp_path / "reports" / "index.html"
    assert all(0 <= done <= total for _, done, total in steps)
    assert json.loads((tmp_path / "demo" / "sample.json").read_text())["seed"] == 8
    assert sv.open(tmp_path / "demo").made_up


def test_a_lake_of_real_data_is_never_replaced(tmp_path):
    real = store.open(tmp_path / "lake")
    with pytest.raises(LakeError, match=re.escape("real data")):
        sample.demo(real.path, out=tmp_path / "reports")
    assert (real.path / "lake.json").exists()
