"""Complaints in a report: grades, what they are about, what rises, what is new, what comes back, and a typical one."""

from __future__ import annotations

from svcanalytics.report.blocks import Blocks, Cell, Column, Heading, Table, Text, tabulate
from svcanalytics.report.facts.complaints import Complaints
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.sections import narrative
from svcanalytics.report.words.formats import format_integer, format_percent, format_rate, is_missing, no_base
from svcanalytics.report.words.vocabulary import dimension_name, group_name

__all__ = ["complaint_topics"]

MOST_TOPICS = 10
_LEVELS = {1: ("一级（重大）", "Level 1 (serious)"), 2: ("二级（一般）", "Level 2 (ordinary)"),
           3: ("三级（建议）", "Level 3 (suggestion)")}  # fmt: skip
#: Measures of complaints that the section tells of, as far as there are data.
_MEASURES = ("complaint_rate", "complaint_resolution", "repeat_complaint_30d")


def complaint_topics(evaluation: Evaluation) -> Blocks:
    """Return the section on complaints; without complaints in the data it is nothing at all."""
    e, zh = evaluation, evaluation.language == "zh"
    found = e.topics.complaints
    if found is None:
        return Blocks(())
    items: list = [Heading("投诉专题" if zh else "Complaints", 2, "complaints"), Text(_sentence(e, found))]
    told = [reading for reading in map(e.reading, _MEASURES) if reading is not None and not is_missing(reading.value)]
    for reading in told:
        said = narrative.describe(reading, e.language, e.every)
        name = f"{reading.name}{reading.value_text('zh')}：" if zh else f"{reading.name} {reading.value_text('en')}: "
        items.append(Text(name + (said if zh else said[0].lower() + said[1:])))
    if len(found.levels) > 1 or found.levels["level"].notna().any():
        items.append(_levels(e, found))
    if len(found.topics):
        items.append(_topics(e, found))
    if found.typical:
        about = group_name(found.topics["topic"].iloc[0], e.language)
        items.append(Text(f"典型诉求（{about}，已脱敏）" if zh else f"Typical words ({about}; masked)", "note"))
        items.append(Text(f"“{found.typical}”"))
    return Blocks(tuple(items))


def _sentence(e: Evaluation, found: Complaints) -> str:
    zh = e.language == "zh"
    change = format_percent(found.count / found.previous - 1, e.language) if found.previous else ""
    topics = found.topics
    total = int(topics["count"].sum()) if len(topics) else 0
    if zh:
        text = f"本期受理投诉{found.count:,}件" + (f"（环比{change}）" if change else "") + "。"
    else:
        noun = "complaint" if found.count == 1 else "complaints"
        text = f"{found.count:,} {noun} came in" + (f" ({change} on the period before)" if change else "") + "."
    if not total:
        return text
    top = topics.iloc[0]
    share = format_rate(top["count"] / total, e.language)
    names = {
        what: [group_name(topic, e.language) for topic in topics.loc[topics[what], "topic"]]
        for what in ("rising", "new")
    }
    again = int(topics["repeated"].sum())
    listed = {what: narrative.enumerate_names(each, e.language, 3) for what, each in names.items()}
    first = group_name(top["topic"], e.language)
    if zh:
        text += f"最多的是{first}（{share}）；"
        text += f"显著上升：{listed['rising']}；" if names["rising"] else "没有哪一类显著上升；"
        text += f"首次出现：{listed['new']}；" if names["new"] else ""
        return text + f"30天内同一客户就同一问题重复投诉{again}件。"
    text += f" Most are about {first} ({share}); "
    text += f"rising for sure: {listed['rising']}; " if names["rising"] else "none rises for sure; "
    text += f"never seen before: {listed['new']}; " if names["new"] else ""
    return text + f"{again} came back about the same within 30 days."


def _levels(e: Evaluation, found: Complaints) -> Table:
    zh = e.language == "zh"
    columns = [
        Column("level", "投诉等级" if zh else "Level"),
        Column("count", "本期" if zh else "This period", "integer"),
        Column("share", "占比" if zh else "Share", "rate"),
        Column("previous", "上期" if zh else "Last period", "integer"),
        Column("change", "环比" if zh else "Change", "percent"),
    ]
    unknown = ("未定级", "not graded")
    records = []
    for row in found.levels.to_dict("records"):
        name = unknown if is_missing(row["level"]) else _LEVELS.get(int(row["level"]), (str(row["level"]),) * 2)
        records.append(
            {
                "level": name[not zh],
                "share": row["count"] / found.count if found.count else None,
                **_counts(row, e.language),
            }
        )
    return tabulate("complaint_levels", "投诉等级构成" if zh else "Complaints by level", columns, records, e.language)


def _topics(e: Evaluation, found: Complaints) -> Table:
    zh = e.language == "zh"
    total = int(found.topics["count"].sum())
    columns = [
        Column("topic", {"cause": "投诉原因"}.get(found.by, dimension_name(found.by, "zh")) if zh else (
            {"cause": "Cause"}.get(found.by, dimension_name(found.by, "en")))),
        Column("count", "本期" if zh else "This period", "integer"),
        Column("share", "占比" if zh else "Share", "rate"),
        Column("previous", "上期" if zh else "Last period", "integer"),
        Column("change", "环比" if zh else "Change", "percent"),
        Column("repeated", "30天内重复" if zh else "Repeated in 30 days", "integer"),
        Column("remark", "判断" if zh else "Verdict"),
    ]  # fmt: skip
    words = ("首次出现", "显著上升", "无显著上升") if zh else ("new", "rising for sure", "no clear rise")
    records = []
    for row in found.topics.head(MOST_TOPICS).to_dict("records"):
        verdict = words[0] if row["new"] else words[1] if row["rising"] else words[2]
        light = "yellow" if row["rising"] or row["new"] else None
        records.append(
            {
                "topic": group_name(row["topic"], e.language),
                "share": row["count"] / total,
                "repeated": int(row["repeated"]),
                "remark": Cell(verdict, verdict, light),
                **_counts(row, e.language),
            }
        )
    rest = len(found.topics) - len(records)
    title = f"投诉TOP {len(records)}" if zh else f"Top {len(records)} of complaints"
    note = (
        "是否上升按两期件数的精确检验判断，并在全部类别间校正（错误发现率5%）；首次出现指此前90天以上的记录中从未出现。"
        if zh
        else "Rises are tested exactly on the two counts and corrected over all topics (false discovery rate 5%); new "
        "means never seen in at least 90 days of earlier records."
    )
    if rest > 0:
        note += f"另有{rest}类未列。" if zh else f" {rest} more topics are not listed."
    return tabulate("complaint_topics", title, columns, records, e.language, note)


def _counts(row: dict, language: str) -> dict:
    now, before = int(row["count"]), int(row["previous"])
    change = Cell(None, no_base(language, last=True)) if not before else Cell(
        now / before - 1, format_percent(now / before - 1, language))  # fmt: skip
    return {"count": now, "previous": Cell(before, format_integer(before, language)), "change": change}
