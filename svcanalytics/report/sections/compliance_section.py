"""Compliance in sentences and tables; what is for the public names no unit, person or case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcanalytics.report.blocks import Blocks, Cell, Column, Document, Heading, Table, Text, tabulate
from svcanalytics.report.facts.compliance import STATES, Compliance, Standing
from svcanalytics.report.sections.examiners_section import scene_table, scene_verdict
from svcanalytics.report.sections.head_section import write_head
from svcanalytics.report.sections.late_tables import late_cases, late_teams
from svcanalytics.report.words.formats import format_duration, format_integer, format_rate, is_missing, light_rule
from svcanalytics.report.words.labels import MARKS
from svcanalytics.report.words.vocabulary import group_name

if TYPE_CHECKING:
    import pandas as pd

    from svcanalytics.report.facts.evaluation import Evaluation

__all__ = [
    "compliance_breaches",
    "compliance_duties",
    "compliance_notes",
    "compliance_opening",
    "compliance_outside",
    "compliance_protection",
    "compliance_standards",
    "compliance_verdict",
]

#: A share on time that is far from all.
FAR_BELOW = 0.9
_SAID = {
    "missed": ("未达标", "Missed", "red"),
    "unsure": ("临界", "Too close to call", "yellow"),
    "met": ("达标", "Met", "green"),
    "few": ("样本不足", "Too few to judge", "grey"),
    "nothing_due": ("不适用：本期无到期事项", "Not applicable: nothing fell due", None),
    "no_data": ("不适用：数据中没有所需记录", "Not applicable: not recorded", None),
}
_DOCUMENTS = {
    "features": ("服务特色强化规则", "Service features"),
    "rectification": ("服务标准整改", "Rectification of standards"),
    "monitoring": ("质量监测措施", "Quality monitoring"),
    "centre": ("客服中心运行规范", "Operation of the centre"),
    "system": ("服务管理体系", "Service management system"),
    "source": ("来源系统自带", "The source system's own"),
    "own": ("本单位标准", "Own standard"),
}
_DUTIES = {
    "behaviour_data_refreshed": ("数据更新", "Data refreshed"),
    "procedure_revised": ("流程修订", "Procedures revised"),
    "drill_held": ("应急演练", "Drills"),
    "emergency_plan_revised": ("预案修订", "Emergency plans revised"),
    "managers_trained": ("管理人员培训", "Managers trained"),
}


def compliance_opening(compliance: Compliance) -> Document:
    """Return the head of the public version."""
    return write_head(compliance.occasion)


def compliance_verdict(compliance: Compliance) -> Blocks:
    """Return how many standards were met, missed and not applicable, and what else was found."""
    c, zh = compliance, compliance.occasion.language == "zh"
    head = Heading("合规结论" if zh else "Verdict", 2, "compliance")
    agreed = [s for s in c.standings if s.clock and not is_missing(s.clock.reading.target)]
    every = [s for s in c.standings if s.state in ("met", "missed") and s not in agreed]
    late = [s for s in every if s.state == "missed"]
    far = [s for s in late if s.clock and s.clock.reading.value < FAR_BELOW]
    outside, counts = (
        c.count("nothing_due", "no_data"),
        {state: sum(s.state == state for s in agreed) for state in STATES},
    )
    limit = format_rate(FAR_BELOW, c.occasion.language, digits=0)
    if zh:
        text = f"现行标准{len(c.standings)}项，可评价{c.count('met', 'missed', 'unsure')}项。"
        if agreed:
            text += f"约定了达标比例的{len(agreed)}项：达标{counts['met']}项，未达标{counts['missed']}项"
            text += f"，临界{counts['unsure']}项。" if counts["unsure"] else "。"
        if every:
            text += f"要求全部按时的{len(every)}项：全部按时{len(every) - len(late)}项，有超时{len(late)}项"
            text += f"（其中{len(far)}项按时率不足{limit}）。" if far else "。"
        text += f"样本不足{c.count('few')}项。" if c.count("few") else ""
        text += f"不适用{outside}项。" if outside else ""
    else:
        text = f"{len(c.standings)} standards are in force; {c.count('met', 'missed', 'unsure')} could be judged."
        if agreed:
            text += f" Of {len(agreed)} with an agreed share {counts['met']} met it and {counts['missed']} missed it"
            text += f"; {counts['unsure']} are too close to call." if counts["unsure"] else "."
        if every:
            text += (
                f" Of {len(every)} that ask for every one to be on time {len(every) - len(late)} were kept throughout "
            )
            text += f"and {len(late)} were late at least once"
            text += f" ({len(far)} of them below {limit} on time)." if far else "."
        text += f" {c.count('few')} had too few to judge." if c.count("few") else ""
        text += f" {outside} don't apply." if outside else ""
    return Blocks((head, Text(text, "lead"), *(Text(each) for each in _findings(c))))


def compliance_standards(compliance: Compliance) -> Blocks:
    """Return every standard with what is said of it."""
    c, language = compliance, compliance.occasion.language
    zh = language == "zh"
    head = Heading("各项标准" if zh else "Every standard", 2, "every_standard")
    columns = [
        Column("document", "来源" if zh else "Written in"),
        Column("name", "标准" if zh else "Standard"),
        Column("state", "结论" if zh else "Verdict"),
        Column("due", "应办" if zh else "Due", "integer"),
        Column("late", "超时" if zh else "Late", "integer"),
        Column("share", "达标率" if zh else "On time", "rate"),
        Column("band", "95%区间" if zh else "95% interval"),
        Column("target", "要求" if zh else "Required"),
    ]
    order = {document: place for place, document in enumerate(_DOCUMENTS)}
    rows = sorted(c.standings, key=lambda s: (order.get(s.document, 99), STATES.index(s.state), _kept(s)))
    note = (
        "要求为“全部”的标准没有约定比例，应全部按时；约定了比例的，95%区间整体达到为达标，整体未达到为未达标，跨越为临界。"
        "应办不足最小公布量的不评价。"
        if zh
        else "Where no share is agreed, all have to be on time. Where one is: met when the whole 95% interval "
        "reaches it, missed when none of it does, else too close to call."
    )
    title = "标准执行结论" if zh else "Standards and verdicts"
    table = tabulate("compliance", title, columns, [_record(row, language) for row in rows], language, note)
    return Blocks((head, table))


def compliance_breaches(compliance: Compliance, evaluation: Evaluation) -> Blocks:
    """Return the breaches and their remedies: how late, how many have a line in the ledger, teams and cases behind."""
    c, language = compliance, compliance.occasion.language
    zh = language == "zh"
    head = Heading("违约情况与整改" if zh else "Breaches and remedies", 2, "breaches")
    if c.breaches.empty:
        return Blocks((head, Text("本期没有未达标的标准。" if zh else "No standard was missed.")))
    late, listed, done = (int(c.breaches[name].sum()) for name in ("late", "in_ledger", "done"))
    if zh:
        text = f"未达标标准共超时{late:,}件次，其中{listed:,}件次已列入整改台账（{done:,}件次整改完成）。"
        text += f"尚有{late - listed:,}件次未逐项立项，按标准合并整改的不在此计。" if late > listed else ""
    else:
        text = f"Under the standards missed {late:,} were late; {listed:,} have a line in the rectification ledger "
        text += f"({done:,} done)."
        text += (
            f" The other {late - listed:,} have none of their own; lines about a whole standard are not counted here."
            if late > listed
            else ""
        )
    columns = [
        Column("name", "标准" if zh else "Standard"),
        Column("late", "超时" if zh else "Late", "integer"),
        Column("open", "仍未完成" if zh else "Still open", "integer"),
        Column("overrun", "平均超时" if zh else "Late by (mean)", "duration"),
        Column("worst", "最长超时" if zh else "Late by (worst)", "duration"),
        Column("in_ledger", "已立项" if zh else "In the ledger", "integer"),
        Column("done", "已整改" if zh else "Put right", "integer"),
    ]
    names = {standing.id: standing.name for standing in c.standings}
    records = [
        row
        | {"name": names[row["standard"]]}
        | {
            key: Cell(float(row[f"{key}_s"]), format_duration(row[f"{key}_s"], language))
            for key in ("overrun", "worst")
        }
        for row in c.breaches.to_dict("records")
    ]
    title = "未达标标准的超时与整改" if zh else "Standards missed: how late, and what was done"
    table = tabulate("breaches", title, columns, records, language)
    more = [found for found in (late_teams(evaluation), late_cases(evaluation)) if found]
    return Blocks((head, Text(text), table, *more))


def compliance_protection(compliance: Compliance) -> Blocks:
    """Return data protection, privacy, security and contracts: what checks found, and how the data are kept."""
    c, language = compliance, compliance.occasion.language
    zh = language == "zh"
    title = "数据保护、隐私、安全与合同" if zh else "Data protection, privacy, security, contracts"
    head = Heading(title, 2, "protection")
    days = f"{c.originals_days}天" if zh else f"{c.originals_days} days"
    kept = (
        ("长期保存，仅限授权人员读取" if zh else "for good, readable to their owner alone")
        if not c.originals_days
        else (f"{days}后删除" if zh else f"for {days}")
    )
    stored = (
        f"数据处理：客户编号以带密钥的摘要保存，文本在装载时脱敏；原始文件{kept}；客户可要求彻底删除其数据。"
        if zh
        else "How data are kept: customers' ids as keyed hashes, texts masked as they are loaded; originals are kept "
        f"{kept}; a customer can have everything erased."
    )
    if c.checks.empty:
        none = (
            "本期没有合规检查记录（检查种类为合规）。"
            if zh
            else "No compliance check is on record for this period (audits of kind compliance)."
        )
        return Blocks((head, Text(none, "note"), Text(stored, "note")))
    columns = [
        Column("item", "检查项" if zh else "What was checked"),
        Column("n", "检查次数" if zh else "Checks", "integer"),
        Column("passed", "合格" if zh else "Passed", "integer"),
        Column("share", "合格率" if zh else "Share", "rate"),
        Column("band", "95%区间" if zh else "95% interval"),
        Column("put_right", "问题已整改" if zh else "Put right", "integer"),
        Column("light", "灯" if zh else "Light", "light"),
    ]
    records = [
        row | {"item": group_name(row["item"], language), "band": _band(row["low"], row["high"], language)}
        for row in c.checks.to_dict("records")
    ]
    found = int((c.checks["n"] - c.checks["passed"]).sum())
    put_right = int(c.checks["put_right"].sum())
    worst = c.checks.iloc[0]
    n, item = int(c.checks["n"].sum()), group_name(worst["item"], language)
    text = (
        f"共检查{n:,}项次，发现问题{found:,}项次，已整改{put_right:,}项次；合格率最低的是“{item}”"
        f"（{format_rate(worst['share'], language)}）。"
        if zh
        else f"{n:,} checks found {found:,} faults, {put_right:,} of them put right; lowest is {item} "
        f"({format_rate(worst['share'], language)})."
    )
    table_title = "合规检查结果" if zh else "What compliance checks found"
    note = light_rule(language)
    table = tabulate("protection", table_title, columns, records, language, note)
    return Blocks((head, Text(text), table, Text(stored, "note")))


def compliance_duties(compliance: Compliance) -> Blocks:
    """Return the recurring duties: drills, plans, procedures, managers' training, data refreshed."""
    c, language = compliance, compliance.occasion.language
    zh = language == "zh"
    head = Heading("演练、预案与定期工作" if zh else "Drills, plans and recurring duties", 2, "duties")
    if c.duties.empty:
        text = (
            "未提供定期工作记录（演练、预案和流程修订等）。"
            if zh
            else "No record of drills and other duties was supplied."
        )
        return Blocks((head, Text(text, "note")))
    late = c.duties[c.duties["state"] == "overdue"]
    drills = c.duties[c.duties["kind"] == "drill_held"]
    if zh:
        text = f"{len(c.duties)}项定期工作中，{len(late)}项逾期未做。" if len(late) else "各项定期工作均在期限内。"
        text += f"本期共组织演练{int(drills['times'].sum())}次。" if len(drills) else "没有演练记录。"
    else:
        text = f"{len(late)} of {len(c.duties)} duties are overdue." if len(late) else "No duty is overdue."
        text += f" {int(drills['times'].sum())} drills were held." if len(drills) else " There is no record of drills."
    columns = [
        Column("kind", "工作" if zh else "Duty"),
        Column("name", "名称" if zh else "Which"),
        Column("times", "本期次数" if zh else "Times", "integer"),
        Column("last", "最近一次" if zh else "Last", "date"),
        Column("due", "下次期限" if zh else "Next due", "date"),
        Column("state", "状态" if zh else "State"),
    ]
    title = "定期工作" if zh else "Recurring duties"
    if (
        MARKS.get(c.occasion.report) == "public"
    ):  # names of procedures and departments are the organisation's own matter
        return Blocks((head, Text(text), _duties_by_kind(c.duties, title, language)))
    said = {"overdue": ("逾期", "overdue", "red"), "kept": ("未到期", "in time", None)}
    records = []
    for row in c.duties.to_dict("records"):
        chinese, english, light = said[row["state"]]
        kind = _DUTIES.get(row["kind"], (row["kind"],) * 2)[0 if zh else 1]
        state = Cell(row["state"], chinese if zh else english, light)
        records.append(row | {"kind": kind, "name": group_name(row["name"], language), "state": state})
    note = "期限和状态以期末为准。" if zh else "Due dates and states are those at the end of the period."
    return Blocks((head, Text(text), tabulate("duties", title, columns, records, language, note)))


