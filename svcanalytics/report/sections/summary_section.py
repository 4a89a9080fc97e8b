"""The first screen: the verdict, what moved, how it stands against target, what to improve first, what comes next."""

from __future__ import annotations

from collections.abc import Iterator

from svcanalytics.report.blocks import Blocks, Heading, Text
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.causes_section import data_changes, top_causes
from svcanalytics.report.sections.glance import by_urgency, draw_glance
from svcanalytics.report.sections.standing import index_score
from svcanalytics.report.sections.verdict import describe_movers, describe_outlook, pass_verdict

__all__ = ["summary"]

MOST_MISSED = 3


def summary(evaluation: Evaluation) -> Blocks:
    """Return the first screen in words and one picture: whether it went better, how sure that is, and why."""
    e, zh = evaluation, evaluation.language == "zh"
    told, numbers = pass_verdict(e)
    items: list = [Heading("本期综述" if zh else "Summary", 2, "summary"), Text(numbers, "lead", told)]
    items += _statements(e)
    figure = draw_glance(e)
    return Blocks((*items, figure) if figure else tuple(items))


def _statements(e: Evaluation) -> Iterator[Text]:
    zh = e.language == "zh"
    yield Text(describe_movers(e), label="变动" if zh else "Moved")
    standing = narrative.describe_lights(e.readings, e.language)
    red = [reading for reading in by_urgency(e) if reading.light == "red"]
    if red:
        standing += ("" if zh else " ") + narrative.describe_missed(red, e.language, e.every, MOST_MISSED)
    yield Text(standing, label="目标" if zh else "Target")
    for place, line in enumerate(top_causes(e), 1):
        yield Text(line, label=f"TOP {place}")
    changed = data_changes(e)
    if changed:
        yield Text(changed, label="数据" if zh else "Data")
    if any(reading.previous_base == "incomplete" for reading in e.readings):
        last = narrative.period_word(e.every, e.language, last=True)
        yield Text(
            f"{last}数据不完整，环比仅供参考。" if zh
            else f"The data of {last} are incomplete: read comparisons with it as provisional.",
            label="提示" if zh else "Beware",
        )  # fmt: skip
    outlook = describe_outlook(e) if index_score(e, "") is not None or e.ahead is not None else ""
    if outlook:
        yield Text(outlook, label="下期" if zh else "Next")
