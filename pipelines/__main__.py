"""Start the schedule with its web page: ``python -m pipelines``; ``--check`` starts it, sees that it answers, stops."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Annotated

import typer

from pipelines.installation import find_installation
from pipelines.serving import serve, start_server, stop_server
from svcanalytics.cli.console import complain, console, context
from svcanalytics.errors import ConfigError, SvcError
from svcanalytics.store.settings import home

_WAIT_S = 120.0


def schedule(
    check: Annotated[bool, typer.Option("--check", help="Start, see that it answers, stop.")] = False,
    port: Annotated[int, typer.Option(help="Port of the web page.")] = 3000,
) -> None:
    """Load dropped files, publish what is due each morning, show runs on a web page of this machine."""
    folder = home()
    find_installation(folder).open_lake()  # says what is missing before anything starts
    if not check:
        raise typer.Exit(serve(folder, folder / "data" / "schedule", port))
    with tempfile.TemporaryDirectory(prefix="svcanalytics-") as state:
        address = _check(folder, Path(state))
    console().print(context.say(f"✓ The schedule answered at {address}", f"✓ 调度服务已在 {address} 应答"))


def _check(folder: Path, state: Path) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with Path(state, "log").open("wb") as log:
        server = start_server(folder, Path(state), port, log)
        try:
            _answer(server, address)
        finally:
            stop_server(server)
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


if __name__ == "__main__":
    try:
        typer.run(schedule)
    except SvcError as error:
        complain(error)
        sys.exit(2)
