"""Run a report notebook with papermill in a child process, and tell the truth about how it went.

Papermill alone says "completed" of every cell after a kernel died, and leaves half a notebook on the final path when it
is killed. Here the child has a staging folder of its own, and a run counts only when the child said so, ended with 0,
and the notebook it left shows every cell executed without an error.
"""

from __future__ import annotations

import errno
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import svcanalytics
from svcanalytics import errors
from svcanalytics.errors import PassingFaultError, PublishError
from svcanalytics.report.publication.execution import KERNEL

__all__ = ["Run", "run"]

Progress = Callable[[str, int, int], None]

# Only errors whose messages speak of code or come from this package: others may quote what a customer wrote.
_SPEAKING = frozenset(errors.__all__) | {"AttributeError", "ImportError", "ModuleNotFoundError", "NameError"}
_SPEAKING |= {"SyntaxError", "TypeError", "ZeroDivisionError"}
_FULL = (errno.ENOSPC, errno.EDQUOT)
_START_TIMEOUT_S = 120
_GRACE_S = 5


@dataclass(frozen=True)
class Run:
    """A run that succeeded: the executed notebook's JSON, seconds in all and per cell (by place in the source)."""

    notebook: dict[str, Any] = field(repr=False)
    seconds: float
    cells: tuple[float, ...]


def run(
    source: bytes,
    parameters: Mapping[str, Any],
    folder: Path,
    *,
    name: str,
    cell_timeout_s: int = 600,
    timeout_s: int = 3600,
    progress: Progress | None = None,
) -> Run:
    """Execute a notebook in a child process.

    Parameters
    ----------
    source : bytes
        The notebook's file. Its parameters must have been checked.
    parameters : mapping
        Put after its parameters cell.
    folder : Path
        An empty folder of this run's own; `output.ipynb` in it is what papermill left, also after a failed cell.
    name : str
        The notebook's name, for messages.
    cell_timeout_s, timeout_s : int
        Longest time for one cell and for the whole run, in seconds.
    progress : callable, optional
        Called with what is being done, cells begun and cells in all.

    Raises
    ------
    PublishError
        When a cell failed or took too long, the kernel died, or the child was killed; names the cell.
    """
    notebook = json.loads(source)
    cells = len(_code_cells(notebook))
    _prepare(folder, source, parameters, cell_timeout_s)
    begun = time.monotonic()
    verdict, last = _supervise(folder, begun + timeout_s, cells, progress)
    seconds = time.monotonic() - begun
    executed = _read(folder / "output.ipynb")
    if verdict["event"] == "completed":
        verdict = _disprove(executed, cells) or verdict
    if verdict["event"] != "completed":
        where = f"{name}, {_place(notebook, {**last, **verdict})}"
        raise _failure(verdict, where, timeout_s, cell_timeout_s)
    durations = [float(c["metadata"].get("papermill", {}).get("duration") or 0.0) for c in _code_cells(executed)]
    return Run(executed, seconds, tuple(durations))


