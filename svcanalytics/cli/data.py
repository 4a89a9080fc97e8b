"""Commands that bring data in and take them back: load, undo, erase, template, quarantine."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (load, undo, erase, template):
        app.command()(command)
    app.add_typer(quarantine)


quarantine = typer.Typer(help="Rows that broke the contract: list them, or release them after a fix of the mapping.")


def load(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file or folder.")],
    source: Annotated[str | None, typer.Option(help="Name of the source mapping; none: one is proposed.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the proposed mapping without asking.")] = False,
) -> None:
    """Load an export into the lake: all of it at once, or nothing."""
    raise NotImplementedError


def undo(load_id: Annotated[str, typer.Argument(metavar="LOAD", help="The load's id; see status.")]) -> None:
    """Take back a load: the tables are as if it had never been."""
    raise NotImplementedError


def erase(customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's own id.")]) -> None:
    """Erase a customer from the lake and from the originals."""
    raise NotImplementedError


def template(name: Annotated[str, typer.Argument(metavar="TABLE", help="Such as surveys, audits, roster.")]) -> None:
    """Write a fill-in workbook for a table; it loads back as it is."""
    raise NotImplementedError
