"""The map of the process: the ways cases take, and where they wait longest."""

from __future__ import annotations

from svcanalytics import charts
from svcanalytics.report.blocks import Column, Figure, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.sections import narrative
from svcanalytics.report.words.formats import format_duration
from svcanalytics.report.words.vocabulary import shorten

__all__ = ["draw_course"]

MOST_LISTED = 15
#: A way that fewer cases take than this is no place to look for time.
_LEAST_SHARE = 0.05


def draw_course(e: Evaluation) -> Figure | None:
    """Return the map of the steps of the cases opened in the period; None without steps on record."""
    course = e.topics.course
    if course is None:
        return None
    zh = e.language == "zh"
    ways = course.transitions
    told = ways[(ways["source"] != ways["target"]) & (ways["n"] >= _LEAST_SHARE * course.cases)]
    if told.empty:
        return None
    longest = told.loc[(told["n"] * told["median_s"]).idxmax()]
    source, target = shorten(str(longest["source"])), shorten(str(longest["target"]))
    wait = format_duration(float(longest["median_s"]), e.language)
    if zh:
        title = f"等待最多的一步：{source}→{target}（中位{wait}，{int(longest['n']):,}次）"
        what = f"{course.cases:,}件事项经过的{len(course.activities)}个环节"
    else:
        title = f"Most time goes by from {source} to {target} (median {wait}, {int(longest['n']):,} times)"
        what = f"the {len(course.activities)} steps that {course.cases:,} cases took"
    columns = [
        Column("source", "环节" if zh else "From"),
        Column("target", "下一环节" if zh else "To"),
        Column("n", "次数" if zh else "Times", "integer"),
        Column("median_s", "间隔中位数" if zh else "Median time between", "duration"),
    ]
    records = [
        row | {name: shorten(str(row[name])) for name in ("source", "target")}
        for row in ways.head(MOST_LISTED).to_dict("records")
    ]
    data = tabulate("process_ways", "环节流转" if zh else "Ways between steps", columns, records, e.language)
    drawn = charts.draw_process_map(course.activities, ways, language=e.language)
    alt = narrative.describe_alternative(what, title + ("。" if zh else "."), e.language)
    return Figure("process_map", title, alt, charts.svg(drawn, e.language), data)
