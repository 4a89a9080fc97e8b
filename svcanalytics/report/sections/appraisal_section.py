"""The staff appraisal: attainment of each person, places that noise leaves open, training, and what to train next."""

from __future__ import annotations

import pandas as pd

from svcanalytics import charts
from svcanalytics.metrics import Metric
from svcanalytics.report.blocks import Blocks, Cell, Column, Document, Figure, Heading, Text, tabulate
from svcanalytics.report.facts.appraisal import PEERS, Appraisal
from svcanalytics.report.facts.places import SMALLEST
from svcanalytics.report.facts.readings import kind_of, target_number
from svcanalytics.report.sections.head_section import write_head
from svcanalytics.report.sections.narrative import describe_alternative
from svcanalytics.report.words.formats import format_number, format_value, is_missing, light_rule, typeset
from svcanalytics.report.words.vocabulary import group_name

__all__ = [
    "appraisal_attainment",
    "appraisal_method",
    "appraisal_needs",
    "appraisal_opening",
    "appraisal_places",
    "appraisal_stars",
    "appraisal_training",
    "appraisal_verdict",
]

#: Measures shown in the table of attainment: what fits on a sheet; the others are in the score.
MOST_MEASURES = 6
#: People drawn at most; more would make a picture of several pages.
MOST_DRAWN = 40
_ROLES = {
    "front": ("一线", "front"),
    "expert": ("专家", "expert"),
    "supervisor": ("主管", "supervisor"),
    "manager": ("经理", "manager"),
}
_STANDS = {
    "better": ("显著高于同组", "better for sure"),
    "worse": ("显著低于同组", "below for sure"),
    "no": ("无法区分", "can't be told apart"),
}


def appraisal_opening(appraisal: Appraisal) -> Document:
    """Return the head of the file."""
    return write_head(appraisal.occasion)


def appraisal_verdict(appraisal: Appraisal) -> Blocks:
    """Return what can be said for sure, of whom, and what can't."""
    a, zh = appraisal, appraisal.occasion.language == "zh"
    head = Heading("结论" if zh else "What can be said", 2, "verdict")
    placed = a.overall[a.overall["rank"].notna()] if len(a.overall) else a.overall
    better, worse = (placed[placed["stands_out"] == side] for side in ("better", "worse"))
    rest = len(a.agents) - len(placed)
    teams = placed["team"].nunique() if len(placed) else 0
    same = len(placed) - len(better) - len(worse)
    if placed.empty:
        text = (
            f"{len(a.agents)}人有记录，但没有一个团队有两人以上可以比较，只列达标情况。"
            if zh
            else f"{len(a.agents)} people have records, but no team has two who can be compared: they are held against "
            "the targets alone."
        )
        more = ""
    elif zh:
        text = f"{len(a.agents)}人有记录，其中{len(placed)}人可在{teams}个团队内比较："
        if same == len(placed):
            text += "没有人与同组有显著差异，差异都在误差范围内，不分先后。"
        else:
            text += (
                f"显著高于同组{len(better)}人，显著低于同组{len(worse)}人，其余{same}人的差异在误差范围内，不分先后。"
            )
        more = f"另有{rest}人记录不足{SMALLEST}条或所在团队不足{PEERS}人，不比较，只列达标情况。" if rest else ""
    else:
        text = f"{len(a.agents)} people have records; {len(placed)} of them can be compared within {teams} teams: "
        if same == len(placed):
            text += "nobody differs from the team for sure, so nobody is ranked."
        else:
            text += f"{len(better)} better and {len(worse)} below their team for sure; the other {same} can't be told "
            text += "apart and are not ranked."
        more = (
            f"{rest} more have fewer than {SMALLEST} records or too few colleagues: they are held against the targets "
        )
        more = f"{more}alone." if rest else ""
    use = (
        "本表是评价的依据之一，不是结论：应与自评、同事、上级和客户评价一并使用，并听取本人意见。"
        if zh
        else "This is evidence, not a verdict: read it with what the person, colleagues, superiors and customers "
        "say, and hear the person first."
    )
    return Blocks((head, Text(text, "lead"), *([Text(more)] if more else []), Text(use, "warning")))


