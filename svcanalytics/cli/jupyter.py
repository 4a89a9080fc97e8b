"""Start JupyterLab, or a notebook as a page of its own, on this machine only."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from svcanalytics import resources
from svcanalytics.errors import ConfigError

__all__ = ["check_lab", "check_page", "start_lab", "start_page"]

_WAIT_S = 60.0


def start_lab(port: int, folder: Path | None = None) -> int:
    """Run JupyterLab in a folder (default: the notebooks) until it is stopped; return its exit status."""
    return subprocess.call([*_command(port), f"--ServerApp.root_dir={folder or _folder()}"])


def check_lab(folder: Path | None = None) -> str:
    """Start JupyterLab on a free port, ask for its status and version, stop it, and return the address it had.

    Raises
    ------
    ConfigError
        When it does not answer within a minute.
    """
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as runtime, Path(runtime, "log").open("w+") as log:
        environment = {**os.environ, "JUPYTER_RUNTIME_DIR": runtime, "JUPYTER_TOKEN": token}
        command = [*_command(0), "--no-browser", f"--ServerApp.root_dir={folder or _folder()}"]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            return _answer(server, Path(runtime), token)
        finally:
            _stop(server)


def start_page(notebook: Path, port: int) -> int:
    """Serve a notebook as a page, without its code, until it is stopped; return the exit status."""
    return subprocess.call(_page(notebook, port), env=_page_environment())


def check_page(notebook: Path) -> str:
    """Serve a notebook as a page on a free port, wait until it has been run and drawn, stop, and return the address.

    Raises
    ------
    ConfigError
        When it does not answer in time.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [*_page(notebook, port), "--no-browser"], env=_page_environment(), stdout=log, stderr=log
        )
        try:
            _wait_for_page(server, address)
        finally:
            _stop(server)
    return address


def _page(notebook: Path, port: int) -> list[str]:
    policy = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob: ws:"
    headers = {"headers": {"Content-Security-Policy": policy}}
    return [
        *(sys.executable, "-m", "voila", str(notebook), "--template=offline", f"--port={port}"),
        *("--Voila.ip=127.0.0.1", f"--Voila.tornado_settings={headers!r}", "--show_tracebacks=True"),
    ]


def _page_environment() -> dict[str, str]:
    paths = [str(resources.path("jupyter")), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    # The kernel is this very Python, wherever Voilà would look first.
    return {**os.environ, "JUPYTER_PATH": os.pathsep.join(paths), "JUPYTER_PREFER_ENV_PATH": "1"}


def _wait_for_page(server: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + 2 * _WAIT_S
    while time.monotonic() < until and server.poll() is None:
        try:
            # The page comes once the notebook has run.
            with urllib.request.urlopen(address, timeout=2 * _WAIT_S) as reply:
                if b"widget" in reply.read():
                    return
        except OSError:
            time.sleep(0.3)
    raise ConfigError(
        "the page did not answer", where=address, fix="run the notebook in JupyterLab and read what it says"
    )


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _answer(server: subprocess.Popen[bytes], runtime: Path, token: str) -> str:
    until = time.monotonic() + _WAIT_S
    while time.monotonic() < until and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                address = json.loads(file.read_text("utf-8"))["url"]
                with urllib.request.urlopen(f"{address}lab?token={token}", timeout=5) as reply:
                    if reply.status == 200:
                        return str(address)
            except (OSError, ValueError, KeyError):
                continue  # The file is still being written, or the server is not listening yet.
        time.sleep(0.2)
    raise ConfigError("JupyterLab did not answer", where=sys.executable, fix="run `jupyter lab` and read what it says")


def _command(port: int) -> list[str]:
    # Containers run as root, which Jupyter refuses unless told; it listens on this machine only and asks for a token.
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", *root]


def _folder() -> Path:
    return resources.notebooks_path()