def _prepare(folder: Path, source: bytes, parameters: Mapping[str, Any], cell_timeout_s: int) -> None:
    (folder / "input.ipynb").write_bytes(source)
    job = {"parameters": parameters, "cell_timeout_s": cell_timeout_s, "start_timeout_s": _START_TIMEOUT_S}
    (folder / "job.json").write_text(json.dumps(job), "utf-8")
    # A kernel of this very Python: one installed elsewhere on the machine would lack the package or have another one.
    kernel = folder / "jupyter" / "kernels" / KERNEL
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False"]
    spec = {"argv": argv, "display_name": KERNEL, "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), "utf-8")


def _environment(folder: Path) -> dict[str, str]:
    settled = {
        "JUPYTER_PATH": str(folder / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),  # nobody's start-up files take part in a report
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONIOENCODING": "utf-8",
        "TZ": "UTC",  # charts lay out local times; a report must not depend on the server's zone
    }
    # A report's matrices are small: threads of linear algebra that wait for one another cost a seventh of its time, and
    # more with several reports at once.
    environment = {"OMP_NUM_THREADS": "1", **os.environ, **settled}
    # Forbidding bytecode makes pandas and statsmodels three times slower to import, in every kernel.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    home = Path(svcanalytics.__file__).parent.parent
    if home.name not in ("site-packages", "dist-packages"):
        environment["PYTHONPATH"] = os.pathsep.join([str(home), *filter(None, [environment.get("PYTHONPATH")])])
    return environment


def _supervise(
    folder: Path, deadline: float, total: int, progress: Progress | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    # The pipe of events is passed by number: what a kernel prints goes to the log and can't be taken for an event.
    reader, writer = os.pipe()
    with (folder / "child.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "svcanalytics.report.publication.execution", "job.json", str(writer)],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(writer,),
            start_new_session=True,
        )
    os.close(writer)
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_collect, args=(reader, lines), daemon=True).start()
    verdict: dict[str, Any] | None = None
    begun, last = 0, {}
    try:
        while True:
            try:
                line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return {"event": "timeout"}, last
            if line is None:
                break
            event = json.loads(line)
            if event["event"] != "cell":
                verdict = event
                continue
            begun, last = begun + 1, {"index": event["index"], "line": event["line"]}
            if progress:
                progress("run", min(begun, total), total)
        code = child.wait(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        return {"event": "timeout"}, last
    finally:
        _stop(child)
    if verdict is None or (verdict["event"] == "completed" and code != 0):
        return {"event": "killed", "code": code}, last
    return verdict, last


def _collect(reader: int, lines: queue.Queue[str | None]) -> None:
    with os.fdopen(reader, encoding="utf-8") as stream:
        for line in stream:
            if line.endswith("\n"):
                lines.put(line)
    lines.put(None)


def _stop(child: subprocess.Popen[bytes]) -> None:
    # Closing its standard input tells the child to take its kernel down with it.
    assert child.stdin is not None
    child.stdin.close()
    try:
        child.wait(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _code_cells(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [c for c in notebook["cells"] if c["cell_type"] == "code" and "".join(c["source"]).strip()]


def _read(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _disprove(executed: Mapping[str, Any], cells: int) -> dict[str, Any] | None:
    """Return why the run did not succeed after all, or None: papermill's word is not enough."""
    if not executed:
        return {"event": "failed", "error": "NoNotebook", "message": "the run left no notebook"}
    ran = _code_cells(executed)
    for index, cell in enumerate(executed["cells"]):
        if cell not in ran:
            continue
        place = {"index": index, "line": "".join(cell["source"]).strip().splitlines()[0][:80]}
        errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
        if errors:
            return {"event": "failed", "error": errors[0]["ename"], "message": errors[0]["evalue"], **place}
        if not isinstance(cell["execution_count"], int):
            return {"event": "failed", "error": "NotRun", "message": "the cell did not run", **place}
    if len(ran) < cells:
        return {"event": "failed", "error": "CellsMissing", "message": f"{len(ran)} of {cells} cells are there"}
    return None


def _place(notebook: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Name a cell as its author sees it: papermill puts one of its own behind the parameters."""
    index = found.get("index")
    if index is None:
        return "before the first cell"
    tagged = [i for i, c in enumerate(notebook["cells"]) if "parameters" in c["metadata"].get("tags", [])]
    if tagged and index > tagged[0]:
        index -= 1
    return f"cell {index + 1} ({found['line']})"


def _failure(verdict: Mapping[str, Any], where: str, timeout_s: int, cell_timeout_s: int) -> PublishError:
    if verdict["event"] == "timeout":
        return PublishError(
            f"the run took longer than {timeout_s} s and was stopped",
            where=where,
            fix="allow more time",
        )
    if verdict["event"] == "killed":
        return PassingFaultError(
            f"the process that ran the notebook was killed (code {verdict['code']})",
            where=where,
            fix="look for a lack of memory, then publish again",
        )
    error, message = verdict["error"], verdict["message"].strip()
    if error == "DeadKernelError":
        return PassingFaultError("the kernel died", where=where, fix="look for a lack of memory, then publish again")
    if error == "OSError" and any(f"[Errno {number}]" in message for number in _FULL):
        return PassingFaultError("the disk is full", where=where, fix="make room, then publish again")
    if error == "CellTimeoutError":
        return PublishError(
            f"the cell took longer than {cell_timeout_s} s and was stopped", where=where, fix="allow more time"
        )
    text = message.splitlines()[0][:300] if message and error in _SPEAKING else ""
    given = [line.removeprefix("To fix: ") for line in message.splitlines() if line.startswith("To fix: ")]
    fix = given[0] if given and error in _SPEAKING else "open the notebook of the failed run"
    return PublishError(f"the cell failed with {error}{': ' if text else ''}{text}", where=where, fix=fix)