def appraisal_attainment(appraisal: Appraisal) -> Blocks:
    """Return each person's measures against their targets, team by team."""
    a, language = appraisal, appraisal.occasion.language
    zh = language == "zh"
    head = Heading("达标情况" if zh else "Against the targets", 2, "attainment")
    shown = a.measures[:MOST_MEASURES]
    columns = [Column("team", "团队" if zh else "Team"), Column("agent", "坐席" if zh else "Agent")]
    columns += [Column(metric.id, _name(metric, language), kind_of(metric.unit, metric.kind)) for metric in shown]
    cells = {(row["unit"], row["of"]): row for row in a.measured.to_dict("records")}
    targets = {metric.id: Cell(metric.target, _target(metric, language)) for metric in shown}
    records = [{"team": "目标" if zh else "Target", "agent": "全员" if zh else "everybody"} | targets]
    records += [
        {"team": group_name(row["team"], language), "agent": _who(row, language)}
        | {metric.id: _attained(cells.get((row["agent"], metric.id)), metric, language) for metric in shown}
        for row in a.agents.to_dict("records")
    ]
    note = (
        "数值已按业务类型等构成调整到本团队平均构成（团队不足3人的未调整）；括号内为样本量；“样本不足”者不评价。"
        if zh
        else "Values are adjusted to the team's mean mix of work (not in teams of fewer than 3); in brackets: "
        "records; too few are not judged. "
    )
    title = "各项指标达标情况" if zh else "Measures against their targets"
    table = tabulate("attainment", title, columns, records, language, note + light_rule(language))
    return Blocks((head, Text(_attainment(a, shown)), table))


def appraisal_places(appraisal: Appraisal) -> Blocks:
    """Return the score with its interval and the places each person can have within the team."""
    a, language = appraisal, appraisal.occasion.language
    zh = language == "zh"
    head = Heading("综合得分与可能名次" if zh else "Score, and the places it leaves open", 2, "places")
    if a.overall.empty:
        text = (
            f"没有{PEERS}人以上的团队，不作比较。" if zh else f"No team has {PEERS} people or more: nobody is compared."
        )
        return Blocks((head, Text(text, "note")))
    columns = [
        Column("team", "团队" if zh else "Team"),
        Column("agent", "坐席" if zh else "Agent"),
        Column("score", "综合得分" if zh else "Score", "number"),
        Column("band", "95%区间" if zh else "95% interval"),
        Column("possible", "可能名次" if zh else "Places it can have"),
        Column("of", "比较人数" if zh else "Of", "integer"),
        Column("verdict", "与同组相比" if zh else "Against the team"),
        Column("n", "样本量" if zh else "n", "integer"),
    ]
    roles = a.agents.set_index("agent").to_dict("index")
    counts = a.overall[a.overall["rank"].notna()].groupby("team").size()
    records = []
    for row in a.overall.to_dict("records"):
        who = {"agent": row["unit"], "role": roles.get(row["unit"], {}).get("role")}
        record = {"team": group_name(row["team"], language), "agent": _who(who, language)}
        record["n"] = None if is_missing(row["n"]) else int(row["n"])
        if is_missing(row["rank"]):
            few = "样本不足" if zh else "too few records"
            records.append(record | {"verdict": Cell(None, few)})
            continue
        first, last = int(row["rank_low"]), int(row["rank_high"])
        possible = f"{first}" if first == last else f"{first}–{last}"
        band = f"{format_number(row['low'], language, digits=1)} – {format_number(row['high'], language, digits=1)}"
        chinese, english = _STANDS[row["stands_out"]]
        light = {"better": "green", "worse": "red"}.get(row["stands_out"])
        records.append(
            record
            | {"score": Cell(row["value"], format_number(row["value"], language, digits=1)), "band": Cell(band, band)}
            | {"possible": Cell(possible, possible), "of": int(counts[row["team"]])}
            | {"verdict": Cell(row["stands_out"], chinese if zh else english, light)}
        )
    note = (
        "得分0–100，80为达到目标，只含个人可以影响的指标。可能名次对团队内所有人同时成立（95%，已按团队数校正）；"
        "可能名次有重叠的人之间不分先后，不得据此排序。"
        if zh
        else "The score runs from 0 to 100, 80 is on target; it holds only what a person can influence. The places "
        "hold for everybody of a team at once (95%, shared by all teams); people whose places overlap are in no order."
    )
    title = "综合得分（团队内比较）" if zh else "Score within the team"
    figure = _figure(a)
    return Blocks((head, tabulate("places", title, columns, records, language, note), *([figure] if figure else [])))


