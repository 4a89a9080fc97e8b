"""What counted when: the year's weights by situation, and the index as it would be had they stood still."""

from __future__ import annotations

import pandas as pd

from svcanalytics import charts
from svcanalytics.report.blocks import Blocks, Cell, Column, Figure, Heading, Table, Text, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.reasons import LEAST, signed
from svcanalytics.report.words.formats import format_number, format_rate, is_missing

__all__ = ["weights_by_situation"]


def weights_by_situation(evaluation: Evaluation) -> Blocks:
    """Return the weights of the year with what they did to the index; nothing where a profile has no situations."""
    e, zh = evaluation, evaluation.language == "zh"
    if e.weights.empty:
        return Blocks(())
    from svcanalytics.metrics import families

    names = {family: name[e.language] for family, name in families().items()}
    situations = {s.id: s.name.get(e.language) or s.id for s in e.profile.situations}
    table = _by_month(e, names)
    svg = charts.svg(charts.draw_weights(e.weights, language=e.language, labels=names | situations), e.language)
    days = e.weights.drop_duplicates("start")["situation"]
    counted = {situations[key]: int(n) for key, n in days[days != ""].value_counts(sort=False).items()}
    if zh:
        listed = "、".join(f"{name}{n}天" for name, n in counted.items()) or "没有任何情形"
        title = f"一年中另行加权的日子：{listed}"
        what = "各类别权重在一年中的变化"
    else:
        listed = ", ".join(f"{name} {n} days" for name, n in counted.items()) or "none"
        title, what = f"Days of the year with weights of their own: {listed}", "Weight of each family over the year"
    head = Heading("权重随情形变化" if zh else "Weights by situation", 3)
    alt = narrative.describe_alternative(what, title + ("。" if zh else "."), e.language)
    items = [head, Text(_sentence(e)), Figure("weights_figure", title, alt, svg, table)]
    return Blocks((*items, _chained(e)) if len(e.chained) else tuple(items))


def _sentence(e: Evaluation) -> str:
    """Say what weights did to the index since last period: a change of weights is no change of quality."""
    rows = e.chained.set_index("period") if len(e.chained) else pd.DataFrame()
    effect = rows.loc[e.period.key, "by_weights"] if e.period.key in rows.index else None
    last = narrative.period_word(e.every, e.language, last=True)
    if is_missing(effect):
        return "没有上期指数可比。" if e.language == "zh" else "There is no earlier index to compare with."
    if abs(effect) < LEAST:
        return (
            f"权重与{last}相比没有影响指数。" if e.language == "zh" else f"Weights did not move the index since {last}."
        )
    if e.language == "zh":
        return f"与{last}相比，权重变化使指数变动{signed(effect, 'zh')}分；这不是质量变化，不计入链式指数。"
    moved = signed(effect, "en")
    return (
        f"Changed weights moved the index by {moved} since {last}; that is no change of quality, and the chained "
        "index leaves it out."
    )


def _by_month(e: Evaluation, names: dict[str, str]) -> Table:
    months = e.weights.assign(month=e.weights["start"].dt.strftime("%Y-%m"))
    daily = months.groupby(["month", "start", "family"], sort=False)["weight"].sum().reset_index()
    mean = daily.pivot_table(index="month", columns="family", values="weight", sort=False)
    columns = [Column("month", "月份" if e.language == "zh" else "Month")]
    columns += [Column(family, names.get(family, family), "rate") for family in mean.columns]
    records = [
        {"month": month} | {f: Cell(float(row[f]), format_rate(row[f], e.language)) for f in mean.columns}
        for month, row in mean.iterrows()
    ]
    title = "各月平均权重" if e.language == "zh" else "Mean weights by month"
    return tabulate("weights", title, columns, records, e.language)


def _chained(e: Evaluation) -> Table:
    zh = e.language == "zh"
    columns = [
        Column("period", "期间" if zh else "Period"),
        Column("score", "指数" if zh else "Index", "number"),
        Column("chained", "链式指数" if zh else "Chained", "number"),
        Column("constant", "固定权重" if zh else "Constant weights", "number"),
        Column("by_scores", "得分引起" if zh else "By scores", "number"),
        Column("by_weights", "权重引起" if zh else "By weights", "number"),
        Column("by_missing", "计分指标增减引起" if zh else "By what was measured", "number"),
    ]
    keys = {period.key for period in e.periods()}
    records = []
    for row in e.chained[e.chained["period"].isin(keys)].to_dict("records"):
        levels = {name: _number(row[name], e.language) for name in ("score", "chained", "constant")}
        steps = {name: _number(row[name], e.language, step=True) for name in ("by_scores", "by_weights", "by_missing")}
        records.append({"period": row["period"]} | levels | steps)
    note = (
        "链式指数只随得分变动；固定权重为各期都用第一期的权重。右侧三列相加等于指数较前一期的变动。"
        if zh
        else "The chained index moves with scores alone; constant weights are those of the first period throughout. "
        "The last three columns add up to the change of the index since the period before."
    )
    title = "指数、链式指数与固定权重指数" if zh else "The index as scored, chained, and with constant weights"
    return tabulate("chained", title, columns, records, e.language, note)


def _number(value: float, language: str, *, step: bool = False) -> Cell:
    if is_missing(value):
        return Cell(None, "–")
    return Cell(float(value), format_number(value, language, digits=1, signed=step))
