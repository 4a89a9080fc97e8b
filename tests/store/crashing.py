"""Stop a load, an undo or an erasure at every place it reaches, in a process of its own, and look at what is left.

Run as a script so that nothing but Python has started when it forks: every attempt is a fork of a process that has all
modules imported and no threads running. Prints one line per attempt that went wrong; exits 0 when none did.

Usage: crashing.py FOLDER ACTION HOW STEP; HOW is kill or full, STEP 1 tries every place, 5 every fifth.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from svcanalytics import store
from svcanalytics.errors import LakeError, SvcError
from svcanalytics.store import erasure, failpoints, landing, loading, undoing  # noqa: F401 - imported before forking

CUSTOMER = "C0001"


def prepare(folder: Path, action: str) -> None:
    """Make a lake with one load in it, or none when the first load is on trial, and the file of the next load."""
    lake = store.open(folder / "lake", timezone="Asia/Shanghai")
    rows = pd.DataFrame(
        {
            "case_id": ["a", "b", "c", "d"],
            "opened_at": ["2026-10-31 17:00:00", "2026-10-01 00:00:00", "2026-09-01 00:00:00", ""],
            "customer_id": [CUSTOMER, "C0002", CUSTOMER, "C0003"],
            "text": ["first", "second, of C0001", "third", "fourth"],
        }
    )
    if action == "first":
        # Every trial makes a key of its own: hashes would differ.
        rows = rows.drop(columns="customer_id")
    else:
        rows.to_csv(folder / "first.csv", index=False)
        store.load(lake, folder / "first.csv", "contract:cases")
    # A case moves to another month, one breaks the contract, one is new.
    rows["opened_at"] = ["2026-08-01 00:00:00", "", "2026-09-01 00:00:00", "2026-10-05 00:00:00"]
    rows.to_csv(folder / "next.csv", index=False)


def act(folder: Path, action: str) -> None:
    lake = store.open(folder / "lake")
    if action in ("first", "load"):
        store.load(lake, folder / "next.csv", "contract:cases")
    elif action == "undo":
        store.undo(lake, lake.sql("select load_id from loads order by before")["load_id"].iloc[0])
    else:
        store.erase(lake, CUSTOMER)


def finish(folder: Path, action: str) -> None:
    """Do it again, as anybody would after a crash."""
    try:
        act(folder, action)
    except LakeError as error:
        if "taken back before" not in str(error):
            raise


def state(folder: Path) -> str:
    """Everything a reader sees, less what differs from run to run."""
    lake = store.open(folder / "lake")
    queries = (
        "select * exclude (load_id) from cases order by case_id",
        "select read, new, updated, quarantined, status from loads order by before",
        'select line, "column", reason, text from quarantine order by sha256, line',
    )
    return "\n".join(lake.sql(query).to_csv() for query in queries)


def litter(folder: Path) -> list[str]:
    """What should not be there when nothing is being written."""
    lake = store.open(folder / "lake")
    named = {
        lake.path / file
        for number in range(1, lake.snapshot.id + 1)
        for table in lake.at(number).snapshot.tables.values()
        for file in table.files
    }
    found = [path for path in lake.path.rglob("*.parquet") if "month_key" in str(path) and path not in named]
    found += [path for path in folder.rglob(".*") if path.name not in (".lock",)]
    found += [path for path in named if not path.exists()]
    return [str(path.relative_to(folder)) for path in found]


def run(task: Callable[[], None]) -> int:
    """Run a task in a fork and return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            task()
            os._exit(0)
        except BaseException:
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def read(task: Callable[[], str]) -> str:
    """Run a task in a fork and return the text it gives."""
    out, into = os.pipe()

    def write() -> None:
        os.close(out)
        with os.fdopen(into, "w") as pipe:
            pipe.write(task())

    code = run(write)
    os.close(into)
    with os.fdopen(out) as pipe:
        text = pipe.read()
    assert code == 0, text
    return text


def places(folder: Path, action: str) -> str:
    reached: list[str] = []
    with failpoints.hooked(reached.append):
        act(folder, action)
    return "\n".join(reached)


def stop_at(number: int, how: str) -> Callable[[str], None]:
    counted = iter(range(1, sys.maxsize))

    def hook(place: str) -> None:
        at = next(counted)
        if at == number and how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        # A full disk stays full: all that follows fails too.
        if at >= number and how == "full" and place.startswith(("write", "fsync", "commit")):
            raise OSError(errno.ENOSPC, "No space left on device")

    return hook


def attempt(folder: Path, action: str, number: int, how: str) -> None:
    try:
        with failpoints.hooked(stop_at(number, how)):
            act(folder, action)
    except (OSError, SvcError):
        if how == "kill":
            raise


def main() -> int:
    folder, action, how, step = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    template, whole = folder / "template", folder / "whole"
    template.mkdir()
    assert run(lambda: prepare(template, action)) == 0
    old = read(lambda: state(template))
    shutil.copytree(template, whole)
    reached = read(lambda: places(whole, action)).splitlines()
    new = read(lambda: state(whole))
    assert old != new
    wrong, trial = 0, folder / "trial"
    for number in range(1, len(reached) + 1, step):
        shutil.rmtree(trial, ignore_errors=True)
        shutil.copytree(template, trial)
        code = run(lambda number=number: attempt(trial, action, number, how))
        problems = [] if code == (-signal.SIGKILL if how == "kill" else 0) else [f"ended with {code}"]
        seen = read(lambda: state(trial))
        if seen not in (old, new):
            problems.append(f"the reader sees a mixture:\n{seen}")
        if run(lambda: finish(trial, action)) != 0:
            problems.append("doing it again failed")
        elif read(lambda: state(trial)) != new:
            problems.append("doing it again gave something else")
        elif left := read(lambda: "\n".join(litter(trial))):
            problems.append(f"left behind: {left}")
        if problems:
            wrong += 1
            print(f"{number} ({reached[number - 1]}): {'; '.join(problems)}")
    print(f"{len(reached)} places, every {step}: {wrong} wrong")
    return 1 if wrong or len(reached) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
