"""Where the work came from, who did it and what is left: volume by channel and type, teams and channels, backlog."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from svcanalytics import charts
from svcanalytics.report.blocks import Blocks, Cell, Column, Figure, Heading, Table, Text, tabulate
from svcanalytics.report.facts.differences import mark_differences
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.readings import Reading, kind_of
from svcanalytics.report.sections import narrative
from svcanalytics.report.words.formats import format_integer, format_percent, format_rate, no_base, typeset, word
from svcanalytics.report.words.vocabulary import dimension_name, group_name

__all__ = ["backlog", "teams", "volumes"]

MOST_GROUPS = 6
MOST_UNITS = 12


def volumes(evaluation: Evaluation) -> Blocks:
    """Return how much came in, by channel and by type, against last period and last year."""
    e, zh = evaluation, evaluation.language == "zh"
    items: list = [Heading("受理量与构成" if zh else "Volume", 2, "volumes")]
    shown = {name: frame for name, frame in e.volumes.items() if not frame.empty}
    if not shown:
        return Blocks((*items, Text("本期没有受理量数据。" if zh else "There are no volumes for this period.", "note")))
    for dimension, frame in shown.items():
        items += _volume(e, dimension, frame)
    return Blocks(tuple(items))


def teams(evaluation: Evaluation) -> Blocks:
    """Return teams and channels with their intervals; small ones are suppressed, noise is not ranked."""
    e, zh = evaluation, evaluation.language == "zh"
    title = "团队与渠道" if zh else "Teams and channels"
    if list(e.units) == ["channel"]:
        title = "渠道" if zh else "Channels"
    items: list = [Heading(title, 2, "teams")]
    for dimension, frame in e.units.items():
        for metric, part in frame.groupby("metric", sort=False):
            items += _units(e, dimension, str(metric), part.reset_index(drop=True))
    if len(items) == 1:
        text = "数据中没有两个以上可比较的团队或渠道。" if zh else "The data hold no two teams or channels to compare."
        items.append(Text(text, "note"))
    return Blocks(tuple(items))


def backlog(evaluation: Evaluation) -> Blocks:
    """Return what was open at the end of the period, by age, and how much of it is past a limit."""
    e, zh = evaluation, evaluation.language == "zh"
    head = Heading("在办积压与时长" if zh else "Backlog and ageing", 2, "backlog")
    if e.backlog.empty:
        text = (
            "数据中没有办结时间，不统计积压。"
            if zh
            else "The data don't tell when cases end, so there is no backlog to count."
        )
        return Blocks((head, Text(text, "note")))
    total = int(e.backlog["count"].sum())
    if total == 0:
        text = "期末没有在办事项。" if zh else "Nothing was open at the end of the period."
        return Blocks((head, Text(text)))
    sentence = _backlog_sentence(e, total)
    frame = e.backlog.assign(
        label=[_age(low, high, e.language) for low, high in zip(e.backlog["from_d"], e.backlog["to_d"], strict=True)]
    )
    columns = [Column("label", "在办时长" if zh else "Age"), Column("count", "件数" if zh else "Open", "integer")]
    columns += [Column("overdue", "其中已超时" if zh else "Past a limit", "integer")] if "overdue" in frame else []
    columns += [Column("share", "占比" if zh else "Share", "rate")]
    data = tabulate("backlog", "期末在办事项" if zh else "Open at the end of the period", columns,
                    frame.assign(share=frame["count"] / total).to_dict("records"), e.language)  # fmt: skip
    old = int(frame.loc[frame["from_d"] >= 7, "count"].sum())
    if zh:
        title = f"期末在办{total:,}件，{f'其中超过7天的{old:,}件' if old else '没有超过7天的'}"
    else:
        title = f"{total:,} open at the end of the period, {f'{old:,}' if old else 'none'} of them for more than 7 days"
    alt = narrative.describe_alternative("期末在办事项按时长分布" if zh else "Open cases by age", sentence, e.language)
    svg = charts.svg(charts.draw_ageing(frame, language=e.language), e.language)
    return Blocks((head, Text(sentence), Figure("backlog_figure", title, alt, svg, data)))


def _volume(e: Evaluation, dimension: str, frame: pd.DataFrame) -> list:
    zh = e.language == "zh"
    name = dimension_name(dimension, e.language)
    named = frame.assign(group=[group_name(group, e.language) for group in frame["group"]])
    named = named.groupby(["period", "group"], as_index=False, sort=False)["count"].sum()
    now = named[named["period"] == e.period.key].set_index("group")["count"].sort_values(ascending=False)
    if now.empty:
        return []
    groups = [group for group in now.index if group not in (word("other", e.language),)][:MOST_GROUPS]
    everything = named.groupby("group")["count"].sum()
    if len(everything) > len(groups):  # the smallest are summed, also those that came only in other periods
        groups = groups[: MOST_GROUPS - 1]
        named = named.assign(
            group=[group if group in groups else word("other", e.language) for group in named["group"]]
        )
        named = named.groupby(["period", "group"], as_index=False, sort=False)["count"].sum()
        groups = [*groups, word("other", e.language)]
    grid = named.pivot_table(index="group", columns="period", values="count", aggfunc="sum", fill_value=0).reindex(
        groups, fill_value=0
    )
    keys = [period.key for period in e.periods()]
    first = next(place for place, key in enumerate(keys) if key in grid.columns)
    keys = keys[first:]
    grid = grid.reindex(columns=keys, fill_value=0)
    table = _volume_table(e, dimension, name, grid)
    total = int(grid[e.period.key].sum())
    top = groups[0] if groups[0] != word("other", e.language) else groups[-1]
    share = format_rate(grid.loc[top, e.period.key] / total if total else None, e.language)
    if zh:
        mix = f"全部为{top}" if len(groups) == 1 else f"{name}以{top}为主（{share}）"
        title, course = f"本期{total:,}件，{mix}", f"本期共{total:,}件，{mix}。"
        what = f"各期受理量按{name}的构成"
    else:
        mix = f"all {top}" if len(groups) == 1 else f"most by {name.lower()}: {top} ({share})"
        title, course = f"{total:,} this period, {mix}", f"{total:,} came in this period, {mix}."
        what = f"Volume by {name.lower()} over {len(keys)} periods"
    long = grid.T.rename_axis("period").reset_index().melt("period", var_name="group", value_name="count")
    long = long.sort_values(
        "period", key=lambda column: column.map({key: place for place, key in enumerate(keys)}), kind="stable"
    )
    pale = [e.period.key] if e.incomplete else []
    svg = charts.svg(charts.draw_volume(long, language=e.language, groups=groups, incomplete=pale), e.language)
    alt = narrative.describe_alternative(what, course, e.language)
    return [Figure(f"volume_{_id(dimension)}_figure", title, alt, svg, table)]


def _volume_table(e: Evaluation, dimension: str, name: str, grid: pd.DataFrame) -> Table:
    zh = e.language == "zh"
    columns = [
        Column("group", name),
        Column("count", "本期" if zh else "This period", "integer"),
        Column("share", "占比" if zh else "Share", "rate"),
        Column("previous", "上期" if zh else "Last period", "integer"),
        Column("change", "环比" if zh else "Change", "percent"),
        Column("last_year", "去年同期" if zh else "Same period last year", "integer"),
        Column("yoy", "同比" if zh else "Change on the year", "percent"),
    ]
    keys = (e.period.key, e.period.previous().key, e.period.same_last_year().key)
    total = grid.sum()
    records = []
    for group, row in [*grid.iterrows(), ("合计" if zh else "All", total)]:
        now, before, year = (int(row[key]) if key in grid.columns else None for key in keys)
        records.append(
            {
                "group": group,
                "count": now,
                "share": now / int(total[keys[0]]) if total[keys[0]] else None,
                "previous": Cell(
                    before, no_base(e.language, last=True) if before is None else format_integer(before, e.language)
                ),
                "change": _relative(now, before, e.language),
                "last_year": Cell(year, no_base(e.language) if year is None else format_integer(year, e.language)),
                "yoy": _relative(now, year, e.language),
            }
        )
    title = f"受理量按{name}" if zh else f"Volume by {name.lower()}"
    return tabulate(f"volume_{_id(dimension)}", title, columns, records, e.language)


def _relative(now: int, base: int | None, language: str) -> Cell:
    if not base:
        return Cell(None, no_base(language))
    return Cell(now / base - 1, format_percent(now / base - 1, language))


def _units(e: Evaluation, dimension: str, metric_id: str, part: pd.DataFrame) -> list:
    zh = e.language == "zh"
    metric, overall = e.metrics[metric_id], e.reading(metric_id)
    part = part[part["n"].fillna(0) > 0]
    if len(part) < 2:
        return []
    kind = kind_of(metric.unit, metric.kind)
    part = part.assign(
        label=[group_name(group, e.language) for group in part[dimension]], differs=mark_differences(part)
    )
    small = int(part["value"].isna().sum())
    differing = int(part["differs"].sum())
    shown = part[part["value"].notna()]
    if differing:
        shown = shown.sort_values("value", ascending=metric.direction == "down", kind="stable")
    else:
        shown = shown.sort_values("n", ascending=False, kind="stable")
    hidden = max(0, len(shown) - MOST_UNITS)
    if hidden:  # those that stand out are never hidden; of the others the largest are shown
        keep = shown.sort_values(["differs", "n"], ascending=False, kind="stable").head(MOST_UNITS).index
        shown = shown.loc[[row for row in shown.index if row in set(keep)]]
    name, unit = typeset(metric.name[e.language], e.language), dimension_name(dimension, e.language)
    rows, records = [], []
    for row in shown.to_dict("records"):
        reading = Reading(metric_id, name, kind, metric.direction, row["value"], row["low"], row["high"], int(row["n"]))
        text = reading.value_text(e.language)
        rows.append(
            {
                "label": row["label"],
                "text": text,
                "differs": row["differs"],
                **{k: row[k] for k in ("value", "low", "high")},
            }
        )
        records.append(_unit_record(reading, row, e.language, overall))
    id = f"units_{_id(dimension)}_{metric_id}"
    table = _unit_table(e, id, name, unit, records, small, hidden)
    title, alt = _unit_title(e, name, unit, shown, overall)
    if len(rows) < 2:
        return [table]
    frame = pd.DataFrame(rows)
    chart = charts.draw_units(
        frame, language=e.language, kind=kind, reference=None if overall is None else overall.value
    )
    return [
        Heading(f"{unit}：{name}" if zh else f"{unit}: {name}", 3),
        Figure(f"{id}_figure", title, alt, charts.svg(chart, e.language), table),
    ]


def _unit_record(reading: Reading, row: Mapping, language: str, overall: Reading | None) -> dict:
    zh = language == "zh"
    verdict = "与其他无显著差异" if zh else "no clear difference"
    if row["differs"]:
        up = overall is not None and overall.value is not None and reading.value > overall.value
        better = up == (reading.direction == "up")
        if reading.direction not in ("up", "down"):
            verdict = ("显著偏高" if up else "显著偏低") if zh else ("higher for sure" if up else "lower for sure")
        else:
            verdict = (
                ("显著较好" if better else "显著较差") if zh else ("better for sure" if better else "worse for sure")
            )
    return {
        "label": row["label"],
        "n": reading.n,
        "value": Cell(reading.value, reading.value_text(language), kind=reading.kind),
        "low": Cell(reading.low, reading.written(reading.low, language), kind=reading.kind),
        "high": Cell(reading.high, reading.written(reading.high, language), kind=reading.kind),
        "verdict": verdict,
    }


def _unit_table(e: Evaluation, id: str, name: str, unit: str, records: list, small: int, hidden: int) -> Table:
    zh = e.language == "zh"
    columns = [
        Column("label", unit),
        Column("n", "样本量" if zh else "n", "integer"),
        Column("value", name),
        Column("low", "区间下限" if zh else "Low (95%)"),
        Column("high", "区间上限" if zh else "High (95%)"),
        Column("verdict", "与其他相比" if zh else "Against the others"),
    ]
    notes = []
    if small:
        notes.append(f"{small}个样本不足，不公布。" if zh else f"{small} with too few records are not published.")
    if hidden:
        notes.append(f"另有{hidden}个未列出。" if zh else f"{hidden} more are not listed.")
    notes.append(
        "是否显著按多重比较校正（Bonferroni，95%）；误差范围内的差异不排名。" if zh
        else "Differences are corrected for the number compared (Bonferroni, 95%); noise is not ranked."
    )  # fmt: skip
    return tabulate(
        id,
        f"{unit}：{name}" if zh else f"{unit}: {name}",
        columns,
        records,
        e.language,
        ("" if zh else " ").join(notes),
    )


def _unit_title(e: Evaluation, name: str, unit: str, shown: pd.DataFrame, overall: Reading | None) -> tuple[str, str]:
    differing = shown[shown["differs"]]
    whole = "" if overall is None else overall.value_text(e.language)
    if e.language == "zh":
        if differing.empty:
            title = f"{name}：各{unit}差异在抽样误差范围内，不排名"
        else:
            title = f"{name}：{narrative.enumerate_names(list(differing['label']), 'zh', 3, '个')}与其他{unit}差异显著"
        return title, narrative.describe_alternative(
            f"{len(shown)}个{unit}的{name}及95%区间", f"总体为{whole}；{title}。", "zh"
        )
    if differing.empty:
        title = f"{name}: differences by {unit.lower()} are within sampling error, so no ranking"
    else:
        differs = "differs" if len(differing) == 1 else "differ"
        title = (
            f"{name}: {narrative.enumerate_names(list(differing['label']), 'en', 3)} {differs} from the rest for sure"
        )
    what = f"{name} of {len(shown)} by {unit.lower()} with 95% intervals"
    return title, narrative.describe_alternative(what, f"Overall {whole}. {title}.", "en")


def _backlog_sentence(e: Evaluation, total: int) -> str:
    before = e.backlog_before
    overdue = int(e.backlog["overdue"].sum()) if "overdue" in e.backlog else None
    if e.language == "zh":
        text = f"期末在办{total:,}件"
        text += "" if before is None else f"，比期初{'增加' if total >= before else '减少'}{abs(total - before):,}件"
        return text + ("" if overdue is None else f"；其中{overdue:,}件已超过系统时限") + "。"
    text = f"{total:,} cases were open at the end of the period"
    text += (
        ""
        if before is None
        else f", {abs(total - before):,} {'more' if total >= before else 'fewer'} than at its start"
    )
    return (
        text
        + (
            ""
            if overdue is None
            else f"; {overdue:,} of them {'was' if overdue == 1 else 'were'} past the source's own limit"
        )
        + "."
    )


def _age(low: float, high: float | None, language: str) -> str:
    if high is None or high != high:
        return f"{low:g}天以上" if language == "zh" else f"over {low:g} days"
    if low == 0:
        return f"{high:g}天内" if language == "zh" else f"up to {high:g} day{'' if high == 1 else 's'}"
    return f"{low:g}–{high:g}天" if language == "zh" else f"{low:g}–{high:g} days"


def _id(text: str) -> str:
    return "".join(character if character.isascii() and character.isalnum() else "_" for character in text)