def _duties_by_kind(duties: pd.DataFrame, title: str, language: str) -> Table:
    zh = language == "zh"
    columns = [
        Column("kind", "工作" if zh else "Duty"),
        Column("count", "项数" if zh else "How many", "integer"),
        Column("times", "本期次数" if zh else "Times", "integer"),
        Column("overdue", "逾期" if zh else "Overdue", "integer"),
    ]
    records = [
        {"kind": _DUTIES.get(kind, (kind,) * 2)[0 if zh else 1], "count": len(own), "times": int(own["times"].sum())}
        | {"overdue": int((own["state"] == "overdue").sum())}
        for kind, own in duties.groupby("kind", sort=False)
    ]
    return tabulate("duties", title, columns, records, language)


def compliance_outside(compliance: Compliance) -> Blocks:
    """Return outside scores against our own, by scene."""
    c, language = compliance, compliance.occasion.language
    zh = language == "zh"
    head = Heading("外部评价与内部评价" if zh else "Outside scores and our own", 2, "outside")
    if c.examined is None:
        text = (
            "本期没有第三方或神秘顾客检查，无法对照内部得分。"
            if zh
            else "No third party or mystery shopper audited this half-year: nothing stands beside our own scores."
        )
        return Blocks((head, Text(text, "note")))
    return Blocks((head, Text(scene_verdict(c.examined, language)), scene_table(c.examined, language)))


