"""Net and gross time on real logs, against plain loops over the log's events."""

from __future__ import annotations

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
    cases = lake.sql("select case_id, opened_at, resolved_at, closed_at, resolution from cases").set_index("case_id")
    events = lake.sql('select case_id, seq, milestone, "at", waits_for from events order by case_id, "at", seq')
    gross, net, now = {}, {}, pd.Timestamp(data_stop(lake))
    for case_id, steps in events.groupby("case_id", sort=False):
        case = cases.loc[case_id]
        after = [step for step in steps.itertuples() if step.at >= case.opened_at]
        resolved = [step.at for step in after if step.milestone == "resolved"]
        reopened = [step.at for step in after if step.milestone == "reopened"]
        stop = None
        if resolved:
            stop = resolved[-1] if not reopened or resolved[-1] >= reopened[-1] else None
        elif pd.notna(case.resolved_at):
            stop = case.resolved_at
        elif pd.notna(case.closed_at) and (pd.isna(case.resolution) or case.resolution == "yes"):
            stop = case.closed_at
        if stop is None or stop < case.opened_at:
            continue
        waited = pd.Timedelta(0)
        due = case.opened_at + LIMIT
        marks = [step for step in steps.itertuples() if isinstance(step.waits_for, str)]
        for this, following in zip(marks, [*marks[1:], None], strict=False):
            if this.waits_for != "customer":
                continue
            begin = max(this.at, case.opened_at)
            end = max(following.at, case.opened_at) if following is not None else None
            if begin < due:
                due += (end if end is not None else now) - begin
            waited += max(min(end if end is not None else stop, stop) - begin, pd.Timedelta(0))
        gross[case_id] = (stop, int((stop - case.opened_at).total_seconds()), stop <= case.opened_at + LIMIT)
        net[case_id] = (stop, int((stop - case.opened_at - waited).total_seconds()), stop <= due)
    return gross, net


def settled(lake: sv.Lake, name: str) -> dict[str, tuple]:
    rows = clock_rows(lake, name)
    rows = rows[rows["stop"].notna()]
    return {row.id: (row.stop, row.elapsed_s, row.state == "on_time") for row in rows.itertuples()}


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
