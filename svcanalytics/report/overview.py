"""The first screen: the head, one sentence, one picture, what is missed and what moved."""

from __future__ import annotations

import math

import pandas as pd

from svcanalytics import charts
from svcanalytics.quality import normalise
from svcanalytics.report import narrative
from svcanalytics.report.blocks import Blocks, Cell, Column, Document, Figure, Heading, Text, tabulate
from svcanalytics.report.causes_section import data_changes, top_causes
from svcanalytics.report.evaluation import Evaluation
from svcanalytics.report.formats import format_date, is_missing
from svcanalytics.report.readings import Reading
from svcanalytics.report.scopes import name_scope
from svcanalytics.report.standing import index_score, index_sentence

__all__ = ["opening", "summary"]

#: Rows of the first picture: what can be taken in at a glance.
GLANCE = 8

_TITLES = {
    "weekly": ("服务质量周报", "Weekly service quality report"),
    "monthly": ("服务质量月度评价报告", "Monthly service quality evaluation"),
    "quarterly": ("服务质量季度评价报告", "Quarterly service quality evaluation"),
    "half_yearly": ("服务质量半年度评价报告", "Half-yearly service quality evaluation"),
    "yearly": ("服务质量年度评价报告", "Yearly service quality evaluation"),
}


def opening(evaluation: Evaluation) -> Document:
    """Return the head of the report: its title, what the data reach to, and what holds for all of it."""
    e, zh = evaluation, evaluation.language == "zh"
    facts = [("数据截止" if zh else "Data until", format_date(e.data_until, e.language))] if e.data_until else []
    warnings = [_incomplete_warning(e)] if e.incomplete else []
    title = _TITLES[e.report][0 if zh else 1]
    return Document(title, e.language, _subtitle(e), tuple(facts), tuple(warnings))


def summary(evaluation: Evaluation) -> Blocks:
    """Return the first screen in words and one picture: how we did against target and last period, and how sure."""
    e, zh = evaluation, evaluation.language == "zh"
    items = [Heading("本期综述" if zh else "Summary", 2, "summary"), Text(_lead(e), "lead")]
    red = [reading for reading in _by_urgency(e) if reading.light == "red"]
    since = [e.period.previous(max(0, -reading.streak - 1)).label(e.language) for reading in red]
    if index_score(e, "") is not None:
        items.append(Text(narrative.describe_lights(e.readings, e.language)))
    items += _improvements(e)
    if red:
        items.append(Text(narrative.describe_missed(red, since, e.language, e.every)))
    items.append(Text(narrative.describe_changes(_by_size(e), e.language, e.every)))
    if any(reading.previous_base == "incomplete" for reading in e.readings):
        last = narrative.period_word(e.every, e.language, last=True)
        caveat = (
            f"{last}数据不完整，环比仅供参考。"
            if zh
            else (f"The data of {last} are incomplete: read comparisons with it as provisional.")
        )
        items.append(Text(caveat, "note"))
    figure = _attainment(e) or _amounts(e)
    return Blocks((*items, figure) if figure else tuple(items))


def _improvements(e: Evaluation) -> list[Text]:
    """Return the causes most worth acting on, a line each, and what was no change of the service at all."""
    lines, changed = top_causes(e), data_changes(e)
    title = f"TOP {len(lines)}改进项：" if e.language == "zh" else f"Top {len(lines)} to improve:"
    numbered = [f"{place}. {line}" for place, line in enumerate(lines, 1)]
    return [Text(text) for text in ([title, *numbered] if lines else []) + ([changed] if changed else [])]


def _subtitle(e: Evaluation) -> str:
    parts = (e.organisation, name_scope(e.scope, e.language), e.period.label(e.language))
    return " · ".join(part for part in parts if part)


def _incomplete_warning(e: Evaluation) -> str:
    label = e.period.label(e.language)
    if e.data_until and e.data_until > e.period.last:
        # Records go on after the period, but somewhere in it they are but stragglers.
        if e.language == "zh":
            why = f"{label}的数据未完整覆盖整个期间，部分时段只有零星记录或没有记录"
        else:
            why = f"part of {label} holds only stray records or none"
    else:
        until = format_date(e.data_until, e.language) if e.data_until else "–"
        if e.language == "zh":
            why = f"{label}的数据未覆盖整个期间（最后一条记录：{until}）"
        else:
            why = f"the data do not cover all of {label} (last record: {until})"
    if e.language == "zh":
        return f"数据不完整：{why}。本报告全部数字仅供参考，不得用于考核。"
    return f"Incomplete data: {why}. Every figure here is provisional and must not be used for appraisal."


def _lead(e: Evaluation) -> str:
    if index_score(e, "") is not None:
        return index_sentence(e)
    label = e.period.label(e.language)
    volume = next((reading for reading in e.readings if reading.kind == "integer" and reading.value is not None), None)
    verdict = narrative.describe_lights(e.readings, e.language)
    if volume is None:
        return f"{label}：{verdict}" if e.language == "zh" else f"{label}: {verdict}"
    change = volume.change_text(e.language, volume.change, volume.previous)
    if e.language == "zh":
        moved = "" if is_missing(volume.change) else f"（环比{change}）"
        return f"{label}{volume.name}{volume.value_text('zh')}{moved}；{verdict}可用指标不足，不计算服务质量指数。"
    moved = "" if is_missing(volume.change) else f" ({change} on {narrative.period_word(e.every, 'en', last=True)})"
    return f"{label}: {volume.name.lower()} {volume.value_text('en')}{moved}. {verdict} Too few measures for an index."


def _weight(e: Evaluation, reading: Reading) -> float:
    if e.profile is None:
        return 0.0
    return sum(m.weight * e.profile.families[m.family] for m in e.profile.metrics if m.metric == reading.id)


def _by_urgency(e: Evaluation) -> list[Reading]:
    """Missed first, then too close to call, then met; within these the heaviest of the index first."""
    order = {"red": 0, "yellow": 1, "green": 2}
    judged = [reading for reading in e.readings if reading.judged]
    return sorted(judged, key=lambda reading: (order[reading.light], -_weight(e, reading)))


def _by_size(e: Evaluation) -> list[Reading]:
    """Sort by the weight of the index first, so that what matters is named first."""
    return sorted(e.readings, key=lambda reading: -_weight(e, reading))


def _goalposts(e: Evaluation, reading: Reading) -> tuple[float, float, float] | None:
    metric = e.metrics.get(reading.id)
    posts = (metric.floor, metric.target, metric.goal) if metric is not None else (None, None, None)
    return None if any(post is None for post in posts) else posts


def _scores(e: Evaluation, reading: Reading, values: list[float | None]) -> list[float]:
    floor, target, goal = _goalposts(e, reading)
    numbers = [math.nan if is_missing(value) else float(value) for value in values]
    scored = normalise(numbers, direction=reading.direction, floor=floor, target=target, goal=goal)
    # Where nothing better than the target exists, reaching it scores 100; in the picture it stands at the common line.
    return [float(score) * (0.8 if target == goal else 1.0) for score in scored]


def _attainment(e: Evaluation) -> Figure | None:
    zh = e.language == "zh"
    chosen = [reading for reading in _by_urgency(e) if _goalposts(e, reading)]
    total = len(chosen)
    # Of each light at least something is shown: the worst first, but never only the worst.
    heavy = [reading for reading in chosen if _weight(e, reading) > 0]
    chosen = heavy if len(heavy) >= GLANCE // 2 else chosen  # variants outside the index only fill an empty picture
    chosen = sorted(sorted(chosen, key=lambda r: -_weight(e, r))[:GLANCE], key=chosen.index)
    if not chosen:
        return None
    rows, records = [], []
    for reading in chosen:
        score, low, high, previous = _scores(e, reading, [reading.value, reading.low, reading.high, reading.previous])
        if reading.direction == "down":
            low, high = high, low
        value, target = reading.value_text(e.language), reading.target_text(e.language)
        text = f"{value}（目标{target}）" if zh else f"{value} (target {target})"
        rows.append(
            {
                "label": reading.name,
                "text": text,
                "score": score,
                "low": min(low, high),
                "high": max(low, high),
                "previous": previous,
                "light": reading.light,
            }
        )
        records.append(_glance_record(reading, e.language))
    missed = [reading for reading in chosen if reading.light == "red"]
    if zh:
        title = f"{len(chosen)}项核心指标" + (f"中{len(missed)}项未达标" if missed else "无一未达标")
        what = f"{len(chosen)}项核心指标对照目标、上期和95%区间"
        course = narrative.describe_lights(chosen, "zh")
    else:
        noun = "core measure" + ("" if len(chosen) == 1 else "s")
        title = f"{len(missed)} of {len(chosen)} {noun} missed" if missed else f"None of {len(chosen)} {noun} missed"
        what = f"{len(chosen)} {noun} against target, last period and their 95% intervals"
        course = narrative.describe_lights(chosen, "en")
    columns = [
        Column("name", "指标" if zh else "Measure"),
        Column("value", "本期" if zh else "This period"),
        Column("low", "区间下限" if zh else "Low (95%)"),
        Column("high", "区间上限" if zh else "High (95%)"),
        Column("target", "目标" if zh else "Target"),
        Column("previous", "上期" if zh else "Last period"),
        Column("light", "灯" if zh else "Light", "light"),
    ]
    note = ""
    if total > len(chosen):
        note = (
            f"图中为权重最大的{len(chosen)}项，其余见指标表。"
            if zh
            else (f"The picture shows the {len(chosen)} of most weight; the rest are in the table of measures.")
        )
    data = tabulate("attainment", title, columns, records, e.language, note)
    svg = charts.svg(charts.draw_attainment(pd.DataFrame(rows), language=e.language), e.language)
    return Figure("attainment_figure", title, narrative.describe_alternative(what, course, e.language), svg, data)


def _amounts(e: Evaluation) -> Figure | None:
    """Return the course of the volume: the picture where no measure can be held against a target."""
    zh = e.language == "zh"
    reading = next((reading for reading in e.readings if reading.kind == "integer" and reading.value is not None), None)
    if reading is None:
        return None
    rows = e.history[e.history["metric"] == reading.id].set_index("period")
    keys = [period.key for period in e.periods()]
    first = next((place for place, key in enumerate(keys) if key in rows.index), len(keys))
    frame = rows.reindex(keys[first:])[["value", "low", "high", "flag"]].reset_index()
    frame["flag"] = frame["flag"].fillna("")
    if len(frame) < 2:
        return None
    value, before = reading.value_text(e.language), reading.written(reading.previous, e.language)
    label = e.period.label(e.language)
    if zh:
        title, what = f"{reading.name}{value}，上期{before}", f"{reading.name}{len(frame)}期走势"
        course = f"{label}为{value}，上期为{before}。"
    else:
        title, what = f"{reading.name}: {value}, last period {before}", f"{reading.name} over {len(frame)} periods"
        course = f"{label}: {value}; last period: {before}."
    columns = [Column("period", "期间" if zh else "Period"), Column("value", reading.name, "integer")]
    data = tabulate("amounts", reading.name, columns, frame.to_dict("records"), e.language)
    svg = charts.svg(charts.draw_trend(frame, language=e.language, kind="integer"), e.language)
    return Figure("amounts_figure", title, narrative.describe_alternative(what, course, e.language), svg, data)


def _glance_record(reading: Reading, language: str) -> dict:
    def cell(value: float | None) -> Cell:
        return Cell(None if is_missing(value) else value, reading.written(value, language), kind=reading.kind)

    return {
        "name": reading.name,
        "value": cell(reading.value),
        "low": cell(reading.low),
        "high": cell(reading.high),
        "target": Cell(reading.target, reading.target_text(language), kind=reading.kind),
        "previous": cell(reading.previous),
        "light": reading.light,
    }
