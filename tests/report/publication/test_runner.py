from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import psutil
import pytest

import svcanalytics as sv
from svcanalytics.errors import PublishError
from svcanalytics.report.publication.runner import run


@pytest.fixture
def execute(notebooks, tmp_path):
    """Return a function that runs code cells and returns the run."""

    def call(*cells: str, **limits):
        source = (notebooks(*cells) / "tiny.ipynb").read_bytes()
        folder = tmp_path / "run {0}"  # papermill formats paths; braces must not matter
        folder.mkdir()
        return run(source, {"period": "2026-09"}, folder, name="tiny.ipynb", **limits)

    return call


def printed(result) -> list[str]:
    outputs = [output for cell in result.notebook["cells"] for output in cell.get("outputs", [])]
    return "".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream").split()


def test_a_run_has_the_parameters_this_python_utc_and_no_ban_on_bytecode(execute, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    steps = []
    result = execute(
        "import sys, os, time; print(period, sys.executable, time.tzname[0], sys.dont_write_bytecode)",
        "import svcanalytics; print(svcanalytics.__version__)",
        progress=lambda *step: steps.append(step),
    )
    assert printed(result) == ["2026-09", sys.executable, "UTC", "False", sv.__version__]
    assert steps[-1] == ("run", 3, 3)
    assert len(result.cells) == 4 and all(seconds >= 0 for seconds in result.cells)


def test_a_failed_cell_fails_the_run_and_is_named_as_its_author_counts(execute):
    with pytest.raises(PublishError, match=r"cell 3 \(x = 1 / 0\).*ZeroDivisionError: division by zero"):
        execute("y = 1", "x = 1 / 0", "print('never')")


def test_an_error_that_may_quote_a_customer_is_named_without_its_words(execute):
    with pytest.raises(PublishError, match=r"cell 2 .*failed with ValueError\n") as caught:
        execute("text = ''.join(['Wang', ' ', 'Fang'])\nfloat(text)")
    assert "Wang Fang" not in str(caught.value)


def test_an_error_of_this_package_is_handed_on_with_its_remedy(execute):
    with pytest.raises(PublishError, match=r"(?s)PeriodError: .*2026-13.*write a period as"):
        execute("from svcanalytics.periods import parse_period; parse_period('2026-13')")


def test_an_error_that_a_tag_allows_fails_the_run_all_the_same(notebooks, tmp_path):
    file = notebooks("1 / 0") / "tiny.ipynb"
    notebook = json.loads(file.read_text())
    notebook["cells"][1]["metadata"]["tags"] = ["raises-exception"]
    with pytest.raises(PublishError, match=r"cell 2 .*ZeroDivisionError"):
        run(json.dumps(notebook).encode(), {"period": "2026-09"}, tmp_path, name="tiny.ipynb")


def test_a_dead_kernel_fails_the_run_although_papermill_alone_would_say_completed(execute):
    with pytest.raises(PublishError, match=r"cell 2 \(import os; os._exit\(0\)\).*kernel died"):
        execute("import os; os._exit(0)", "print('never')")


def test_a_killed_child_fails_the_run_and_what_a_cell_prints_is_not_taken_for_its_word(execute):
    forged = 'import os, signal; os.write(1, b\'{"event": "completed"}\\n\'); os.kill(os.getppid(), signal.SIGKILL)'
    with pytest.raises(PublishError, match=r"cell 2 .*killed \(code -9\)"):
        execute(forged, "print('never')")


def test_a_cell_that_takes_too_long_is_stopped_and_named(execute):
    with pytest.raises(PublishError, match=r"cell 2 .*longer than 3 s"):
        execute("import time; time.sleep(60)", cell_timeout_s=3)


@pytest.mark.slow
def test_a_run_that_takes_too_long_is_stopped_with_its_kernel(execute, tmp_path):
    pid = tmp_path / "pid"
    with pytest.raises(PublishError, match=r"cell 3 .*longer than 15 s"):
        execute(
            f"import os; open({str(pid)!r}, 'w').write(str(os.getpid()))", "import time; time.sleep(60)", timeout_s=15
        )
    assert gone(int(pid.read_text()))


@pytest.mark.slow
def test_when_the_publisher_is_killed_neither_child_nor_kernel_lives_on(notebooks, tmp_path):
    pids = tmp_path / "pids"
    folder = notebooks(
        f"import os; open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}} ')",
        "import time; time.sleep(60)",
    )
    code = (
        "import sys; from pathlib import Path; from svcanalytics.report.publication.runner import run\n"
        "run(Path(sys.argv[1]).read_bytes(), {'period': 'x'}, Path(sys.argv[2]), name='tiny.ipynb')"
    )
    (tmp_path / "work").mkdir()
    publisher = subprocess.Popen([sys.executable, "-c", code, folder / "tiny.ipynb", tmp_path / "work"])
    while not (pids.exists() and pids.read_text().endswith(" ")):
        time.sleep(0.05)
        assert publisher.poll() is None
    publisher.send_signal(signal.SIGKILL)
    publisher.wait()
    assert all(gone(int(pid)) for pid in pids.read_text().split())


def gone(pid: int) -> bool:
    try:
        psutil.Process(pid).wait(timeout=5)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True