def compliance_notes(compliance: Compliance) -> Blocks:
    """Return the end of the public version: what it leaves out, and how to reach the organisation."""
    language = compliance.occasion.language
    zh = language == "zh"
    head = Heading("说明与联系方式" if zh else "What is left out, and how to reach us", 2, "notes")
    text = (
        "本报告为公开版，不含团队、人员和具体事项；样本不足的数字不公布。"
        if zh
        else "This is the public version: no team, person or single case is named, and figures that rest on too few "
        "are left out."
    )
    return Blocks((head, Text(text), *(Text(line) for line in compliance.contact.sentences(language))))


def _findings(c: Compliance) -> list[str]:
    zh, language = c.occasion.language == "zh", c.occasion.language
    found = []
    missed = [standing for standing in c.standings if standing.state == "missed"]
    if missed:
        worst = sorted(missed, key=_kept)[:3]
        names = [f"{s.name}{'（' if zh else ' ('}{_share(s, language)}{'）' if zh else ')'}" for s in worst]
        found.append(
            f"达标率最低的是：{'、'.join(names)}。" if zh else f"Furthest from being kept: {'; '.join(names)}."
        )
    if len(c.checks):
        red = c.checks[c.checks["light"] == "red"]
        listed = ("、" if zh else ", ").join(group_name(item, language) for item in red["item"])
        if len(red):
            found.append(
                f"合规检查未达标：{listed}。" if zh else f"Compliance checks missed their target in: {listed}."
            )
        else:
            found.append("合规检查没有未达标的项目。" if zh else "No compliance check missed its target for sure.")
    overdue = int((c.duties["state"] == "overdue").sum()) if len(c.duties) else 0
    if overdue:
        found.append(f"定期工作有{overdue}项逾期。" if zh else f"{overdue} recurring duties are overdue.")
    return found


