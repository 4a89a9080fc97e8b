"""A load, an undo or an erasure may be stopped anywhere: the reader sees the state before or after, never a mixture."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from svcanalytics import store
from svcanalytics.errors import SvcError

SCRIPT = Path(__file__).parent / "crashing.py"
ROOT = SCRIPT.parent.parent.parent


def crash(folder: Path, action: str, how: str, step: int) -> None:
    command = [sys.executable, str(SCRIPT), str(folder), action, how, str(step)]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.sweep
@pytest.mark.parametrize("how", ["kill", "full"])
@pytest.mark.parametrize("action", ["first", "load", "undo", "erase"])
def test_stopped_at_any_write_fsync_or_rename_the_lake_is_old_or_new_and_goes_on(
    tmp_path: Path, action: str, how: str
) -> None:
    crash(tmp_path, action, how, step=1)


def test_killed_at_every_fifteenth_place_a_load_leaves_the_lake_old_or_new(tmp_path: Path) -> None:
    crash(tmp_path, "load", "kill", step=15)


def rows(n: int, first: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "case_id": [f"c{i}" for i in range(first, first + n)],
            "opened_at": pd.date_range("2026-09-01", periods=n, freq="7min").strftime("%Y-%m-%d %H:%M:%S"),
            "text": [f"text {i} of many" for i in range(n)],
        }
    )


@pytest.mark.parametrize("limit", [600, 3000, 20_000])
def test_a_file_that_cannot_grow_fails_the_load_and_leaves_the_lake_as_it_was(
    lake: store.Lake, tmp_path: Path, limit: int
) -> None:
    """The kernel refuses the write inside DuckDB or delta-rs themselves, as on a full disk."""
    store.load(lake, rows(50), "contract:cases")
    before = lake.refresh()
    rows(5000, first=20).to_csv(tmp_path / "next.csv", index=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises((SvcError, OSError)):
            store.load(lake, tmp_path / "next.csv", "contract:cases")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert lake.refresh().snapshot == before.snapshot
    assert len(lake.refresh().sql("from cases")) == 50
    assert store.load(lake, tmp_path / "next.csv", "contract:cases").new == 4970


LOADER = """
import sys
from svcanalytics import store
result = store.load(store.open(sys.argv[1]), sys.argv[2], "contract:cases")
print(result.new, result.unchanged + result.updated)
"""


@pytest.mark.slow
def test_two_loaders_at_once_take_turns_and_no_row_is_doubled(lake: store.Lake, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.csv" for name in "ab"]
    rows(3000).to_csv(files[0], index=False)
    rows(3000, first=1000).to_csv(files[1], index=False)
    command = [sys.executable, "-c", LOADER, str(lake.path)]
    both = [
        subprocess.Popen([*command, str(file)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for file in files
    ]
    said = [child.communicate(timeout=120) for child in both]
    assert all(child.returncode == 0 for child in both), said
    assert sorted(out.split() for out, _ in said) == [["1000", "2000"], ["3000", "0"]]
    counted = lake.refresh().sql("select count(*) as n, count(distinct case_id) as ids from cases").iloc[0]
    assert (counted["n"], counted["ids"]) == (4000, 4000)


def test_a_reader_with_an_open_lake_goes_on_reading_its_snapshot_while_others_load(lake: store.Lake) -> None:
    store.load(lake, rows(50), "contract:cases")
    reader = lake.refresh()
    con = reader.connection()
    changed = rows(80)
    changed["opened_at"] = "2026-01-01 00:00:00"
    store.load(lake, changed, "contract:cases")
    assert con.execute("select count(*), min(month_key) from cases").fetchall() == [(50, 202609)]
    assert len(reader.sql("from cases")) == 50
    assert len(lake.refresh().sql("from cases where month_key = 202601")) == 80
    con.close()


def test_a_truncated_file_loads_what_is_whole_and_quarantines_the_rest(lake: store.Lake, tmp_path: Path) -> None:
    file = tmp_path / "cut.csv"
    whole = 'case_id,opened_at,text\n1,2026-09-01 10:00:00,"fine"\n2,2026-09-01 11:00:00,"also fine"\n'
    file.write_text(whole + '3,2026-09-01 12:00:00,"cut off in the mid')
    result = store.load(lake, file, "contract:cases")
    assert result.read == 3
    assert result.new + result.quarantined == 3
    assert set(lake.refresh().sql("from cases")["case_id"]) >= {"1", "2"}


def test_a_corrupt_snapshot_file_is_named_with_what_to_do(lake: store.Lake) -> None:
    store.load(lake, rows(5), "contract:cases")
    (lake.path / "snapshot.json").write_text("{")
    with pytest.raises(SvcError, match=r"(?s)snapshot.json.*copy the newest intact file of snapshots/"):
        lake.refresh()


WATCHER = """
import os, sys
from svcanalytics import store
from svcanalytics.store import failpoints
import svcanalytics.store.proposal, svcanalytics.store.reading
root, reached, silent, seen = sys.argv[1], [], [], [0]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

def watch(event, arguments):
    if event == "open":
        touched = [arguments[0]] if isinstance(arguments[2], int) and arguments[2] & WRITES else []
    elif event in ("os.rename", "os.remove", "os.truncate", "os.link", "shutil.rmtree", "shutil.move"):
        touched = [arguments[0]]
    else:
        return
    for path in touched:
        path = str(path)
        if path.startswith(root) and not path.endswith(".lock") and "-work" not in path:
            if len(reached) == seen[0]:
                silent.append(f"{event} {path}")
            seen[0] = len(reached)

lake = store.open(root + "/lake")
sys.addaudithook(watch)

with failpoints.hooked(reached.append):
    store.load(lake, sys.argv[2], "contract:cases")
    if sys.argv[3] == "erase":
        store.erase(lake, "K0001")
print("\\n".join(silent))
assert len(reached) > 20, reached
"""


@pytest.mark.parametrize("action", ["load", "erase"])
def test_between_two_writes_of_python_there_is_always_a_place_to_stop(
    lake: store.Lake, tmp_path: Path, action: str
) -> None:
    """An audit hook sees every open for writing, rename and removal, also those nobody thought of."""
    rows(20).assign(customer_id="K0001").to_csv(tmp_path / "a.csv", index=False)
    command = [sys.executable, "-c", WATCHER, str(lake.path.parent), str(tmp_path / "a.csv"), action]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr
