"""The third-party comparison: how far outside audits and our own lie apart, for sure or by chance, and what to do."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from svcanalytics import charts
from svcanalytics.report.blocks import Blocks, Cell, Column, Document, Figure, Heading, Table, Text, tabulate
from svcanalytics.report.facts.examiners import AuditReview, Examined
from svcanalytics.report.sections.head_section import write_head
from svcanalytics.report.sections.narrative import describe_alternative
from svcanalytics.report.words.formats import format_date, format_number, format_points, is_missing
from svcanalytics.report.words.vocabulary import group_name

__all__ = [
    "examiners_agreement",
    "examiners_items",
    "examiners_method",
    "examiners_opening",
    "examiners_places",
    "examiners_verdict",
    "scene_table",
    "scene_verdict",
]

_KINDS = {
    "third_party": ("第三方测评", "third-party audits"),
    "mystery_shopper": ("神秘顾客", "mystery shoppers"),
    "qa": ("质检", "QA"),
    "patrol": ("巡检", "patrols"),
}
_SCENES = {"on_site": ("现场", "On site"), "online": ("线上", "Online"), "": ("未注明", "Not stated")}
_VERDICTS = {
    "lower": ("内部评分偏高", "own scores too kind", "red"),
    "higher": ("内部评分偏低", "own scores too harsh", "yellow"),
    "no": ("无显著差异", "no real difference", None),
}


def examiners_opening(review: AuditReview) -> Document:
    """Return the head of the report."""
    return write_head(review.occasion)


def examiners_verdict(review: AuditReview) -> Blocks:
    """Return the answer: do outside examiners see what we see, in this wave and over the waves together."""
    x, language = review.examined, review.occasion.language
    zh = language == "zh"
    head = Heading("结论" if zh else "Do they see what we see?", 2, "verdict")
    items: list = [head, Text(scene_verdict(x, language), "lead")]
    if x.waves > 1:
        items.append(Text(_ever(x, language)))
    items.append(Text(_advice(x, language)))
    return Blocks((*items, scene_table(x, language)))


def scene_verdict(x: Examined, language: str) -> str:
    """Return the sentence about this period: by scene, how far apart, and whether that is more than chance."""
    zh = language == "zh"
    who = _names(x.examiners, language)
    if x.scenes.empty:
        return (
            f"本期{who}与内部检查没有可比的共同单位。"
            if zh
            else f"No place was visited this period both by {who} and by us: nothing can be compared."
        )
    parts = []
    for row in x.scenes.to_dict("records"):
        gap, certain = format_points(row["difference"], language), row["verdict"] != "no"
        span, scene = _between(row, language), _scene(row["scene"], language)
        if zh:
            sure = _VERDICTS[row["verdict"]][0] if certain else "在误差范围内，无显著差异"
            parts.append(f"{scene}相差{gap}（95%区间{span}），{sure}")
        else:
            sure = _VERDICTS[row["verdict"]][1] if certain else "which chance alone can explain"
            parts.append(f"{scene.lower()} {gap} (95% interval {span}), {sure}")
    if zh:
        return f"本期{who}得分与内部得分相比：" + "；".join(parts) + "。"
    return f"Scores of {who} less our own, this period: " + "; ".join(parts) + "."


def scene_table(x: Examined, language: str) -> Table:
    """Return the table by scene, this period and all waves together."""
    zh = language == "zh"
    span = ("本期", f"近{x.waves}期合计") if zh else ("This period", f"{x.waves} waves together")
    frames = [(span[0], x.scenes)] + ([(span[1], x.scenes_ever)] if x.waves > 1 else [])
    records = [
        _record(row, language) | {"span": name, "scene": _scene(row["scene"], language), "places": row["places"]}
        for name, frame in frames
        for row in frame.to_dict("records")
    ]
    columns = [
        Column("span", "期间" if zh else "When"),
        Column("scene", "场景" if zh else "Scene"),
        *_columns(zh),
    ]
    title = "外部与内部得分对比（按场景）" if zh else "Outside scores against our own, by scene"
    note = (
        "得分率为两方都检查的项目得分÷满分；差异=外部－内部，按共同单位逐一相减后平均；结论经多重比较校正（Holm，95%）。"
        if zh
        else "Scores are points given over points possible, of the items both check. Difference: outside less own, "
        "place by place, then averaged; verdicts are corrected for all comparisons made (Holm, 95%)."
    )
    return tabulate("examiner_scenes", title, columns, records, language, note)


def examiners_places(review: AuditReview) -> Blocks:
    """Return the places: this wave and all waves together, with what can be said of each."""
    x, language = review.examined, review.occasion.language
    zh = language == "zh"
    head = Heading("按网点和团队" if zh else "By place", 2, "places")
    rows = x.places_ever if x.waves > 1 else x.places
    if rows.empty:
        text = "没有两方都检查过的单位。" if zh else "No place was visited by both sides."
        return Blocks((head, Text(text, "note")))
    sure = [group_name(row["place"], language) for row in rows.to_dict("records") if row["verdict"] == "lower"]
    unsure = int((x.places["verdict"] == "no").sum())
    if zh:
        text = f"本期{len(x.places)}个单位中，{unsure}个与内部得分无显著差异。"
        if x.waves > 1:
            text += f"合并{x.waves}期看，" + (
                f"内部评分确实偏高的有：{'、'.join(sure)}。" if sure else "没有单位的内部评分显著偏高。"
            )
    else:
        text = f"Of {len(x.places)} places {unsure} show no real difference this period."
        if x.waves > 1:
            text += f" Over {x.waves} waves our own scores are too kind for sure at: {', '.join(sure)}." if sure else (
                f" Over {x.waves} waves our own scores are too kind for sure nowhere."
            )  # fmt: skip
    columns = [Column("scene", "场景" if zh else "Scene"), Column("place", "单位" if zh else "Place"), *_columns(zh)]
    items: list = [head, Text(text)]
    tables = [("examiner_places", x.places, "各单位对比（本期）" if zh else "By place, this period")]
    if x.waves > 1:
        title = f"各单位对比（近{x.waves}期合计）" if zh else f"By place, {x.waves} waves together"
        tables.append(("examiner_places_ever", x.places_ever, title))
    for id_, frame, title in tables:
        records = [
            _record(row, language)
            | {"scene": _scene(row["scene"], language), "place": group_name(row["place"], language)}
            for row in frame.to_dict("records")
        ]
        items.append(tabulate(id_, title, columns, records, language))
    return Blocks(tuple(items))


def examiners_agreement(review: AuditReview) -> Blocks:
    """Return how well both sides agree on single places: the picture of differences, and who both call weak."""
    x, language = review.examined, review.occasion.language
    zh = language == "zh"
    head = Heading("一致程度" if zh else "How well both agree", 2, "agreement")
    items: list = [head, Text(_weak_sentence(x, language))]
    if x.limits is not None:
        items += [Text(_limits_sentence(x, language)), _figure(x, language)]
    if x.weak[["outside_weak", "inside_weak"]].any(axis=None) if len(x.weak) else False:
        items.append(_weak_table(x, language))
    return Blocks(tuple(items))


def examiners_items(review: AuditReview) -> Blocks:
    """Return the items both check, over all waves, and what the outside side alone looks at."""
    x, language = review.examined, review.occasion.language
    zh = language == "zh"
    head = Heading("按检查项" if zh else "By item", 2, "items")
    items: list = [head]
    if x.items.empty:
        text = (
            "两方的检查项名称没有相同的，以上按全部检查项比较，差异可能来自检查内容不同；建议统一检查项名称。"
            if zh
            else "Both sides share no item, so all items were compared: differences may come from what was checked. "
            "Use the same names for the same items."
        )
        items.append(Text(text, "warning"))
    else:
        columns = [
            Column("scene", "场景" if zh else "Scene"),
            Column("item", "检查项" if zh else "Item"),
            *_columns(zh),
        ]
        records = [
            _record(row, language)
            | {"scene": _scene(row["scene"], language), "item": group_name(row["item"], language)}
            for row in x.items.sort_values(["scene", "difference"]).to_dict("records")
        ]
        title = f"共同检查项对比（近{x.waves}期合计）" if zh else f"Items both check, {x.waves} waves together"
        items.append(tabulate("examiner_items", title, columns, records, language))
    for scene, names in x.apart.items():
        listed = [group_name(name, language) for name in names]
        where = _scene(scene, language)
        text = (
            f"{where}只有外部检查的项目：{'、'.join(listed)}。没有内部得分可比，建议纳入内部检查。"
            if zh
            else f"{where}, only the outside side checks: {', '.join(listed)}. There is no score of our own beside it; "
            "consider checking it too."
        )
        items.append(Text(text, "note"))
    return Blocks(tuple(items))


def examiners_method(review: AuditReview) -> Blocks:
    """Return how the comparison was made."""
    x, language = review.examined, review.occasion.language
    zh = language == "zh"
    head = Heading("口径说明" if zh else "How this was compared", 2, "method")
    against = []
    for scene, kinds in x.against.items():
        names = _names(kinds, language)
        where = _scene(scene, language)
        against.append(f"{where}与{names}比较" if zh else f"{where.lower()} with {names}")
    since = format_date(x.since, language)
    if zh:
        texts = [
            f"外部：{_names(x.examiners, language)}。内部：{'，'.join(against)}（取共同检查项最多的一类）。",
            f"一次检查为一个样本：同一事项或接触的各检查项、同一单位同一天的各检查项合并计算。{since}以来共{x.waves}期有外部检查。",
            "单次检查的离散程度按场景合并估计（每期每个单位只检查几次，单独估计不可靠）；区间为Welch区间。"
            "差异在误差范围内的写“无显著差异”，不作评价。",
        ]
    else:
        texts = [
            f"Outside: {_names(x.examiners, language)}. They are compared {', '.join(against)}: the own kind of audit "
            "that shares the most items.",
            "A visit is one sample: the items of one case or contact, or of one place on one day, are taken together. "
            f"Since {since}, {x.waves} periods had outside visits.",
            "The spread of single visits is pooled within a scene, since a place is visited but a few times a period; "
            "intervals are Welch's. What chance can explain is called no real difference and is not judged.",
        ]
    return Blocks((head, *(Text(text) for text in texts)))


def _columns(zh: bool) -> list[Column]:
    return [
        Column("outside", "外部" if zh else "Outside", "rate"),
        Column("inside", "内部" if zh else "Own", "rate"),
        Column("difference", "差异" if zh else "Difference", "points"),
        Column("band", "95%区间（百分点）" if zh else "95% interval (pp)"),
        Column("visits", "检查次数（外/内）" if zh else "Visits (out/own)"),
        Column("verdict", "结论" if zh else "Verdict"),
    ]


def _record(row: dict, language: str) -> dict:
    band = _span(row["low"], row["high"])
    chinese, english, light = _VERDICTS[row["verdict"]]
    visits = f"{int(row['n_outside']):,}/{int(row['n_inside']):,}"
    said = chinese if language == "zh" else english
    if is_missing(row["low"]):
        said = "次数太少" if language == "zh" else "too few visits"
    return {
        "outside": row["outside"],
        "inside": row["inside"],
        "difference": row["difference"],
        "band": Cell(None, "–") if is_missing(row["low"]) else Cell(band, band),
        "visits": Cell(visits, visits),
        "verdict": Cell(row["verdict"], said, light),
    }


def _ever(x: Examined, language: str) -> str:
    zh = language == "zh"
    sure = [row for row in x.scenes_ever.to_dict("records") if row["verdict"] != "no"]
    if not sure:
        return (
            f"合并近{x.waves}期，仍无显著差异。"
            if zh
            else (f"Over {x.waves} waves together there is no real difference either.")
        )
    parts = []
    for row in sure:
        gap, scene = format_points(row["difference"], language), _scene(row["scene"], language)
        span, word = _between(row, language), _VERDICTS[row["verdict"]][0 if zh else 1]
        parts.append(
            f"{scene}{word}（差异{gap}，95%区间{span}）"
            if zh
            else f"{scene.lower()} {word} ({gap}, 95% interval {span})"
        )
    if zh:
        return f"单期检查次数少，合并近{x.waves}期可以看得更清楚：" + "；".join(parts) + "。"
    return f"One wave is small; {x.waves} waves together show more: " + "; ".join(parts) + "."


def _advice(x: Examined, language: str) -> str:
    zh = language == "zh"
    verdicts = set(x.scenes_ever["verdict"]) if len(x.scenes_ever) else set()
    if "lower" in verdicts:
        return (
            "建议：内部评分高于外部评分，内部得分不宜直接用于考核；安排质检与第三方对同一批样本双盲复评，统一扣分尺度。"
            if zh
            else "What to do: our own scores run above those from outside, so don't appraise on them as they are; have "
            "QA and the third party score the same samples blind, and settle what costs a point."
        )
    if "higher" in verdicts:
        return (
            "建议：内部评分严于外部评分，核对扣分尺度是否一致。"
            if zh
            else "What to do: we score more harshly than they do; check that both take off points for the same things."
        )
    bounds = x.scenes_ever if len(x.scenes_ever) else x.scenes
    if bounds.empty:
        return "没有可比的共同单位，无法说明内部得分是否可靠。" if zh else (
            "Nothing can be compared, so nothing can be said about our own scores."
        )  # fmt: skip
    most = format_number(100 * bounds[["low", "high"]].abs().max(axis=None), language, digits=1)
    return (
        f"没有发现系统性差异；按现有检查次数，只能排除超过{most}个百分点的差异。"
        if zh
        else f"No systematic difference was found; so many visits rule out only one of more than {most} points."
    )


def _weak_sentence(x: Examined, language: str) -> str:
    zh = language == "zh"
    if x.weak.empty:
        return "检查次数太少，无法判断薄弱单位。" if zh else "Too few visits to say which places are weak."
    both = x.weak[x.weak["outside_weak"].astype(bool) & x.weak["inside_weak"].astype(bool)]
    one = x.weak[x.weak["outside_weak"].astype(bool) ^ x.weak["inside_weak"].astype(bool)]

    def listed(rows: pd.DataFrame) -> str:
        return ("、" if zh else ", ").join(group_name(name, language) for name in rows["place"])

    if both.empty and one.empty:
        return (
            "两方都没有发现显著低于其他单位的单位：各单位之间的差别在误差范围内。"
            if zh
            else "Neither side finds a place weaker than the others for sure: how they differ is within chance."
        )
    parts = []
    if len(both):
        parts.append(f"两方都认为薄弱：{listed(both)}" if zh else f"Both call weak: {listed(both)}")
    if len(one):
        parts.append(f"只有一方认为薄弱：{listed(one)}" if zh else f"Only one side calls weak: {listed(one)}")
    return ("；" if zh else "; ").join(parts) + ("。" if zh else ".")


def _limits_sentence(x: Examined, language: str) -> str:
    limits = x.limits
    assert limits is not None
    low, high = (format_points(bound, language) for bound in (limits.lower, limits.upper))
    bias = format_points(limits.bias, language)
    if language == "zh":
        return (
            f"把每个单位每期作为一对（共{limits.n}对）：平均差异{bias}，95%的差异落在{low}至{high}之间。"
            "单个单位单期的差异在这个范围内属于正常波动，不宜据此评价。"
        )
    return (
        f"Taking each place in each wave as a pair ({limits.n} pairs): the mean difference is {bias}, and 95% of "
        f"differences lie between {low} and {high}. A single place in a single wave inside these limits says nothing."
    )


def _figure(x: Examined, language: str) -> Figure:
    zh, limits = language == "zh", x.limits
    assert limits is not None
    bias = format_points(limits.bias, language)
    title = f"外部减内部：平均{bias}" if zh else f"Outside less own: {bias} on average"
    what = f"{limits.n}对得分的差异与平均" if zh else f"difference over mean of {limits.n} pairs of scores"
    drawn = charts.draw_agreement(
        x.pairs, bias=(limits.bias, limits.low, limits.high), limits=(limits.lower, limits.upper), language=language
    )
    columns = [
        Column("wave", "期间" if zh else "Period"),
        Column("scene", "场景" if zh else "Scene"),
        Column("outside", "外部" if zh else "Outside", "rate"),
        Column("inside", "内部" if zh else "Own", "rate"),
        Column("difference", "差异" if zh else "Difference", "points"),
    ]
    records = [row | {"scene": _scene(row["scene"], language)} for row in x.courses.to_dict("records")]
    data = tabulate("examiner_waves", "各期平均" if zh else "Means of each wave", columns, records, language)
    alt = describe_alternative(what, _limits_sentence(x, language), language)
    return Figure("examiner_agreement", title, alt, charts.svg(drawn, language), data)


def _weak_table(x: Examined, language: str) -> Table:
    zh = language == "zh"
    columns = [
        Column("scene", "场景" if zh else "Scene"),
        Column("place", "单位" if zh else "Place"),
        Column("outside", "外部" if zh else "Outside", "rate"),
        Column("outside_weak", "外部判断" if zh else "Outside says"),
        Column("inside", "内部" if zh else "Own", "rate"),
        Column("inside_weak", "内部判断" if zh else "We say"),
    ]
    words = ("与其他单位无显著差异", "薄弱") if zh else ("as the others", "weak")
    records = [
        {"scene": _scene(row["scene"], language), "place": group_name(row["place"], language)}
        | {"outside": row["outside"], "inside": row["inside"]}
        | {f"{side}_weak": words[bool(row[f"{side}_weak"])] for side in ("outside", "inside")}
        for row in x.weak.to_dict("records")
    ]
    title = f"薄弱单位判断（近{x.waves}期合计）" if zh else f"Which places are weak, {x.waves} waves together"
    note = (
        "薄弱=得分显著低于同场景其他单位（经多重比较校正，95%）。"
        if zh
        else "Weak: below the other places of the scene for sure, corrected for all places (95%)."
    )
    return tabulate("examiner_weak", title, columns, records, language, note)


def _span(low: float, high: float) -> str:
    """Return an interval in percentage points, the unit left to its surroundings."""
    return " – ".join(format_number(100 * bound, "en", digits=1, signed=True) for bound in (low, high))


def _between(row: dict, language: str) -> str:
    return _span(row["low"], row["high"]).replace(" – ", "至" if language == "zh" else " to ")


def _scene(scene: str, language: str) -> str:
    chinese, english = _SCENES.get(scene, (scene, scene))
    return chinese if language == "zh" else english


def _names(kinds: Iterable[str], language: str) -> str:
    names = [_KINDS[kind][0 if language == "zh" else 1] for kind in kinds]
    return "、".join(names) if language == "zh" else " and ".join(names)