def _kept(standing: Standing) -> float:
    value = standing.clock.reading.value if standing.clock else None
    return 1.0 if is_missing(value) else float(value)


def _share(standing: Standing, language: str) -> str:
    return standing.clock.reading.value_text(language) if standing.clock else "–"


def _record(standing: Standing, language: str) -> dict:
    zh, clock = language == "zh", standing.clock
    chinese, english, light = _SAID[standing.state]
    if standing.state == "missed" and clock and is_missing(clock.reading.target):
        chinese, english = "有超时", "Late at least once"
    document = _DOCUMENTS.get(standing.document, (standing.document,) * 2)[0 if zh else 1]
    record = {
        "document": document,
        "name": standing.name,
        "state": Cell(standing.state, chinese if zh else english, light),
    }
    nothing = {name: Cell(None, "–") for name in ("due", "late", "share", "band", "target")}
    if clock is None or not clock.due:
        return record | nothing
    reading = clock.reading
    target = ("全部" if zh else "all") if is_missing(reading.target) else reading.target_text(language)
    record |= nothing | {"due": clock.due, "target": Cell(reading.target, target, kind="rate")}
    if clock.late is None or is_missing(reading.value):
        return record
    return record | {
        "late": Cell(clock.late, format_integer(clock.late, language)),
        "share": reading.value,
        "band": _band(reading.low, reading.high, language),
    }


def _band(low: float | None, high: float | None, language: str) -> Cell:
    if is_missing(low) or is_missing(high):
        return Cell(None, "–")
    text = f"{format_rate(low, language)} – {format_rate(high, language)}"
    return Cell(text, text)
