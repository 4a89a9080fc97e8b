"""Commands that set up and look after an installation: init, demo, status, doctor, lab."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from svcanalytics.cli.console import console, context, frame, progress, table

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["register"]

_MOST = 20


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (init, demo, status, doctor, lab, what_if):
        app.command()(command)


def init(
    organisation: Annotated[str | None, typer.Option(help="The name that reports carry; asked when left out.")] = None,
    timezone: Annotated[str, typer.Option(help="IANA name; decides local days and months.")] = "Asia/Shanghai",
    country: Annotated[str, typer.Option(help="ISO code: whose public holidays count.")] = "CN",
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    month_start: Annotated[int, typer.Option(help="Day on which an assessment month begins, 1 to 28.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing svcanalytics.toml.")] = False,
) -> None:
    """Write svcanalytics.toml into this folder, with folders for own metrics and source mappings."""
    from svcanalytics.errors import ConfigError
    from svcanalytics.periods.holidays import holiday_year
    from svcanalytics.store.settings import FILE, Settings, write_settings

    if Path(FILE).exists() and not force:
        raise ConfigError("this folder is set up already", where=FILE, fix="edit it, or use --force to replace it")
    if organisation is None:
        organisation = typer.prompt("Name of the organisation / 机构名称")
        language = typer.prompt("Language (zh or en) / 语言", default=language)
        timezone = typer.prompt("Time zone / 时区", default=timezone)
        country = typer.prompt("Country (ISO code) / 国家", default=country)
    chosen = Settings(organisation, timezone, country, language, month_start=month_start)
    holiday_year(country, date.today().year)  # refuses a country that no calendar knows
    written = write_settings(chosen, Path())
    for folder in ("catalogue", "sources"):
        Path("data", folder).mkdir(parents=True, exist_ok=True)
    console().print(
        context.say(
            f"Written: {written}. Next: svcanalytics load FILE", f"已写入 {written}。下一步:svcanalytics load 文件"
        )
    )


def demo(
    folder: Annotated[Path, typer.Argument(help="Where its lake goes.")] = Path("data/demo"),
    out: Annotated[Path, typer.Option(help="Where its reports go.")] = Path("reports"),
) -> None:
    """Make up two and a half years of a service organisation and publish its reports."""
    from svcanalytics import sample

    with progress("demo") as step:
        index = sample.demo(folder, out=out, progress=step)
    console().print(str(index), soft_wrap=True)


def status() -> None:
    """Show the lake's tables, its snapshot, its last loads, and which published editions no longer hold."""
    lake = context.lake()
    console().print(
        context.say(
            f"Lake {lake.path}, time zone {lake.timezone}, snapshot {lake.snapshot.id}",
            f"数据湖 {lake.path},时区 {lake.timezone},快照 {lake.snapshot.id}",
        ),
        soft_wrap=True,
    )
    held = lake.tables()
    frame(held.loc[held["rows"] > 0, ["table", "rows", "one_row_is"]])
    query = (
        'select load_id as load, "at", source, name, read, new, updated, unchanged, quarantined, status from loads '
        'order by "at" desc limit 10'
    )
    loads = lake.sql(query)
    loads["at"] = loads["at"].dt.tz_convert(lake.timezone).dt.strftime("%Y-%m-%d %H:%M")
    frame(loads, title=context.say("Last loads", "最近的装载"))
    _show_restatements(lake)
    _show_damage(thorough=False)


def _show_damage(*, thorough: bool) -> bool:
    from svcanalytics.report.publication.soundness import find_damage

    found = find_damage(context.path(context.settings.reports), thorough=thorough)
    if found:
        title = context.say(
            "Damaged editions: restore them from a copy, or remove their folders and publish again",
            "已损坏的版本：请从备份恢复，或删除其文件夹后重新发布",
        )
        table(context.say("edition|what", "版本|问题").split("|"), [(d.edition, d.what) for d in found], title=title)
    return bool(found)


def _show_restatements(lake: Lake) -> None:
    from svcanalytics.report.publication.restatement import find_restatements

    found = find_restatements(lake, context.path(lake.settings.reports))
    if not found:
        return
    heads = context.say("edition|figure|published|today", "版本|指标|已发布|现值").split("|")
    rows = [(r.edition, r.metric, r.published, r.today) for r in found]
    title = context.say(
        "To be restated: publish these again, the next edition says what changed", "需要更正:请重新发布,新版将说明变动"
    )
    table(heads, rows[:_MOST], title=title)
    if len(rows) > _MOST:
        console().print(context.say(f"… and {len(rows) - _MOST} more", f"…… 另有 {len(rows) - _MOST} 项"))


def doctor() -> None:
    """Examine the lake (contract, references, forgotten tables, lost files, keys) and every published file.

    Status 1 when something is grave.
    """
    from svcanalytics.store.health import examine

    found = examine(context.lake())
    if found:
        heads = context.say("|where|what|to fix", "|位置|问题|处理").split("|")
        table(heads, [("✗" if s.grave else "·", s.where, s.what, s.fix) for s in found])
    else:
        console().print(context.say("[green]✓[/] The lake is well.", "[green]✓[/] 数据湖状况良好。"))
    if _show_damage(thorough=True) or any(symptom.grave for symptom in found):
        raise typer.Exit(1)


def lab(
    check: Annotated[bool, typer.Option("--check", help="Start, see that it answers, stop.")] = False,
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8888,
) -> None:
    """Open JupyterLab in the folder of the notebooks."""
    from svcanalytics.cli.jupyter import check_lab, start_lab

    if not check:
        raise typer.Exit(start_lab(port))
    address = check_lab()
    console().print(context.say(f"✓ JupyterLab answered at {address}", f"✓ JupyterLab 已在 {address} 应答"))


def what_if(
    check: Annotated[bool, typer.Option("--check", help="Start, see that it answers, stop.")] = False,
    port: Annotated[int, typer.Option(help="Port of the page.")] = 8866,
) -> None:
    """Show the what-if sliders as a page of their own: volume, handle time, patience, agents, target."""
    from svcanalytics import resources
    from svcanalytics.cli.jupyter import check_page, start_page

    notebook = resources.notebooks_path() / "explore" / "what_if.ipynb"
    if not check:
        raise typer.Exit(start_page(notebook, port))
    address = check_page(notebook)
    console().print(context.say(f"✓ The page answered at {address}", f"✓ 页面已在 {address} 应答"))
