"""The command line. Each command imports what it needs when it runs, so that ``--help`` answers at once."""

from __future__ import annotations

import sys

import typer

from svcanalytics.cli import actions, data, insight, planning, publication, staffing, upkeep
from svcanalytics.cli.console import complain, install_context
from svcanalytics.errors import SvcError

__all__ = ["app", "main"]

app = typer.Typer(
    name="svcanalytics",
    help="Service quality analytics: from raw contact and case records to published evaluation reports.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    callback=install_context,
)
for module in (data, insight, planning, staffing, publication, actions, upkeep):
    module.register(app)


def main() -> None:
    """Run the command line; an error of the package's own is told in three lines and ends with status 2."""
    try:
        app()
    except SvcError as error:
        complain(error)
        sys.exit(2)
