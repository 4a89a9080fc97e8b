import numpy as np
import pandas as pd
import pytest

from svcanalytics import sample
from svcanalytics.errors import ConfigError
from svcanalytics.periods import day_classes
from svcanalytics.store.contract import contract

ZONE = "Asia/Shanghai"


def test_every_table_of_the_contract_is_made_up_in_its_columns(recent):
    assert set(recent) == set(contract().tables)
    for name, frame in recent.items():
        assert list(frame.columns) == list(contract()[name].columns), name
        assert len(frame), name


def test_every_column_is_filled_somewhere(recent):
    empty = {(name, column) for name, frame in recent.items() for column in frame if frame[column].isna().all()}
    assert empty == {("events", "attributes")}


def test_every_milestone_and_every_allowed_value_occurs(recent):
    # A person books a row as worked or planned, a bot answers contacts but takes no step in a case.
    never = {("events", "by", "bot"), ("events", "milestone", "opened")}
    for name, frame in recent.items():
        for column in contract()[name].columns.values():
            for value in column.allowed:
                if (name, column.name, value) not in never:
                    assert (frame[column.name] == value).any(), (name, column.name, value)


def test_rows_keep_the_contract(recent):
    assert violations(recent) == {}


def test_broken_rows_are_the_known_ones_and_no_others():
    frames = sample.organisation(months=3, broken=True)
    assert violations(frames) == dict(sample.BROKEN)
    clean = sample.organisation(months=3)
    for name, frame in frames.items():
        assert len(frame) - len(clean[name]) == sample.BROKEN.get(name, 0)


def test_references_lead_somewhere(recent):
    for name, frame in recent.items():
        for column, target in contract()[name].refs.items():
            table, key = target.split(".")
            assert frame[column].dropna().isin(recent[table][key]).all(), (name, column)


def test_the_same_seed_gives_the_same_frames_and_another_seed_others():
    once, again, other = (sample.organisation(months=3, seed=seed) for seed in (5, 5, 6))
    for name in once:
        pd.testing.assert_frame_equal(once[name], again[name])
    assert not once["contacts"]["offered_at"].equals(other["contacts"]["offered_at"])


def test_planting_a_cause_leaves_other_tables_chance_untouched():
    none = sample.organisation(months=3, planted=())
    one = sample.organisation(months=3, planted=("shifted_clock", "new_hires"))
    pd.testing.assert_frame_equal(none["contacts"], one["contacts"])
    pd.testing.assert_frame_equal(none["events"], one["events"])


def test_the_data_end_with_the_last_full_month():
    opened = sample.organisation(months=3, end="2026-09-14")["cases"]["opened_at"]
    assert opened.min().strftime("%Y-%m-%d") == "2026-06-01" and opened.max().strftime("%Y-%m-%d") == "2026-08-31"
    with pytest.raises(ConfigError, match="unknown cause"):
        sample.organisation(months=3, planted=("nonsense",))


def test_counters_are_closed_on_sundays_and_holidays_and_open_on_make_up_days(recent):
    visits = recent["contacts"][recent["contacts"]["channel"] == "counter"]
    local = visits["offered_at"].dt.tz_localize(None)
    classes = day_classes(local.min().date(), local.max().date() + pd.Timedelta(days=1), "CN").set_index("day")
    day = local.dt.normalize()
    kind = classes["day_class"].reindex(day.astype("datetime64[s]")).to_numpy()
    sunday = local.dt.day_of_week.to_numpy() == 6
    assert not np.isin(kind, ["holiday", "substituted"]).any()
    assert set(kind[sunday]) == {"make_up"}
    hour = local.dt.hour + local.dt.minute / 60
    assert hour.between(9, 17).all()


def test_only_the_night_desk_answers_at_night(recent):
    contacts = recent["contacts"]
    inbound = contacts[contacts["direction"] == "inbound"]
    hour = inbound["offered_at"].dt.hour
    assert set(inbound["queue"][(hour < 8) | (hour >= 21)]) == {"night"}


def test_nobody_talks_to_two_callers_at_once(recent):
    calls = recent["contacts"]
    calls = calls[(calls["channel"] == "phone") & (calls["direction"] == "inbound") & calls["agent"].notna()]
    calls = calls.sort_values(["agent", "human_at"])
    same = calls["agent"].eq(calls["agent"].shift())
    assert (calls["human_at"] >= calls["ended_at"].shift())[same].all()


def test_figures_are_plausible(recent):
    contacts, cases, surveys = recent["contacts"], recent["cases"], recent["surveys"]
    calls = contacts[(contacts["queue"] == "hotline") & (contacts["handled_by"] != "bot")]
    wait = (calls["human_at"] - calls["queued_at"]).dt.total_seconds()
    assert 0.6 < (wait <= 20).mean() < 0.95
    assert 0.03 < calls["abandoned"].mean() < 0.15
    rated = surveys["csat"][surveys["csat"].notna() & ~surveys["default_rating"]]
    assert 0.75 < (rated >= 4).mean() < 0.95
    assert 0.02 < cases["reopened_n"].gt(0).mean() < 0.08
    assert 0.3 < cases["resolved_at"].notna().mean() <= 1
    assert cases["closed_at"].isna().sum() > 20, "nothing is left open for the backlog"
    busy = calls.groupby(calls["offered_at"].dt.hour).size()
    assert busy.idxmax() in (9, 10, 11)


def test_load_shows_in_waits(recent):
    contacts = recent["contacts"]
    calls = contacts[(contacts["queue"] == "hotline") & contacts["human_at"].notna()]
    calls = calls.assign(waited=(calls["human_at"] - calls["queued_at"]).dt.total_seconds())
    per_slot = calls.groupby(calls["offered_at"].dt.floor("30min"))
    busy, wait = per_slot.size(), per_slot["waited"].mean()
    assert wait[busy >= busy.quantile(0.9)].mean() > 2 * wait[busy <= busy.quantile(0.5)].mean()


def violations(frames):
    """Count the rows that break the contract, by table: nulls, closed lists, ranges, order, keys."""
    out = {}
    for name, frame in frames.items():
        table = contract()[name]
        bad = frame.duplicated(list(table.key)).to_numpy().copy()
        for column in table.columns.values():
            values = frame[column.name]
            if not column.null:
                bad |= values.isna().to_numpy()
            if column.allowed:
                bad |= (values.notna() & ~values.isin(column.allowed)).to_numpy()
            if column.min is not None:
                bad |= (values < column.min).fillna(False).to_numpy(bool)
            if column.max is not None:
                bad |= (values > column.max).fillna(False).to_numpy(bool)
        for earlier, later in table.order:
            bad |= (frame[earlier] > frame[later]).to_numpy()
        if bad.any():
            out[name] = int(bad.sum())
    return out
