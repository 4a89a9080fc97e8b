"""Arrivals counted in a lake equal plain loops over its rows."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import store
from svcanalytics.demand import Arrivals, count
from svcanalytics.errors import CatalogueError, DemandError

ZONE = "America/New_York"


@pytest.fixture(scope="module")
def contacts() -> pd.DataFrame:
    """Return contacts of nine weeks over a change of clocks, none on Sundays and 25 March, some without a customer."""
    rng = np.random.default_rng(0)
    rows = []
    for day in pd.date_range("2026-02-02", "2026-04-05", tz=ZONE):
        if day.day_of_week == 6 or day.strftime("%m-%d") == "03-25":
            continue
        for second in sorted(rng.integers(8 * 3600, 18 * 3600, rng.poisson(60))):
            at = (day.tz_localize(None) + timedelta(seconds=int(second))).tz_localize(ZONE)
            rows.append(
                {
                    "contact_id": f"c{len(rows):05d}",
                    "offered_at": at.tz_convert("UTC"),
                    "queue": str(rng.choice(["sales", "service"])),
                    "channel": str(rng.choice(["phone", "chat"])),
                    "direction": rng.choice(["inbound", "outbound", None], p=[0.8, 0.1, 0.1]),
                    "customer_id": None if rng.random() < 0.3 else f"k{rng.integers(0, 15)}",
                    "abandoned": bool(rng.random() < 0.25),
                    "attributes": f'{{"skill": "{rng.choice(["en", "zh"])}"}}',
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def counted(tmp_path_factory, contacts) -> sv.Lake:
    lake = sv.open(tmp_path_factory.mktemp("counted") / "lake", timezone=ZONE)
    return store.write(lake, {"contacts": contacts})


def slots(rows: pd.DataFrame, names: list[str], minutes: int = 30) -> Counter:
    found: Counter = Counter()
    for row in rows.to_dict("records"):
        at = row["offered_at"].tz_convert(ZONE)
        start = at - timedelta(minutes=at.minute % minutes, seconds=at.second)
        found[" / ".join(str(row[name]) for name in names), start] += 1
    return found


def as_counter(frame: pd.DataFrame) -> Counter:
    rows = frame[frame["arrivals"] > 0]
    return Counter(dict(zip(zip(rows["queue"], rows["start"], strict=True), rows["arrivals"], strict=True)))


@pytest.mark.parametrize("names", [["queue"], ["queue", "channel"]])
@pytest.mark.parametrize("slot", [15, 30, 60])
def test_counts_per_queue_and_local_slot_equal_a_plain_loop(counted, contacts, names, slot):
    inbound = contacts[contacts["direction"] != "outbound"]
    frame = count(counted, "contacts", names, f"{slot}min")
    assert as_counter(frame) == slots(inbound, names, slot)
    assert str(frame["start"].dt.tz) == ZONE


def test_an_attribute_makes_a_queue_and_none_makes_one(counted, contacts):
    inbound = contacts[contacts["direction"] != "outbound"]
    skills = count(counted, by="skill", slot="day").groupby("queue")["arrivals"].sum()
    assert skills.to_dict() == inbound["attributes"].str[11:13].value_counts().to_dict()
    assert set(count(counted, by=())["queue"]) == {""}


def test_a_filter_chooses_rows_and_outbound_is_counted_when_asked_for(counted, contacts):
    chat = count(counted, by=(), where={"channel": "chat", "queue": ["sales"]})
    kept = (contacts["channel"] == "chat") & (contacts["queue"] == "sales") & (contacts["direction"] != "outbound")
    assert chat["arrivals"].sum() == kept.sum()
    outbound = count(counted, by=(), where={"direction": "outbound"})
    assert outbound["arrivals"].sum() == (contacts["direction"] == "outbound").sum()
    some = count(counted, by=(), start="2026-02-09", end="2026-02-16")
    assert some["start"].min() >= pd.Timestamp("2026-02-09", tz=ZONE)
    assert some["start"].max() < pd.Timestamp("2026-02-16", tz=ZONE)


def test_a_slot_in_which_nothing_came_is_zero_and_a_day_without_any_row_is_left_out(counted):
    frame = count(counted, by="queue")
    days = set(frame["start"].dt.strftime("%m-%d"))
    assert "03-25" not in days and "03-22" not in days and len(days) == 53
    assert (frame["arrivals"] == 0).any()
    assert (frame.groupby(["queue", frame["start"].dt.date]).size().iloc[1:-1] == 20).mean() > 0.97
    arrivals = Arrivals(frame, holidays="US")
    shown = arrivals.hours.set_index(["queue", "day"])["hours"]
    assert shown["sales", "mon"] == "08:00-18:00" and shown["sales", "sun"] == "closed"
    missing = arrivals.report.query("what == 'missing day'")
    assert missing["start"].tolist() == [pd.Timestamp("2026-03-25")] * 2
    assert sum(np.nansum(m.counts) for m in arrivals.matrices.values()) == frame["arrivals"].sum()


@pytest.mark.parametrize("within_s", [600, 7200])
def test_who_gives_up_and_tries_again_counts_once(counted, contacts, within_s):
    inbound = contacts[contacts["direction"] != "outbound"]
    last: dict[str, dict] = {}
    kept = []
    for row in inbound.sort_values(["offered_at", "contact_id"]).to_dict("records"):
        known = isinstance(row["customer_id"], str)
        before = last.get(row["customer_id"]) if known else None
        again = before is not None and before["abandoned"]
        again = again and (row["offered_at"] - before["offered_at"]).total_seconds() <= within_s
        if not again:
            kept.append(row)
        if known:
            last[row["customer_id"]] = row
    frame = count(counted, by="queue", once_within_s=within_s)
    assert as_counter(frame) == slots(pd.DataFrame(kept), ["queue"])
    assert frame.attrs["repeated"] == len(inbound) - len(kept) > 0
    assert frame.attrs["unmatched"] == (inbound["abandoned"] & inbound["customer_id"].isna()).sum()


def test_cases_are_counted_by_when_they_were_opened(lake):
    opened = pd.to_datetime(["2026-03-02 01:10", "2026-03-02 01:40", "2026-03-03 00:05"], utc=True)
    rows = pd.DataFrame({"case_id": ["a", "b", "c"], "opened_at": opened, "team": ["x", None, "x"]})
    lake = store.write(lake, {"cases": rows})
    frame = count(lake, "cases", "team", "60min")
    assert as_counter(frame) == {
        ("x", pd.Timestamp("2026-03-02 09:00", tz="Asia/Shanghai")): 1,
        ("x", pd.Timestamp("2026-03-03 08:00", tz="Asia/Shanghai")): 1,
        ("-", pd.Timestamp("2026-03-02 09:00", tz="Asia/Shanghai")): 1,
    }


def test_what_cannot_be_counted_is_refused(counted, lake):
    with pytest.raises(DemandError, match="can't be counted"):
        count(counted, "surveys")
    with pytest.raises(DemandError, match="no slot"):
        count(counted, slot="week")
    with pytest.raises(DemandError, match="only contacts"):
        count(counted, "cases", once_within_s=60)
    with pytest.raises(DemandError, match="nothing to count"):
        count(lake)
    with pytest.raises(CatalogueError):
        count(counted, by=[3])
