"""Load every real file, print the figures that are promised for it, and publish its reports.

    SVC_REAL_DATA=folder python -m benchmarks real_data OUT

OUT receives one lake per file and the reports. The ratings of the joined example are made up: nothing else is.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np

import svcanalytics as sv
from svcanalytics import metrics
from svcanalytics.metrics.intervals import wilson_interval


def main(arguments: list[str]) -> None:
    """Run every part in turn; each has a lake of its own."""
    if len(arguments) != 1:
        sys.exit(__doc__)
    data, out = Path(os.environ["SVC_REAL_DATA"]), Path(arguments[0])
    shutil.rmtree(out, ignore_errors=True)
    for part in (servicenow, volvo, bank, call_centre, hotline, joined):
        print(f"\n== {part.__doc__}")
        began = time.perf_counter()
        part(data, out)
        print(f"   {time.perf_counter() - began:.0f} s in all")


def servicenow(data: Path, out: Path) -> None:
    """ServiceNow log."""
    lake = _load(out / "servicenow", data / "cases/servicenow_incident_log.zip", "servicenow", "UTC")
    _whole(lake, "sla_met_reported")
    months = sv.measure(lake, ["cases_opened"])
    flagged = months.loc[months["flag"] != "", ["period", "n", "flag"]]
    print("   flagged months:", "; ".join(f"{p} n={n} {flag}" for p, n, flag in flagged.itertuples(index=False)))
    _publish(lake, out, "quarterly", "2016Q2", "zh")
    _publish(lake, out, "monthly", "2016-05", "en")


def volvo(data: Path, out: Path) -> None:
    """BPI Challenge 2013, incidents."""
    lake = _load(out / "bpi2013", data / "cases/bpi2013_incidents.xes.gz", "xes", "Europe/Stockholm")
    for metric in ("resolution_time", "resolution_time_net", "paused_share"):
        _whole(lake, metric)
    _publish(lake, out, "monthly", "2012-04", "en")


def bank(data: Path, out: Path) -> None:
    """Bank contacts, January 1999."""
    lake = _load(out / "bank", data / "contacts/bank_contacts_1999_01.txt", "telephony_log", "Asia/Jerusalem")
    for metric in ("service_level_20s_offered", "speed_of_answer", "abandonment_rate"):
        _whole(lake, metric)
    _publish(lake, out, "monthly", "1999-01", "en")
    _publish(lake, out, "monthly", "1999-01", "zh")


def call_centre(data: Path, out: Path) -> None:
    """Call-centre sheet, first quarter of 2021."""
    lake = _load(out / "call_centre", data / "contacts/call_centre_2021_q1.xlsx", "call_centre_sheet", "UTC")
    for metric in ("answer_rate", "contact_resolution", "csat"):
        _whole(lake, metric)
    _publish(lake, out, "quarterly", "2021Q1", "en")


def hotline(data: Path, out: Path) -> None:
    """Chinese hotline."""
    lake = _load(out / "hotline", data / "cases/hotline_zh_messages.xlsx", "hotline_messages", "Asia/Shanghai")
    days = lake.sql("select median(epoch(first_response_at) - epoch(opened_at)) / 86400 as d, count(*) as n from cases")
    print(f"   median days to first reply {days['d'].item():.1f} over {days['n'].item():,} cases")
    _whole(lake, "form_letter_rate")
    _publish(lake, out, "monthly", "2019-11", "zh")


def joined(data: Path, out: Path) -> None:
    """Contacts of the bank with surveys from a filled-in workbook (ratings made up)."""
    import openpyxl

    lake = _load(out / "joined", data / "contacts/bank_contacts_1999_01.txt", "telephony_log", "Asia/Jerusalem")
    query = "select contact_id, ended_at from contacts where human_at is not null order by contact_id limit 4000"
    calls = lake.sql(query).iloc[::10]
    file = sv.store.write_template("surveys", out / "joined" / "surveys.xlsx", "zh")
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[0]
    heads = {cell.value: cell.column for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)}
    first = next(cell.row for row in sheet.iter_rows() for cell in row if cell.value == "评价编号") + 1
    filled = ("评价编号", "接触编号", "评价时间", "满意度", "满分")
    for number, (contact, ended) in enumerate(calls.itertuples(index=False)):
        at = ended.tz_convert(lake.timezone).tz_localize(None).to_pydatetime()
        for head, value in zip(filled, (f"S{number}", contact, at, 1 + (number * 7) % 5, 5), strict=True):
            sheet.cell(first + number, heads[head], value)
    book.save(file)
    print("  ", str(sv.load(lake, file)).replace("\n", "\n   "))
    lake = lake.refresh()
    ratings = sv.measure(lake, ["csat"], by=["category"], every="year").dropna(subset="value")
    for row in ratings.itertuples():
        print(f"   csat, category {row.category}: {row.value:.1%} ({row.low:.1%} to {row.high:.1%}), n {row.n}")
    _publish(lake, out, "monthly", "1999-01", "zh", name="joined")


def _load(folder: Path, file: Path, source: str, timezone: str) -> sv.Lake:
    lake = sv.open(folder / "data" / "lake", timezone=timezone)
    began = time.perf_counter()
    result = sv.load(lake, file, source=source)
    print("  ", str(result).replace("\n", "\n   "), f"\n   loaded in {time.perf_counter() - began:.1f} s")
    return lake.refresh()


def _whole(lake: sv.Lake, metric: str) -> None:
    """Print a metric over all the file's rows; its atoms add up exactly over the years."""
    years = sv.measure(lake, [metric], every="year")
    top, base = int(years["numerator"].sum()), int(years["denominator"].sum())
    unit = years["unit"].iloc[0]
    if metrics.catalogue(lake)[metric].kind == "rate":
        low, high = (float(bound[0]) for bound in wilson_interval(np.array([top]), np.array([base])))
        print(f"   {metric}: {top / base:.2%} ({low:.2%} to {high:.2%}), {top:,} of {base:,}")
    else:
        print(f"   {metric}: {top / base:,.3f} {unit}, {top:,} / {base:,}")


def _publish(lake: sv.Lake, out: Path, report: str, period: str, language: str, name: str = "") -> None:
    folder = out / "reports" / (name or lake.path.parent.parent.name)
    began = time.perf_counter()
    edition = sv.publish(report, period, lake, out=folder, language=language)
    seconds = time.perf_counter() - began
    warnings = "; ".join(edition.manifest["warnings"]) or "no warning"
    print(f"   {report} {period} {language}: {edition.path} in {seconds:.1f} s; {warnings}")
