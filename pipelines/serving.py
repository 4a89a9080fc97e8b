"""The schedule as a process: started with its web page, ended with everything it started, and tidied up after."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from pipelines.installation import HOME
from svcanalytics.errors import ConfigError

__all__ = ["serve", "settle_runs", "start_server", "stop_server"]

_GRACE_S = 10.0
_ENDING = (signal.SIGINT, signal.SIGTERM)


def serve(folder: Path, state: Path, port: int) -> int:
    """Run the schedule until it ends or somebody ends it, and return its status.

    Parameters
    ----------
    folder : Path
        The installation's folder.
    state : Path
        The folder of the schedule's own memory.
    port : int
        Port of the web page.

    Raises
    ------
    ConfigError
        When the schedule of this installation runs already.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise ConfigError(
                "the schedule of this installation runs already",
                where=str(state),
                fix=f"look at its web page, or end process {lock.read().strip()}",
            ) from None
        settle_runs(state)
        # Set here, and not only wanted, for those it starts too: from a shell's background they would ignore both.
        for number in _ENDING:
            signal.signal(number, _end)
        # It holds the lock too: killed alone, this process leaves it behind, and another must not start beside it.
        server = start_server(folder, state, port, held=(lock.fileno(),))
        lock.truncate(0)
        print(server.pid, file=lock, flush=True)
        try:
            return server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            for number in _ENDING:
                signal.signal(number, signal.SIG_IGN)
            stop_server(server)


def settle_runs(state: Path) -> None:
    """Mark the runs that a stopped schedule left behind as failed: nobody works on them, but they pass for running."""
    from dagster import DagsterInstance, RunsFilter

    from pipelines.triggers import UNDER_WAY

    _configure(state)
    with DagsterInstance.from_config(str(state)) as instance:
        for run in instance.get_runs(RunsFilter(statuses=UNDER_WAY)):
            instance.report_run_failed(run, "The schedule was stopped during this run.")


def start_server(
    folder: Path, state: Path, port: int, log: IO[bytes] | None = None, held: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start the web page, the clock and the code.

    Parameters
    ----------
    folder, state, port
        As `serve` takes them.
    log : file, optional
        Where what they say goes; else to the terminal.
    held : sequence of int
        Open files that stay open in the server.
    """
    _configure(state)
    paths = [str(Path(__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        HOME: str(folder),
        "DAGSTER_HOME": str(state),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONWARNINGS": "ignore:Function `dev_command`",
        "PYTHONPATH": os.pathsep.join(paths),
    }
    command = [
        *(sys.executable, "-m", "dagster", "dev", "--module-name", "pipelines.location"),
        *("--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"),
    ]
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT if log else None,
        start_new_session=True,
        pass_fds=held,
    )


def stop_server(server: subprocess.Popen[bytes]) -> None:
    """End the web page, the clock, the code and all runs; who is left after some seconds is killed."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(server.pid).children(recursive=True)
        server.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(_GRACE_S)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _configure(state: Path) -> None:
    state.mkdir(parents=True, exist_ok=True)
    if not (state / "dagster.yaml").exists():
        shutil.copyfile(Path(__file__).with_name("dagster.yaml"), state / "dagster.yaml")


def _end(number: int, frame: object) -> None:
    raise KeyboardInterrupt
