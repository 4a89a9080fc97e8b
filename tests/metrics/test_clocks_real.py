"""Net and gross time on real logs, against plain loops over the log's events."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics.metrics import clock_rows, data_stop, standards

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

OWN = """
[standards.{name}]
name = {{ zh = "五天内解决", en = "Resolved within 5 days" }}
document = "own"
to = "resolved"
limit = "5 days"
{extra}
"""
LIMIT = pd.Timedelta("5 days")


def loaded(folder: Path, file: Path, source: str) -> sv.Lake:
    lake = sv.open(folder / "lake", timezone="UTC")
    sv.load(lake, file, source=source, assume_yes=True)
    own = folder / "catalogue"
    own.mkdir()
    text = OWN.format(name="gross", extra="") + OWN.format(name="net", extra='pauses = "customer"')
    (own / "standards.toml").write_text(text, "utf-8")
    return lake.refresh()


def walk(lake: sv.Lake) -> tuple[dict[str, tuple], dict[str, tuple]]:
    """Return gross and net {case: (stop, seconds run, on time)} of resolved cases by a loop over each case's events."""
    columns = "case_id, opened_at, resolved_at, closed_at, resolution"
    cases = {row[0]: row[1:] for row in rows(lake, f"select {columns} from cases")}
    events = rows(lake, 'select case_id, milestone, "at", waits_for from events order by case_id, "at", seq')
    gross, net, now = {}, {}, pd.Timestamp(data_stop(lake))
    for case_id, group in groupby(events, key=lambda event: event[0]):
        opened, resolved_at, closed_at, resolution = cases[case_id]
        steps = list(group)
        resolved = [at for _, name, at, _ in steps if name == "resolved" and at >= opened]
        reopened = [at for _, name, at, _ in steps if name == "reopened" and at >= opened]
        stop = None
        if resolved:
            stop = resolved[-1] if not reopened or resolved[-1] >= reopened[-1] else None
        elif resolved_at is not None:
            stop = resolved_at
        elif resolution in (None, "yes"):
            stop = closed_at
        if stop is None or stop < opened:
            continue
        waited, due = pd.Timedelta(0), opened + LIMIT
        marks = [(at, whom) for _, _, at, whom in steps if whom is not None]
        for (begin, whom), (end, _) in zip(marks, [*marks[1:], (now, None)], strict=False):
            begin, end = max(begin, opened), max(end, opened)
            if whom == "customer":
                due += end - begin if begin < due else pd.Timedelta(0)
                waited += max(min(end, stop) - begin, pd.Timedelta(0))
        gross[case_id] = (stop, int((stop - opened).total_seconds()), stop <= opened + LIMIT)
        net[case_id] = (stop, int((stop - opened - waited).total_seconds()), stop <= due)
    return gross, net


def rows(lake: sv.Lake, query: str) -> list[tuple]:
    frame = lake.sql(query)
    return list(frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None))


def settled(lake: sv.Lake, name: str) -> dict[str, tuple]:
    clocks = clock_rows(lake, name)
    clocks = clocks[clocks["stop"].notna()]
    return {row.id: (row.stop, row.elapsed_s, row.state == "on_time") for row in clocks.itertuples()}


@pytest.mark.parametrize(
    ("file", "source", "cases"),
    [("bpi2013_incidents.xes.gz", "xes", 7554), ("servicenow_incident_log.zip", "servicenow", 24_918)],
)
def test_net_and_gross_clocks_of_a_real_log_agree_with_a_loop_over_its_events(real_data, tmp_path, file, source, cases):
    lake = loaded(tmp_path, real_data / "cases" / file, source)
    assert lake.sql("select count(*) as n from cases")["n"][0] == cases
    gross, net = walk(lake)
    assert settled(lake, "gross") == gross
    assert settled(lake, "net") == net
    assert sum(on_time for *_, on_time in net.values()) > sum(on_time for *_, on_time in gross.values())
    total = standards(lake, ["gross", "net"], every="year").groupby("metric")[["on_time", "late", "running"]].sum()
    assert (total.sum(axis=1) <= cases).all()
