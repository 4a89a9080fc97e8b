"""The first picture: the index and the measures that weigh most, all against one target line."""

from __future__ import annotations

import math

import pandas as pd

from svcanalytics import charts
from svcanalytics.quality import normalise
from svcanalytics.report.blocks import Cell, Column, Figure, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.readings import Reading
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.standing import index_score
from svcanalytics.report.words.formats import is_missing

__all__ = ["by_urgency", "draw_glance"]

#: Measures of the picture: what can be taken in at a glance.
GLANCE = 8
#: Where the index has its target; grade B begins there.
_TARGET = 80


def draw_glance(e: Evaluation) -> Figure | None:
    """Return the index and the core measures against target; where none has one, the course of the volume."""
    return _attainment(e) or _amounts(e)


def by_urgency(e: Evaluation) -> list[Reading]:
    """Return judged readings: missed first, then too close to call, then met; the heaviest of the index first."""
    order, shares = {"red": 0, "yellow": 1, "green": 2}, _shares(e)
    judged = [reading for reading in e.readings if reading.judged]
    return sorted(judged, key=lambda reading: (order[reading.light], -shares.get(reading.id, 0.0)))


def _shares(e: Evaluation) -> dict[str, float]:
    return {} if e.profile is None else e.profile.shares


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
    chosen = [reading for reading in by_urgency(e) if _goalposts(e, reading)]
    total = len(chosen)
    # Of each light at least something is shown: the worst first, but never only the worst.
    heavy = [reading for reading in chosen if _shares(e).get(reading.id, 0.0) > 0]
    chosen = heavy if len(heavy) >= GLANCE // 2 else chosen  # variants outside the index only fill an empty picture
    chosen = sorted(sorted(chosen, key=lambda r: -_shares(e).get(r.id, 0.0))[:GLANCE], key=chosen.index)
    if not chosen:
        return None
    rows, records = _index_row(e)
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


def _index_row(e: Evaluation) -> tuple[list[dict], list[dict]]:
    """Return the index as the first row of the picture and of its table; nothing without one."""
    zh, now = e.language == "zh", index_score(e, "")
    if now is None:
        return [], []
    before = index_score(e, "", e.period.previous().key)
    name = "服务质量指数" if zh else "Service quality index"
    light = "green" if now["low"] >= _TARGET else "red" if now["high"] < _TARGET else "yellow"
    score, low, high = (float(now[key]) for key in ("score", "low", "high"))
    last = None if before is None else float(before["score"])
    half = (high - low) / 2
    number = f"{score:.1f}±{half:.1f}"
    text = f"{number}分（{now['grade']}级）" if zh else f"{number} (grade {now['grade']})"
    row = {"label": name, "text": text, "score": score, "low": low, "high": high, "previous": last, "light": light}
    values = {"value": score, "low": low, "high": high, "previous": last, "target": float(_TARGET)}
    cells = {
        key: Cell(value, "–" if value is None else f"{value:.1f}" if key != "target" else f"≥{_TARGET}", kind="number")
        for key, value in values.items()
    }
    return [{**row, "strong": True}], [{"name": name, "light": light, **cells}]


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
