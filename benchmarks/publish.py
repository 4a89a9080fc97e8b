"""Publishing: what it costs over the papermill command alone, and how soon an unchanged report says "up to date".

Both sides run the same notebook with the same parameters in fresh processes: the `papermill` command on the one side,
`svcanalytics report` on the other, which also renders the page and the workbook, hashes and syncs everything.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from pathlib import Path

from benchmarks.timing import CACHE, Result, alternate, run_child

OVERHEAD_S = 0.5
UP_TO_DATE_S = 1.5
REPORT, PERIOD = "monthly", "2026-10"
FOLDER = CACHE / "publish"


def run(rounds: int = 3) -> list[Result]:
    """Measure and return overhead and answer."""
    lake = made_up_lake()
    papermill, ours = alternate(lambda: _papermill(lake), lambda: _publish(lake, anew=True), rounds)
    unchanged = statistics.median(_publish(lake, anew=False) for _ in range(rounds))
    detail = f"papermill {papermill:.2f} s, published {ours:.2f} s, of which papermill's child {_run_s():.2f} s"
    return [
        Result(f"publish {REPORT}: over the papermill command alone", ours - papermill, OVERHEAD_S, "s", detail),
        Result(f"publish {REPORT} again: up to date", unchanged, UP_TO_DATE_S, "s", "the whole command"),
    ]


def made_up_lake() -> Path:
    """Return the lake of the made-up organisation, made once."""
    lake = FOLDER / "lake"
    if not (lake / "snapshot.json").exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        run_child(["-m", "benchmarks.publish", str(lake)])
    return lake


def _papermill(lake: Path) -> float:
    from svcanalytics import resources

    notebook = resources.notebooks_path() / "reports" / f"{REPORT}_evaluation.ipynb"
    given = {"lake": lake, "report": REPORT, "period": PERIOD, "language": "zh", "scope": "all"}
    texts = [part for name, value in given.items() for part in ("-r", name, str(value))]
    numbers = ["-p", "snapshot", "1"]
    command = ["-m", "papermill", str(notebook), str(FOLDER / "alone.ipynb"), "--no-progress-bar", "-k", "python3"]
    return run_child([*command, *texts, *numbers]).seconds


def _publish(lake: Path, *, anew: bool) -> float:
    out = FOLDER / "reports"
    if anew:
        shutil.rmtree(out, ignore_errors=True)
    arguments = ["report", REPORT, PERIOD, "--language", "zh", "--out", str(out)]
    program = (
        f"from svcanalytics.cli import main; import sys; sys.argv[1:] = {['--lake', str(lake), *arguments]}; main()"
    )
    return run_child(["-c", program]).seconds


def _run_s() -> float:
    from svcanalytics.report import editions

    return editions(FOLDER / "reports")[0].manifest["timings"]["run_s"]


def _make_lake(path: Path) -> None:
    from datetime import date

    import svcanalytics as sv
    from svcanalytics import sample

    lake = sv.open(path, timezone="Asia/Shanghai", made_up=True)
    sv.store.write(lake, sample.organisation(months=30, seed=7, end=date(2026, 10, 31)))


if __name__ == "__main__":
    _make_lake(Path(sys.argv[1]))
