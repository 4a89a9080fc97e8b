"""The child process that runs a notebook: ``python -m svcanalytics.report.publication.execution JOB EVENTS_FD``.

It tells its parent every step as a line of JSON, and its own verdict at the end. It stops, and its kernel with it, when
its parent is gone: the parent holds the other end of its standard input.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

__all__ = ["KERNEL", "main"]

KERNEL = "svcanalytics"


def main(job_file: str, events_fd: int) -> int:
    """Run the job in the working folder; return 0 when every cell ran to its end."""
    # JupyterLab brings a package that builds a grammar of addresses at import, 0.8 s; jsonschema can do without it.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    threading.Thread(target=_die_with_parent, daemon=True).start()
    job = json.loads(Path(job_file).read_text("utf-8"))
    with os.fdopen(events_fd, "w", encoding="utf-8") as events:
        try:
            _execute(job, events)
        except BaseException as error:
            _tell(events, event="failed", error=_error_name(error), message=_message(error))
            return 1
        _tell(events, event="completed")
    return 0


def _execute(job: dict[str, Any], events: TextIO) -> None:
    import papermill

    def tell_start(cell: Any, cell_index: int) -> None:
        _tell(events, event="cell", index=cell_index, line=cell.source.strip().splitlines()[0][:80])

    papermill.execute_notebook(
        "input.ipynb",
        "output.ipynb",
        parameters=job["parameters"],
        kernel_name=KERNEL,
        language="python",
        request_save_on_cell_execute=False,  # saving after each cell costs 4 s on a notebook of 12 MB
        progress_bar=False,
        start_timeout=job["start_timeout_s"],
        execution_timeout=job["cell_timeout_s"],
        raise_on_iopub_timeout=True,  # otherwise lost output passes for success
        iopub_timeout=30,
        shutdown_kernel="immediate",  # a kernel that drew charts takes 3 s to stop politely
        on_cell_execute=tell_start,
    )


def _tell(events: TextIO, **event: Any) -> None:
    events.write(json.dumps(event, ensure_ascii=True) + "\n")
    events.flush()


def _error_name(error: BaseException) -> str:
    # papermill wraps what a cell raised; the reader wants the cell's own error.
    return str(getattr(error, "ename", "") or type(error).__name__)


def _message(error: BaseException) -> str:
    return str(getattr(error, "evalue", "") or error)[:2000]


def _die_with_parent() -> None:
    while os.read(0, 1024):  # not sys.stdin: a lock held at the interpreter's end aborts it
        pass
    import psutil

    for process in psutil.Process().children(recursive=True):
        process.kill()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
