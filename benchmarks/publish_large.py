"""Publishing from a lake of 1,000,000 cases: time and memory of a quarterly report, two workers, status, the library.

The lake is the made-up organisation many times over: every copy has its own customers, cases, contacts and staff, some
minutes later than the one before, in the same teams. Two workers publish eight weekly reports of the organisation as
it is. The library is the quarterly report's edition many times over, under other periods and numbers.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import time
from datetime import date
from pathlib import Path

from benchmarks import publish
from benchmarks.timing import CACHE, Result, Run, run_child

COPIES = 16
FOLDER = CACHE / "publish_large"
REPORT, PERIOD = "quarterly", "2026Q3"
MOST_S, MOST_GB = 60.0, 3.0
EIGHT, EIGHT_ON = ("2026-W36", "2026-W43"), date(2026, 11, 3)
AT_LEAST_FASTER = 1.4
EDITIONS, STATUS_S, INDEX_S = 200, 2.0, 2.0
_MULTIPLIED = (
    "agents", "customers", "cases", "contacts", "events", "surveys", "messages", "audits", "roster", "training",
    "outcomes",
)  # fmt: skip
_OWN = {"agent", "by"}  # name somebody or something of the same copy, as all columns that end in _id do
_APART = "interval 7 minute"


def run(rounds: int = 3) -> list[Result]:
    """Measure and return all of it."""
    lake = FOLDER / "lake"
    if not (lake / "snapshot.json").exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        making = FOLDER / "making" / "lake"
        run_child(["-m", "benchmarks.publish_large", "make", str(making)])
        making.rename(lake)  # a lake that was never finished has no name
    reports = FOLDER / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    report = _command(["report", REPORT, PERIOD, "--language", "zh", "--out", str(reports)])
    one, two = (_eight(workers) for workers in (1, 2))
    few = [_command(["status"]).seconds for _ in range(rounds)]
    _fill(reports, EDITIONS)
    indexed = _index_s(reports)
    first, *many = (_command(["status"]) for _ in range(rounds + 1))
    detail = f"{one.seconds:.1f} s alone ({one.processor:.0f} s of processor), {two.seconds:.1f} s with two"
    processor = f"{report.processor:.1f} s of processor, machine's load {os.getloadavg()[0]:.1f}"
    status = f"with one edition {statistics.median(few):.2f} s, the first time with {EDITIONS} {first.seconds:.2f} s"
    usual = statistics.median(each.seconds for each in many)
    return [
        Result(f"{REPORT} report on a lake of 1,000,000 cases", report.seconds, MOST_S, "s", processor),
        Result(f"{REPORT} report on it: largest process", report.peak_gb, MOST_GB, "GB"),
        Result("eight reports: two workers / one", two.seconds / one.seconds, 1 / AT_LEAST_FASTER, "ratio", detail),
        Result(f"status of it, {EDITIONS} editions", usual, STATUS_S, "s", status),
        Result(f"index of {EDITIONS} editions", indexed, INDEX_S, "s"),
    ]


def _command(arguments: list[str]) -> Run:
    given = ["--lake", str(FOLDER / "lake"), *arguments]
    where = f"import os; os.chdir({str(FOLDER)!r}); "  # the reports that status looks at stand beside the lake
    return run_child(["-c", f"{where}from svcanalytics.cli import main; import sys; sys.argv[1:] = {given}; main()"])


def _eight(workers: int) -> Run:
    lake, out = publish.made_up_lake(), FOLDER / f"eight_{workers}"
    shutil.rmtree(out, ignore_errors=True)
    done = run_child(["-m", "benchmarks.publish_large", "eight", str(lake), str(out), str(workers)])
    shutil.rmtree(out)
    return done


def _publish_eight(lake: Path, out: str, workers: str) -> None:
    import svcanalytics as sv
    from svcanalytics.report.scheduling.agenda import list_due, publish_due
    from svcanalytics.report.scheduling.timetable import Timetable

    opened, timetable = sv.open(lake), Timetable(reports=("weekly",), languages=("zh",))
    due = list_due(opened, out, timetable, EIGHT_ON, since=EIGHT[0], until=EIGHT[1])
    ends = list(publish_due(due, opened, out, timetable, workers=int(workers)))
    assert len(ends) == 8 and all(end.edition for end in ends), [end.error for end in ends]


def _fill(reports: Path, number: int) -> None:
    made = reports / REPORT / PERIOD / "all-zh" / "1"
    told = json.loads((made / "manifest.json").read_text("utf-8"))
    for each in range(number - 1):
        year, edition = 1900 + each // 4, each % 4 + 1
        period = f"{year}Q1"
        folder = reports / REPORT / period / "all-zh" / str(edition)
        folder.mkdir(parents=True)
        for file in made.iterdir():
            os.link(file, folder / file.name)
        other = {**told, "period": period, "period_start": f"{year}-01-01", "edition": edition}
        (folder / "manifest.json").unlink()
        (folder / "manifest.json").write_text(json.dumps(other, ensure_ascii=False), "utf-8")


def _index_s(reports: Path) -> float:
    from svcanalytics.report.publication import index

    began = time.perf_counter()
    index.rebuild(reports, "zh")
    return time.perf_counter() - began


def _make_lake(path: Path) -> None:
    import svcanalytics as sv
    from svcanalytics import sample
    from svcanalytics.store.commit import commit, finished, locked
    from svcanalytics.store.contract import contract
    from svcanalytics.store.engine import connect, identifier

    lake, con = sv.open(path, timezone="Asia/Shanghai", made_up=True), connect()
    con.execute("set memory_limit = '6GB'")
    frames = sample.organisation(months=30, seed=7, end=date(2026, 10, 31))
    with locked(lake):
        for name, frame in frames.items():
            con.register("given", frame)
            copied = []
            for each in frame.columns:
                column = identifier(each)
                if each.endswith("_id") or each in _OWN:
                    column = f"{column} || '-' || copy"
                elif contract()[name].columns[each].sql_type.startswith("TIMESTAMP"):
                    column = f"{column} + copy * {_APART}"
                copied.append(f"{column} as {identifier(each)}")
            copies = COPIES if name in _MULTIPLIED else 1
            con.execute(
                f"create or replace view copied as select {', '.join(copied)} from given, range({copies}) r(copy)"
            )
            sql = finished(lake, contract()[name], "copied", list(frame.columns), source="made", load_id="made")
            con.execute(f"create or replace view rows as {sql}")
            commit(lake, con, {name: "rows"}, load_id="made")


if __name__ == "__main__":
    {"make": _make_lake, "eight": _publish_eight}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
