"""What the figures rest on: the tables a report had, rows loaded and quarantined, what every measure means."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from svcanalytics.report.blocks import Blocks, Cell, Column, Heading, Proof, Text, plain, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.readings import kind_of, target_number
from svcanalytics.report.scopes import parse_scope
from svcanalytics.report.words.formats import format_integer, is_missing, typeset
from svcanalytics.report.words.vocabulary import dimension_name
from svcanalytics.store.contract import contract

__all__ = ["data_quality", "definitions"]

MOST_LOADS = 12


def data_quality(evaluation: Evaluation) -> Blocks:
    """Return which tables the report had and missed, what was loaded, quarantined and late, and what is flagged."""
    e, zh = evaluation, evaluation.language == "zh"
    items: list = [Heading("数据质量" if zh else "Data quality", 2, "data_quality")]
    if e.incomplete:
        text = (
            "本期数据不完整，见篇首提示。" if zh else "The data of this period are incomplete; see the note at the top."
        )
        items.append(Text(text, "warning"))
    items.append(Text(_tables_sentence(e)))
    left_out = _left_out_sentence(e)
    items += [Text(left_out)] if left_out else []
    items.append(Text(_flags_sentence(e)))
    columns = [
        Column("table", "数据表" if zh else "Table"),
        Column("rows", "总行数" if zh else "Rows", "integer"),
        Column("period_rows", "本期行数" if zh else "Rows of the period", "integer"),
        Column("late", "其中迟到" if zh else "Of these late", "integer"),
        Column("row", "一行是" if zh else "One row is"),
    ]
    note = (
        "迟到=本期的行在期末5天后才装载（首次装载历史数据时除外）。" if zh
        else "Late: rows of the period that were loaded more than 5 days after its end (a first load of history aside)."
    )  # fmt: skip
    held = e.tables[e.tables["rows"] > 0] if len(e.tables) else e.tables
    records = []
    for row in held.to_dict("records"):
        known = contract()[row["table"]]
        counted = row.get("period_rows"), row.get("late")
        texts = [Cell(None, "–") if is_missing(n) else Cell(int(n), format_integer(n, e.language)) for n in counted]
        records.append(
            {"table": known.zh if zh else known.en, "rows": row["rows"], "period_rows": texts[0], "late": texts[1],
             "row": typeset(known.row[e.language], e.language)}
        )  # fmt: skip
    items.append(
        tabulate("tables", "本报告所用数据表" if zh else "Tables this report had", columns, records, e.language, note)
    )
    items += _loads(e)
    return Blocks(tuple(items))


def definitions(evaluation: Evaluation) -> Blocks:
    """Return what every measure of the report means, where its target stands and how few records are too few."""
    e, zh = evaluation, evaluation.language == "zh"
    columns = [
        Column("name", "指标" if zh else "Measure"),
        Column("definition", "口径" if zh else "Definition"),
        Column("target", "目标" if zh else "Target"),
        Column("min_n", "最小公布量" if zh else "Smallest n", "integer"),
        Column("id", "编号" if zh else "Id"),
    ]
    records = []
    for reading in e.readings:
        metric = e.metrics[reading.id]
        target = (
            "–"
            if metric.target is None
            else target_number(metric.target, kind_of(metric.unit, metric.kind), e.language)
        )
        records.append(
            {
                "name": reading.name,
                "definition": typeset(metric.definition[e.language], e.language),
                "target": Cell(metric.target, target, kind=kind_of(metric.unit, metric.kind)),
                "min_n": metric.min_n,
                "id": metric.id,
            }
        )
    head = Heading("口径说明" if zh else "Definitions", 2, "definitions")
    general = (
        "占比给出Wilson 95%区间，均值的区间由样本量、总和与平方和计算，"
        "分位数为精确值并给出次序统计量区间。变化是否显著按两期差异检验判断，"
        "并按比较次数校正（Benjamini–Hochberg，5%）；同期无数据时写“无同期数据”，不以0代替。"
        if zh
        else "Shares carry Wilson's 95% interval, means one from n, sum and sum of squares; quantiles are exact, their "
        "intervals from order statistics. Changes are tested and corrected for their number (Benjamini–Hochberg, 5%). "
        'Where there is nothing to compare with, the report says "no base", never 0.'
    )
    if not records:
        return Blocks((head, Text(general, "note")))
    how = (
        "任一数字可复算：svcanalytics explain 版本 编号。"
        if zh
        else "Any of these figures can be computed again: svcanalytics explain EDITION ID."
    )
    table = tabulate("definitions", head.text, columns, records, e.language, how)
    return Blocks((head, Text(general, "note"), table, _proof(e)))


def _proof(e: Evaluation) -> Proof:
    """Return the bare figures of the period: every measure, and the index with its families."""
    own = e.history[e.history["period"] == e.period.key] if len(e.history) else e.history
    names = ("value", "low", "high", "n", "numerator", "denominator")
    figures = [
        {"id": row["metric"], **{name: plain(row[name]) for name in names}}
        for row in own.to_dict("records")
        if row["flag"] != "suppressed"
    ]
    if e.index is not None:
        scores = e.index.scores
        for row in scores[scores["period"] == e.period.key].to_dict("records"):
            name = f"index/{row['family']}" if row["family"] else "index"
            figures.append({"id": name, **{key: plain(row[key if key != "value" else "score"]) for key in names[:3]}})
    return Proof(tuple(figures))


def _tables_sentence(e: Evaluation) -> str:
    names = {row["table"]: row["rows"] for row in e.tables.to_dict("records")}
    zh = e.language == "zh"
    label = {name: contract()[name].zh if zh else contract()[name].en for name in names}
    held = [label[name] for name, rows in names.items() if rows]
    missing = [label[name] for name, rows in names.items() if not rows and name not in e.undivided]
    undivided = [label[name] for name in e.undivided]
    unit = dimension_name(parse_scope(e.scope).by, e.language)
    if zh:
        text = f"本报告使用{len(held)}张数据表：{'、'.join(held)}。"
        text += f"以下数据不区分{unit}，未计入：{'、'.join(undivided)}。" if undivided else ""
        return text + (f"未提供：{'、'.join(missing)}；依赖它们的内容不在报告中。" if missing else "数据表齐全。")
    text = f"This report had {len(held)} table{'' if len(held) == 1 else 's'}: {', '.join(held)}."
    text += f" Left out, as they name no {unit.lower()}: {', '.join(undivided)}." if undivided else ""
    if not missing:
        return text + " None is missing."
    return f"{text} Not supplied: {', '.join(missing)}; what rests on these is left out."


def _left_out_sentence(e: Evaluation) -> str:
    total = len(e.metrics)
    shown = len(e.readings)
    if not total or shown == total:
        return ""
    if e.language == "zh":
        return f"指标目录共{total}项，本期有数据的{shown}项，其余{total - shown}项缺少所需的数据表、字段或本期记录。"
    return (
        f"Of the catalogue's {total} measures {shown} have data in this period; "
        f"the other {total - shown} lack the tables, columns or records they need."
    )


def _flags_sentence(e: Evaluation) -> str:
    flags = Counter(reading.flag for reading in e.readings)
    small, partial, open_yet = flags["suppressed"], flags["incomplete"], flags["provisional"]
    if e.language == "zh":
        parts = [f"{small}项样本不足不公布"] if small else []
        parts += [f"{partial}项数据不完整"] if partial else []
        parts += [f"{open_yet}项为暂定值（部分记录尚未办结）"] if open_yet else []
        return f"{'、'.join(parts)}。" if parts else "所有指标数据完整、样本充足。"
    parts = [f"{small} suppressed for too few records"] if small else []
    parts += [f"{partial} on incomplete data"] if partial else []
    parts += [f"{open_yet} provisional (some records are not settled yet)"] if open_yet else []
    return f"Measures: {', '.join(parts)}." if parts else "Every measure rests on complete data and enough records."


def _loads(e: Evaluation) -> list:
    zh = e.language == "zh"
    if e.loads.empty:
        return [Text("没有装载记录。" if zh else "There is no record of loads.", "note")]
    sums = e.loads[["read", "new", "updated", "unchanged", "quarantined"]].fillna(0).sum().astype(int)
    share = sums["quarantined"] / sums["read"] if sums["read"] else 0.0
    if zh:
        text = (
            f"共装载{len(e.loads)}批，读入{sums['read']:,}行：新增{sums['new']:,}、更新{sums['updated']:,}、"
            f"未变{sums['unchanged']:,}、隔离{sums['quarantined']:,}（{share:.2%}）。"
        )
        if sums["quarantined"]:
            text += "隔离的行不符合数据约定，未计入任何指标。"
    else:
        text = (
            f"{len(e.loads)} loads read {sums['read']:,} rows: {sums['new']:,} new, {sums['updated']:,} updated, "
            f"{sums['unchanged']:,} unchanged, {sums['quarantined']:,} quarantined ({share:.2%})."
        )
        if sums["quarantined"]:
            text += " Quarantined rows break the tables' contract and count in no measure."
    shown = e.loads.tail(MOST_LOADS)
    columns = [
        Column("at", "装载时间" if zh else "Loaded", "date"),
        Column("source", "来源" if zh else "Source"),
        *(
            Column(name, title, "integer")
            for name, title in zip(
                ("read", "new", "updated", "unchanged", "quarantined"),
                ("读入", "新增", "更新", "未变", "隔离")
                if zh
                else ("Read", "New", "Updated", "Unchanged", "Quarantined"),
                strict=True,
            )
        ),
    ]
    title = "装载批次" if zh else "Loads"
    note = ""
    if len(shown) < len(e.loads):
        note = f"仅列最近{len(shown)}批。" if zh else f"The last {len(shown)} only."
    return [Text(text), tabulate("loads", title, columns, _load_records(shown), e.language, note)]


def _load_records(loads: pd.DataFrame) -> list[dict]:
    counts = ("read", "new", "updated", "unchanged", "quarantined")
    return [
        {"at": str(row["at"])[:10], "source": row["source"]} | {name: int(row[name] or 0) for name in counts}
        for row in loads.fillna(dict.fromkeys(counts, 0)).to_dict("records")
    ]
