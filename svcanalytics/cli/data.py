"""Commands that bring data in and take them back: load, undo, erase, template, quarantine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from svcanalytics.cli.console import console, context, frame, progress, table

if TYPE_CHECKING:
    from svcanalytics.store import Lake, LoadResult

__all__ = ["register"]

quarantine = typer.Typer(
    name="quarantine",
    help="Rows that broke the contract: list them, or let them in after the mapping is mended.",
    invoke_without_command=True,
)


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (load, undo, erase, template):
        app.command()(command)
    app.add_typer(quarantine)


def load(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file, a folder, or a database URL with --query.")],
    source: Annotated[str | None, typer.Option(help="Name of the source mapping; none: the columns tell.")] = None,
    query: Annotated[str | None, typer.Option(help="SQL to run when FILE is a database URL (SQLAlchemy).")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the proposed mapping without asking.")] = False,
) -> None:
    """Load an export into the lake: all of it at once, or nothing. Loading it again changes nothing."""
    from svcanalytics import store
    from svcanalytics.errors import LoadError, MappingError

    if query is None and "://" in file:
        raise LoadError("a database needs a query", fix='add --query "select * from …"')
    source_object = file if query is None else store.Query(file, query)
    lake = context.lake(create=True)
    try:
        result = _load(lake, source_object, source)
    except MappingError:
        agreed = _agree(lake, source_object, yes) if source is None else None
        if agreed is None:
            raise
        result = _load(lake, source_object, agreed)
    console().print(result)


def _load(lake: Lake, source_object: Any, source: str | None) -> LoadResult:
    from svcanalytics import store

    with progress(context.say("load", "装载")) as step:
        return store.load(lake, source_object, source, progress=lambda doing: step(doing, 0, 0))


def _agree(lake: Lake, source_object: Any, yes: bool) -> str | None:
    """Propose a mapping, show the first rows as understood, ask, and keep it; None when nothing can be proposed."""
    from svcanalytics.errors import MappingError
    from svcanalytics.store.proposal import examine

    proposal = examine(source_object, lake.source_paths, lake.timezone).proposal
    if proposal is None:
        return None
    say, out = context.say, console()
    target = proposal.mapping.primary
    out.print(say(f"No mapping knows this file. Proposed: table {target}", f"没有已知的映射。建议写入表 {target}"))
    rows = [(column, proposal.sources.get(column, "")) for column in proposal.rows.columns]
    table(say("becomes|from column", "目标列|来源列").split("|"), rows)
    if proposal.attributes:
        out.print(say("Kept as attributes: ", "保留为其他属性:") + ", ".join(proposal.attributes), markup=False)
    for note in proposal.notes:
        out.print(f"· {note}", markup=False)
    frame(proposal.rows, title=say("First rows as understood (masked)", "按此理解的前几行(已脱敏)"))
    if proposal.bad:
        out.print(say(f"{proposal.bad} rows would go to quarantine", f"{proposal.bad} 行将进入隔离区"))
    if not yes and not typer.confirm(say("Load it like this?", "按此装载?")):
        raise MappingError(
            "nothing was loaded",
            fix=f"write a mapping, or agree and then correct what is kept in {lake.path.parent / 'sources'}",
        )
    # Kept with the lake, so that the next export of this source is known and quarantined rows can be released.
    kept = proposal.save(lake.path.parent / "sources")
    out.print(say(f"Mapping kept: {kept}", f"映射已保存:{kept}"), soft_wrap=True)
    return proposal.mapping.name


def undo(load_id: Annotated[str, typer.Argument(metavar="LOAD", help="The load's id, as status shows it.")]) -> None:
    """Take back a load: the lake is as if it had never been."""
    from svcanalytics import store

    console().print(str(store.undo(context.lake(), load_id)))


def erase(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id as the source has it.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase a customer for good: from the lake, its history and the originals."""
    from svcanalytics import store

    lake = context.lake()
    if not yes:
        typer.confirm(context.say("This can't be undone. Erase?", "此操作不可撤销,确定删除?"), abort=True)
    with progress(context.say("erase", "删除")):
        erased = store.erase(lake, customer)
    console().print(str(erased))


def template(
    name: Annotated[str, typer.Argument(metavar="TABLE", help="Such as surveys, audits, roster, training, actions.")],
    out: Annotated[Path | None, typer.Argument(metavar="FILE", help="The workbook; default: TABLE.xlsx here.")] = None,
    language: Annotated[str | None, typer.Option(help="zh or en; default: as in svcanalytics.toml.")] = None,
) -> None:
    """Write a fill-in workbook for a table; filled in, `load` takes it as it is."""
    from svcanalytics import store

    written = store.write_template(name, out or Path(f"{name}.xlsx"), language or context.settings.language)
    console().print(context.say(f"Written: {written}", f"已写入 {written}"), soft_wrap=True)


@quarantine.callback()
def list_rows(
    call: typer.Context,
    load_id: Annotated[str | None, typer.Option("--load", help="Only the rows of this load.")] = None,
    limit: Annotated[int, typer.Option(help="Rows to show.")] = 50,
) -> None:
    """List the rows in quarantine with line, column and reason, counted by reason first."""
    if call.invoked_subcommand is not None:
        return
    from svcanalytics import store

    held = store.quarantined(context.lake(), load_id)
    if held.empty:
        console().print(context.say("Nothing is in quarantine.", "隔离区为空。"))
        return
    reasons = held.groupby(["load_id", "table", "column", "reason"], dropna=False).size().reset_index(name="rows")
    frame(reasons, title=context.say("By reason", "按原因"))
    shown = held[["load_id", "table", "file", "line", "column", "reason", "text"]]
    frame(shown, title=context.say("Rows", "明细"), limit=limit)


@quarantine.command("release")
def release_rows(
    load_id: Annotated[str, typer.Argument(metavar="LOAD", help="The load whose rows to let in.")],
) -> None:
    """Read a load's original again under the mapping as it is now, and let in what fits."""
    from svcanalytics import store

    with progress(context.say("release", "放行")) as step:
        result = store.release(context.lake(), load_id, progress=lambda doing: step(doing, 0, 0))
    console().print(result)
