"""The index: its sentence, its course with its band, and its families this period against last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import charts
from svcanalytics.report.blocks import Blocks, Cell, Column, Figure, Heading, Table, Text, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.reasons import measure_name
from svcanalytics.report.sections.weights_section import weights_by_situation
from svcanalytics.report.words.formats import format_number, is_missing, no_base, typeset

if TYPE_CHECKING:
    from svcanalytics.quality.index import IndexChange

__all__ = ["index_change", "index_incomplete", "index_score", "quality_index"]


def quality_index(evaluation: Evaluation) -> Blocks:
    """Return the index over time with its band, and its families this period against last."""
    e, zh = evaluation, evaluation.language == "zh"
    head = Heading("服务质量指数" if zh else "Service quality index", 2, "index")
    now = index_score(e, "")
    if now is None:
        text = (
            "可用指标的权重不足，本期不计算指数。" if zh
            else "The measures available carry too little weight for an index in this period."
        )  # fmt: skip
        return Blocks((head, Text(text, "note")))
    items = [head, Text(_movers(e))]
    items += [Text(text, "note") for text in (_capped(e, now), _unevenness(e)) if text]
    trend = _index_trend(e)
    families = _families(e)
    drawn = (block for block in (trend, families) if block)
    return Blocks((*items, *drawn, _index_table(e), *weights_by_situation(e)))


def _movers(e: Evaluation) -> str:
    """Return which families moved for sure."""
    rows = [row for row in _family_rows(e) if row["change"] is not None]
    moved = sorted((row for row in rows if row["change"].certain), key=lambda row: row["change"].value)
    last = narrative.period_word(e.every, e.language, last=True)
    if not rows:
        return "没有上期得分可比。" if e.language == "zh" else "There are no earlier scores to compare with."
    if not moved:
        return (
            f"各类别得分与{last}相比均无显著变化。"
            if e.language == "zh"
            else f"No family moved significantly from {last}."
        )
    sizes = [format_number(row["change"].value, e.language, digits=1, signed=True) for row in moved]
    labels = [row["label"] for row in moved]
    if e.language == "zh":
        listed = "、".join(f"{label}（{size}分）" for label, size in zip(labels, sizes, strict=True))
        return f"与{last}相比得分显著变化的类别：{listed}。"
    listed = ", ".join(f"{label} {size}" for label, size in zip(labels, sizes, strict=True))
    return f"Families that moved significantly from {last}: {listed}."


def _capped(e: Evaluation, now: dict) -> str:
    """Say which floor rule holds the grade down."""
    from svcanalytics.metrics import families

    if not now["capped_by"]:
        return ""
    names = {id: name[e.language] for id, name in families().items()}
    names |= {clock.reading.id: clock.reading.name for clock in e.clocks}
    named = [names.get(id) or measure_name(e, id) for id in now["capped_by"].split(", ")]
    listed = narrative.enumerate_names(named, e.language)
    earned = e.profile.grade(now["score"])
    if e.language == "zh":
        return f"底线规则：{listed}未达底线，等级由{earned}降为{now['grade']}；得分不受影响。"
    return f"Floor rule: {listed} fell short, so the grade is {now['grade']}, not {earned}; the score stays as it is."


def _unevenness(e: Evaluation) -> str:
    """Say which measures only one of the two scores rests on: part of a change may come from there."""
    weights = e.index.weights
    used = {
        period: set(weights.loc[(weights["period"] == period) & (weights["used"] > 0), "metric"])
        for period in (e.period.key, e.period.previous().key)
    }
    now, before = used.values()
    if not before or now == before:
        return ""
    names = {metric.id: typeset(metric.name[e.language], e.language) for metric in e.metrics.values()}
    lists = [
        narrative.enumerate_names(sorted(names[name] for name in part), e.language)
        for part in (now - before, before - now)
    ]
    if e.language == "zh":
        parts = [f"{what}{listed}" for what, listed in zip(("新增", "缺少"), lists, strict=True) if listed]
        return f"与上期相比，参与计分的指标{'，'.join(parts)}，得分变化可能部分由此引起。"
    parts = [f"{what} {listed}" for what, listed in zip(("with", "without"), lists, strict=True) if listed]
    return f"This index is scored {' and '.join(parts)}, unlike the last: part of its change may come from there."


def index_incomplete(e: Evaluation) -> bool:
    """Tell whether the index of this period or the last rests on incomplete data."""
    rows = (index_score(e, ""), index_score(e, "", e.period.previous().key))
    return e.incomplete or any(row is not None and row["flag"] == "incomplete" for row in rows)


def index_score(e: Evaluation, family: str, period: str | None = None) -> dict | None:
    """Return the row of a family ("" is the index itself) in a period, or None without a score."""
    if e.index is None:
        return None
    scores = e.index.scores
    found = scores[
        (scores["period"] == (period or e.period.key)) & (scores["family"] == family) & scores["score"].notna()
    ]
    return None if found.empty else found.iloc[0].to_dict()


def index_change(e: Evaluation, family: str) -> IndexChange | None:
    """Return the change of the index or a family since last period, or None without both scores."""
    before = e.period.previous().key
    if index_score(e, family) is None or index_score(e, family, before) is None:
        return None
    return e.index.change(e.period.key, before, family=family)


def _index_trend(e: Evaluation) -> Figure | None:
    zh = e.language == "zh"
    scores = e.index.scores[e.index.scores["family"] == ""].set_index("period")
    keys = [period.key for period in e.periods()]
    known = [key for key in keys if key in scores.index and not is_missing(scores.loc[key, "score"])]
    if len(known) < 2:
        return None
    keys = keys[keys.index(known[0]) :]  # what lies before the first score is not a gap
    frame = scores.reindex(keys)[["score", "low", "high", "flag"]].reset_index()
    frame["flag"] = frame["flag"].fillna("")
    now = index_score(e, "")
    above = now["low"] >= 80, now["high"] < 80
    label, number = e.period.label(e.language), f"{now['score']:.1f}"
    if zh:
        verdict = "高于目标80分" if above[0] else "低于目标80分" if above[1] else "与目标80分相差在误差范围内"
        title = f"指数{number}分，{verdict}"
        what = f"服务质量指数{len(keys)}期走势及95%区间带"
        course = f"{label}为{number}分（区间{now['low']:.1f}–{now['high']:.1f}），{verdict}。"
    else:
        verdict = "above" if above[0] else "below" if above[1] else "not told apart from"
        title = f"Index {number}: {verdict} the target of 80"
        what = f"Service quality index over {len(keys)} periods with its 95% band"
        course = f"{label} scored {number} ({now['low']:.1f} to {now['high']:.1f}), {verdict} the target of 80."
    columns = [
        Column("period", "期间" if zh else "Period"),
        Column("score", "指数" if zh else "Index", "number"),
        Column("low", "下限" if zh else "Low", "number"),
        Column("high", "上限" if zh else "High", "number"),
    ]
    data = tabulate("index_trend", title, columns, frame.to_dict("records"), e.language)
    svg = charts.svg(charts.draw_index_trend(frame, language=e.language), e.language)
    return Figure("index_trend_figure", title, narrative.describe_alternative(what, course, e.language), svg, data)


def _family_rows(e: Evaluation) -> list[dict]:
    from svcanalytics.metrics import families

    names, used = families(), _weights_used(e)
    rows = []
    for family in e.profile.families:
        row, before = index_score(e, family), index_score(e, family, e.period.previous().key)
        if row is None:
            continue
        change = index_change(e, family)
        rows.append(
            {
                "family": family,
                "label": names[family][e.language],
                "score": row["score"],
                "low": row["low"],
                "high": row["high"],
                "previous": None if before is None else before["score"],
                "change": change,
                "weight": e.profile.families[family],
                "used": used.get(family, 0.0),
                "grade": e.profile.grade(row["score"]),
            }
        )
    return rows


def _weights_used(e: Evaluation) -> dict[str, float]:
    """Return the share of the index each family has this period; shares add up to 1 and score x share to the index."""
    weights = e.index.weights
    return weights[weights["period"] == e.period.key].groupby("family")["used"].sum().to_dict()


def _families(e: Evaluation) -> Figure | None:
    zh = e.language == "zh"
    rows = _family_rows(e)
    if len(rows) < 2:
        return None
    for row in rows:
        score = f"{row['score']:.1f}"
        row["text"] = (
            f"{score}分（{row['low']:.0f}–{row['high']:.0f}）"
            if zh
            else f"{score} ({row['low']:.0f}–{row['high']:.0f})"
        )
    best, worst = max(rows, key=lambda row: row["score"]), min(rows, key=lambda row: row["score"])
    short = [row for row in rows if row["high"] < 80]
    if zh:
        tail = f"，{len(short)}类低于目标80分" if short else ""
        title = f"{worst['label']}得分最低（{worst['score']:.1f}分）{tail}"
        what = f"指数{len(rows)}个类别的得分、95%区间和上期得分"
        course = f"最高为{best['label']}{best['score']:.1f}分，最低为{worst['label']}{worst['score']:.1f}分。"
    else:
        tail = f"; {len(short)} below the target of 80" if short else ""
        title = f"{worst['label']} scores lowest at {worst['score']:.1f}{tail}"
        what = f"Scores of the {len(rows)} families of the index with 95% intervals and last period's scores"
        course = f"Highest is {best['label']} at {best['score']:.1f}, lowest {worst['label']} at {worst['score']:.1f}."
    svg = charts.svg(charts.draw_family_profile(pd.DataFrame(rows), language=e.language), e.language)
    return Figure("families_figure", title, narrative.describe_alternative(what, course, e.language), svg)


def _index_table(e: Evaluation) -> Table:
    zh = e.language == "zh"
    columns = [
        Column("label", "类别" if zh else "Family"),
        Column("weight", "设定权重" if zh else "Weight given", "rate"),
        Column("used", "计分权重" if zh else "Weight used", "rate"),
        Column("score", "得分" if zh else "Score", "number"),
        Column("band", "95%区间" if zh else "95% interval"),
        Column("grade", "等级" if zh else "Grade"),
        Column("previous", "上期" if zh else "Last period", "number"),
        Column("change", "变化" if zh else "Change", "number"),
    ]
    now, before = index_score(e, ""), index_score(e, "", e.period.previous().key)
    total = {
        "label": "总指数" if zh else "Index",
        "weight": sum(e.profile.families.values()),
        "used": sum(_weights_used(e).values()),
        "score": now["score"],
        "low": now["low"],
        "high": now["high"],
        "grade": now["grade"],
        "previous": None if before is None else before["score"],
        "change": index_change(e, ""),
    }
    records = []
    for row in [total, *_family_rows(e)]:
        change = row["change"]
        text = _change_text(change, e.language)
        band = f"{row['low']:.1f}–{row['high']:.1f}"
        scores = {name: _one_digit(row[name], e.language) for name in ("score", "previous")}
        records.append(row | scores | {"band": band, "change": Cell(None if change is None else change.value, text)})
    note = (
        "各指标按底线0分、目标80分、卓越100分折算，加权平均；等级A≥90、B≥80、C≥60、D<60；"
        "*为变化显著（95%）。缺数据的指标不计零分，权重由同类指标分担；整类缺数据的，权重由其他类别按比例分担。"
        "总指数=各类别计分权重×得分之和。首句中的±为95%区间宽度的一半。"
        if zh
        else "Each measure scores 0 at its floor, 80 at its target and 100 at its goal; weighted means. Grades: A from "
        "90, B from 80, C from 60, else D. * marks a significant change (95%). A measure without data never counts as "
        "zero: its weight is shared within its family; that of a family without data among the others. The "
        "index is the sum of weight used × score. In the first sentence ± is half the width of the 95% interval."
    )
    if e.dependence is None:
        note += (
            "数据不足20天，各指标误差按相互独立计算。" if zh
            else " From so few days the errors of measures are taken as independent."
        )  # fmt: skip
    return tabulate(
        "index_families", "指数构成" if zh else "What makes up the index", columns, records, e.language, note
    )


def _one_digit(value: float | None, language: str) -> Cell:
    return Cell(None, "–") if is_missing(value) else Cell(value, format_number(value, language, digits=1))


def _change_text(change: IndexChange | None, language: str) -> str:
    """Return an index change as a table shows it, a star when it is significant."""
    if change is None:
        return no_base(language, last=True)
    return format_number(change.value, language, digits=1, signed=True) + ("*" if change.certain else "")
