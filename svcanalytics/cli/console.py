"""What all commands share: where the lake is, the language, tables, progress and how errors look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral, Number, Real
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from svcanalytics.errors import SvcError
    from svcanalytics.store import Lake
    from svcanalytics.store.settings import Settings

__all__ = ["Context", "Progress", "complain", "console", "context", "frame", "install_context", "progress", "table"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, steps begun and steps in all."""


@dataclass
class Context:
    """One run's choices, from the options before the command and from ``svcanalytics.toml``."""

    lake_path: Path | None = None
    verbose: bool = False

    @property
    def settings(self) -> Settings:
        """The installation's configuration."""
        from svcanalytics.store.settings import settings

        return settings()

    def say(self, en: str, zh: str) -> str:
        """Return the text in the installation's language."""
        return zh if self.settings.language == "zh" else en

    def lake(self, *, create: bool = False) -> Lake:
        """Open the lake named by ``--lake`` or by ``svcanalytics.toml``."""
        from svcanalytics.store import open

        return open(self.lake_path or self.path(self.settings.lake), create=create)

    def path(self, configured: str) -> Path:
        """Return a configured path; relative ones start at the folder of ``svcanalytics.toml``."""
        from svcanalytics.store.settings import home

        return home() / configured


context = Context()


def install_context(
    lake: Annotated[
        Path | None, typer.Option("--lake", help="The lake's folder; default: as in svcanalytics.toml, else data/lake.")
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Take the options that stand before the command."""
    if version:
        from svcanalytics import __version__

        typer.echo(__version__)
        raise typer.Exit
    context.lake_path = lake


def console(*, stderr: bool = False) -> Console:
    """Return a Rich console that keeps whole lines when the output is no terminal."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made.width = 200
    return made


def complain(error: SvcError) -> None:
    """Print an error of the package: what was wrong, where, and how to put it right."""
    from rich.text import Text

    out = console(stderr=True)
    out.print(Text.assemble(("✗ ", "bold red"), (error.what, "bold")))
    if error.where:
        out.print(Text.assemble(("  where: ", "red"), error.where))
    if error.fix:
        out.print(Text.assemble(("  to fix: ", "green"), error.fix))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """Print a table; numbers stand right, and text is never read as markup."""
    from rich.table import Table
    from rich.text import Text

    body = [list(row) for row in rows]
    out = Table(title=title or None, title_justify="left", header_style="bold")
    for number, heading in enumerate(headings):
        numeric = body and all(isinstance(row[number], Number) or row[number] is None for row in body)
        out.add_column(Text(heading), justify="right" if numeric else "left", overflow="fold")
    for row in body:
        out.add_row(*(Text(_text(value)) for value in row))
    console().print(out)


def frame(shown: pd.DataFrame, *, title: str = "", limit: int | None = None) -> None:
    """Print a DataFrame as a table, at most `limit` rows, saying how many more there are."""
    import pandas as pd

    part = shown if limit is None else shown.head(limit)
    rows = (
        [None if pd.api.types.is_scalar(v) and pd.isna(v) else v for v in row] for row in part.itertuples(index=False)
    )
    table([str(name) for name in shown.columns], rows, title=title)
    if len(part) < len(shown):
        more = len(shown) - len(part)
        console().print(context.say(f"… and {more} more rows", f"…… 另有 {more} 行"))


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Show a progress bar on the terminal and give the function that moves it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def advance(doing: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None, description=f"{title} · {doing}" if doing else title)

        yield advance


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Real) and not isinstance(value, bool):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if str(value) in ("True", "False"):
        return context.say("yes", "是") if value else context.say("no", "否")
    return str(value)