def appraisal_training(appraisal: Appraisal) -> Blocks:
    """Return training and attendance, where there are records."""
    a, language = appraisal, appraisal.occasion.language
    zh = language == "zh"
    head = Heading("培训与出勤" if zh else "Training and attendance", 2, "training")
    if a.training.empty and a.presence.empty:
        text = "未提供培训和排班记录。" if zh else "No records of training or rosters were supplied."
        return Blocks((head, Text(text, "note")))
    frame = a.agents.merge(a.training, on="agent", how="left").merge(a.presence, on="agent", how="left")
    columns = [Column("team", "团队" if zh else "Team"), Column("agent", "坐席" if zh else "Agent")]
    texts = []
    if len(a.training):
        frame["hours"], frame["courses"] = frame["hours"].fillna(0.0), frame["courses"].fillna(0)
        required = float(a.training["required"].iloc[0])
        frame["light"] = ["green" if hours >= required else "red" for hours in frame["hours"]]
        enough = int((frame["light"] == "green").sum())
        need = f"{required:g}"
        texts.append(
            f"培训要求本期{need}小时：{enough}人达到，{len(frame) - enough}人不足。"
            if zh
            else f"{need} hours of training are required in the period: {enough} people had them, "
            f"{len(frame) - enough} had fewer."
        )
        columns += [
            Column("hours", "培训小时" if zh else "Training, h", "number"),
            Column("courses", "次数" if zh else "Courses", "integer"),
            Column("mark", "平均成绩" if zh else "Mean mark", "number"),
            Column("light", "培训要求" if zh else "Training", "light"),
        ]
    if len(a.presence):
        columns += [
            Column("adherence", "班表遵守率" if zh else "Adherence", "rate"),
            Column("overtime_h", "加班小时" if zh else "Overtime, h", "number"),
        ]
    records = [
        row | {"team": group_name(row["team"], language), "agent": _who(row, language)}
        for row in frame.to_dict("records")
    ]
    note = "病假不计入，不作为评价内容。" if zh else "Sick leave is left out: it is no matter for appraisal."
    title = "培训与出勤" if zh else "Training and attendance"
    return Blocks(
        (head, *(Text(text) for text in texts), tabulate("training", title, columns, records, language, note))
    )


def appraisal_needs(appraisal: Appraisal) -> Blocks:
    """Return what to train, person by person."""
    a, language = appraisal, appraisal.occasion.language
    zh = language == "zh"
    head = Heading("培训建议" if zh else "What to train", 2, "needs")
    if a.needs.empty:
        text = "没有人在某项指标上显著低于同组，培训时数均已达到。" if zh else (
            "Nobody is below the team for sure in anything, and everybody had the hours."
        )  # fmt: skip
        return Blocks((head, Text(text)))
    names = {metric.id: _name(metric, language) for metric in a.measures}
    known = a.agents.set_index("agent")
    records = []
    for agent, own in a.needs.groupby("agent", sort=False):
        if agent not in known.index:
            continue
        person = known.loc[agent]
        records.append(
            {
                "team": group_name(person["team"], language),
                "agent": _who({"agent": agent, "role": person["role"]}, language),
                "needs": ("；" if zh else "; ").join(_need(row, names, language) for row in own.to_dict("records")),
            }
        )
    records.sort(key=lambda record: (record["team"], record["agent"]))
    columns = [
        Column("team", "团队" if zh else "Team"),
        Column("agent", "坐席" if zh else "Agent"),
        Column("needs", "建议" if zh else "What to do"),
    ]
    note = (
        "只列显著低于同组（经多重比较校正）的指标和质检项，以及培训时数、上岗考试的缺口；误差范围内的差异不提建议。"
        if zh
        else "Only measures and QA items below the others for sure (corrected for all looked at), hours missing and "
        "exams not passed; what chance can explain leads to no advice."
    )
    title = "培训建议" if zh else "What to train"
    return Blocks((head, tabulate("needs", title, columns, records, language, note)))


