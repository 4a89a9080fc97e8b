"""Start the schedule with its web page: ``python -m pipelines``; ``--check`` starts it, sees that it answers, stops."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Annotated

import typer

from pipelines.installation import HOME, find_installation
from svcanalytics.cli.console import complain, console, context
from svcanalytics.errors import ConfigError, SvcError
from svcanalytics.store.settings import home

_WAIT_S = 120.0
_GRACE_S = 10.0


def schedule(
    check: Annotated[bool, typer.Option("--check", help="Start, see that it answers, stop.")] = False,
    port: Annotated[int, typer.Option(help="Port of the web page.")] = 3000,
) -> None:
    """Load dropped files, publish what is due each morning, show runs on a web page of this machine."""
    folder = home()
    find_installation(folder).open_lake()  # says what is missing before anything starts
    if not check:
        raise typer.Exit(_serve(folder, folder / "data" / "schedule", port))
    with tempfile.TemporaryDirectory(prefix="svcanalytics-") as state:
        address = _check(folder, Path(state))
    console().print(context.say(f"✓ The schedule answered at {address}", f"✓ 调度服务已在 {address} 应答"))


def _command(port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "dagster", "dev", "--module-name", "pipelines.location"),
        *("--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"),
    ]


def _environment(folder: Path, state: Path) -> dict[str, str]:
    state.mkdir(parents=True, exist_ok=True)
    if not (state / "dagster.yaml").exists():
        shutil.copyfile(Path(__file__).with_name("dagster.yaml"), state / "dagster.yaml")
    paths = [str(Path(__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        HOME: str(folder),
        "DAGSTER_HOME": str(state),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONWARNINGS": "ignore:Function `dev_command`",
        "PYTHONPATH": os.pathsep.join(paths),
    }


def _serve(folder: Path, state: Path, port: int) -> int:
    """Run the schedule until it ends or somebody ends it; return its status."""
    from filelock import FileLock, Timeout

    environment = _environment(folder, state)
    try:
        with FileLock(state / ".lock", timeout=0):
            _settle_runs(state)
            # A handler, and not only its want, for the children too: started in the background they would ignore both.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, _end)
            server = subprocess.Popen(_command(port), env=environment, cwd=folder, start_new_session=True)
            try:
                return server.wait()
            except KeyboardInterrupt:
                return 0
            finally:
                _stop(server)
    except Timeout:
        raise ConfigError(
            "the schedule of this installation runs already", where=str(state), fix="stop it, or look at its web page"
        ) from None


def _end(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _settle_runs(state: Path) -> None:
    """Mark the runs of a schedule that was cut short as failed: nobody works on them, and they count as under way."""
    from dagster import DagsterInstance, RunsFilter

    from pipelines.triggers import UNDER_WAY

    with DagsterInstance.from_config(str(state)) as instance:
        for run in instance.get_runs(RunsFilter(statuses=UNDER_WAY)):
            instance.report_run_failed(run, "The schedule was stopped during this run.")


def _check(folder: Path, state: Path) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with Path(state, "log").open("wb") as log:
        server = subprocess.Popen(
            _command(port),
            env=_environment(folder, state),
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _answer(server, address)
        finally:
            _stop(server)
    return address


def _answer(server: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + _WAIT_S
    query = urllib.request.Request(
        f"{address}/graphql",
        b'{"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules { name } } } } }"}',
        {"Content-Type": "application/json"},
    )
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(query, timeout=5) as reply:
                if b"quarter_reports" in reply.read():
                    return
        except OSError:
            pass
        time.sleep(0.5)
    raise ConfigError(
        "the schedule did not answer", where=address, fix="run `python -m pipelines` and read what it says"
    )


def _stop(server: subprocess.Popen[bytes]) -> None:
    # Its children (web page, clock, code, runs) are stopped with it; whoever is left after that is killed.
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


if __name__ == "__main__":
    try:
        typer.run(schedule)
    except SvcError as error:
        complain(error)
        sys.exit(2)