def appraisal_stars(appraisal: Appraisal) -> Blocks:
    """Return the service stars: better than their team for sure, and no fatal error."""
    a, language = appraisal, appraisal.occasion.language
    zh = language == "zh"
    head = Heading("服务之星" if zh else "Service stars", 2, "stars")
    if a.occasion.incomplete:
        text = "本期数据不完整，不评选。" if zh else "The data of the period are incomplete, so nobody is chosen."
        return Blocks((head, Text(text)))
    if a.stars.empty:
        text = (
            "本期没有人显著高于同组：差异都可能出于偶然，不评选。"
            if zh
            else "Nobody is better than the team for sure: to name somebody would be luck."
        )
        return Blocks((head, Text(text)))
    names = {metric.id: _name(metric, language) for metric in a.measures}
    strong = a.measured[a.measured["stands_out"] == "better"].groupby("unit")["of"].agg(list)
    records = []
    for row in a.stars.to_dict("records"):
        listed = ("、" if zh else ", ").join(names[of] for of in strong.get(row["unit"], []))
        score, mean = (format_number(row[key], language, digits=1) for key in ("value", "centre"))
        why = f"综合得分{score}，同组平均{mean}" if zh else f"Score {score}, mean of the team {mean}"
        why += (f"；{listed}也显著较高" if zh else f"; also in {listed}") if listed else ""
        records.append({"team": group_name(row["team"], language), "agent": row["unit"], "why": why})
    columns = [
        Column("team", "团队" if zh else "Team"),
        Column("agent", "坐席" if zh else "Agent"),
        Column("why", "事由" if zh else "Why"),
    ]
    note = "有一票否决项（致命差错）者不评。" if zh else "Whoever had a fatal error is not named."
    return Blocks((head, tabulate("stars", "服务之星" if zh else "Service stars", columns, records, language, note)))


def appraisal_method(appraisal: Appraisal) -> Blocks:
    """Return how the score is made and what the file may be used for."""
    a, language = appraisal, appraisal.occasion.language
    zh = language == "zh"
    head = Heading("口径与使用范围" if zh else "How it is made, and what for", 2, "method")
    columns = [
        Column("name", "指标" if zh else "Measure"),
        Column("weight", "权重" if zh else "Weight", "rate"),
        Column("target", "目标" if zh else "Target"),
        Column("definition", "口径" if zh else "Definition"),
    ]
    records = [
        {"name": _name(metric, language), "weight": a.weights[metric.id], "target": _target(metric, language)}
        | {"definition": typeset(metric.definition[language], language)}
        for metric in a.measures
    ]
    table = tabulate("score", "综合得分的构成" if zh else "What the score is made of", columns, records, language)
    texts = (
        [
            "只在同一团队内比较，因为团队之间的工作不同；团队内再按业务类型、队列和质检场景调整。"
            "排队时长、接通率、投诉率等个人无法左右的指标不计入。",
            "本文件仅供管理人员和人力资源部门使用，不得公开、转发或单独作为奖惩依据；不含客户信息和诉求内容。"
            "当事人有权查看本人数据并提出异议。",
        ]
        if zh
        else [
            "People are compared within their team alone, since teams do different work; inside it measures are "
            "adjusted for type of request, queue and scene. What nobody can influence alone (waiting, answer rate, "
            "complaints) is left out.",
            "For managers and human resources alone: not to be published, passed on, or taken as the only ground for a "
            "decision on anybody. It holds nothing about customers. Everybody may see their own figures and object.",
        ]
    )
    return Blocks((head, *(Text(text) for text in texts), table))


def _attainment(a: Appraisal, shown: tuple[Metric, ...]) -> str:
    zh = a.occasion.language == "zh"
    parts = []
    for metric in shown:
        rows = a.measured[a.measured["of"] == metric.id]
        lights = [_light(row, metric) for row in rows.to_dict("records")]
        judged, met, missed = (sum(light in of for light in lights) for of in (
            ("green", "yellow", "red"), ("green",), ("red",)
        ))  # fmt: skip
        if judged:
            name = _name(metric, a.occasion.language)
            parts.append(
                f"{name}{met}人达标、{missed}人未达标" if zh else f"{name}: {met} met, {missed} missed of {judged}"
            )
    if not parts:
        return "样本不足，均不作评价。" if zh else "Nobody has records enough to judge."
    return (
        ("；".join(parts) + "；其余为临界或样本不足。")
        if zh
        else ("; ".join(parts) + "; the rest are too close to call or too few.")
    )


def _attained(row: dict | None, metric: Metric, language: str) -> Cell:
    if row is None or is_missing(row["value"]):
        return Cell(None, ("样本不足" if language == "zh" else "too few") if row and not is_missing(row["n"]) else "–")
    kind = kind_of(metric.unit, metric.kind)
    text = format_value(row["value"], kind, language)
    n = int(row["n"])
    return Cell(float(row["value"]), f"{text}（{n}）" if language == "zh" else f"{text} ({n})", _light(row, metric))


def _light(row: dict, metric: Metric) -> str | None:
    """Return the light of a value: the whole interval reaches the target, straddles it, or misses it."""
    if metric.target is None or is_missing(row["value"]) or is_missing(row["low"]):
        return None
    sign = 1.0 if metric.direction == "up" else -1.0
    low, high = sorted((sign * row["low"], sign * row["high"]))
    return "green" if low >= sign * metric.target else "red" if high < sign * metric.target else "yellow"


def _figure(a: Appraisal) -> Figure | None:
    zh = a.occasion.language == "zh"
    placed = a.overall[a.overall["rank"].notna()]
    if placed.empty or len(placed) > MOST_DRAWN:
        return None
    language = a.occasion.language
    rows = []
    for row in placed.to_dict("records"):
        score, low, high = (float(row[name]) for name in ("value", "low", "high"))
        text, label = f"{score:.1f} ({low:.1f}–{high:.1f})", f"{row['unit']} · {group_name(row['team'], language)}"
        rows.append({"label": label, "text": text, "score": score, "low": low, "high": high, "previous": None})
    sure = int(placed["stands_out"].isin(["better", "worse"]).sum())
    if zh:
        title = f"综合得分与95%区间：{f'{sure}人' if sure else '没有人'}与同组有显著差异"
    else:
        title = f"Score and 95% interval: {sure or 'nobody'} differ{'' if sure > 1 else 's'} from the team for sure"
    what = f"{len(rows)}人的综合得分与区间" if zh else f"score and interval of {len(rows)} people"
    svg = charts.svg(charts.draw_family_profile(pd.DataFrame(rows), language=language), language)
    return Figure("score_figure", title, describe_alternative(what, title, language), svg)


def _need(row: dict, names: dict[str, str], language: str) -> str:
    zh = language == "zh"
    if row["kind"] == "measure":
        name = names.get(row["what"], row["what"])
        return f"{name}显著低于同组，针对性辅导" if zh else f"{name} is below the team for sure: coach on it"
    if row["kind"] == "item":
        item = group_name(row["what"], language)
        return f"质检“{item}”显著偏低，专项培训" if zh else f"QA item “{item}” is low for sure: train it"
    if row["kind"] == "exam":
        return "补考上岗情景考试" if zh else "sit the scenario exam again"
    hours = format_number(row["detail"], language, digits=1)
    return f"补足培训{hours}小时" if zh else f"{hours} hours of training missing"


def _who(row: dict, language: str) -> str:
    role = row.get("role")
    if is_missing(role) or not role:
        return str(row["agent"])
    named = _ROLES.get(str(role), (str(role),) * 2)[0 if language == "zh" else 1]
    return f"{row['agent']}（{named}）" if language == "zh" else f"{row['agent']} ({named})"


def _name(metric: Metric, language: str) -> str:
    return typeset(metric.name[language], language)


def _target(metric: Metric, language: str) -> str:
    if metric.target is None:
        return "–"
    sign = "≤" if metric.direction == "down" else "≥"
    return sign + target_number(metric.target, kind_of(metric.unit, metric.kind), language)
