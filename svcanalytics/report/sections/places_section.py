"""Teams compared fairly: places with ties, who stands out, what changed since last period; then the service stars."""

from __future__ import annotations

import pandas as pd

from svcanalytics import charts
from svcanalytics.report.blocks import Blocks, Cell, Column, Figure, Heading, Table, Text, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.places import SMALLEST, Places
from svcanalytics.report.facts.readings import kind_of
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.reasons import measure_name
from svcanalytics.report.words.formats import format_number, format_value, is_missing
from svcanalytics.report.words.vocabulary import dimension_name, group_name

__all__ = ["unit_places"]

MOST_UNITS = 40

_STANDS = {"better": ("显著较好", "better for sure"), "worse": ("显著较差", "worse for sure"), "no": ("–", "–")}
_MOVES = {"up": ("上升", "up"), "down": ("下降", "down"), "same": ("无显著变化", "no clear change")}


def unit_places(evaluation: Evaluation) -> Blocks:
    """Return the places of teams (or channels) that noise leaves open, then the service stars with the reason."""
    e, zh = evaluation, evaluation.language == "zh"
    found = e.places
    if found is None:
        head = Heading("名次与并列" if zh else "Places", 2, "places")
        text = "数据中没有两个以上可比较的团队或渠道。" if zh else "The data hold no two teams or channels to compare."
        return Blocks((head, Text(text, "note"), *_stars(e)))
    name = dimension_name(found.unit, e.language)
    head = Heading(f"{name}名次与并列" if zh else f"{_plural(name)}: places with ties", 2, "places")
    placed = found.now[found.now["rank"].notna()]
    sentence, title = _sentence(e, found, placed), _title(e, found, placed)
    shown, hidden = _shown(placed)
    frame = shown.assign(
        unit=[group_name(unit, e.language) for unit in shown["unit"]],
        text=[_value(e, found.of, value) for value in shown["value"]],
    )
    svg = charts.svg(charts.draw_rank_intervals(frame, language=e.language), e.language)
    what = (
        f"{len(shown)}个{name}按{_of(e, found.of)}的名次及可能的名次范围"
        if zh
        else f"Places of {len(shown)} {_plural(name).lower()} by {_of(e, found.of)}, with the places each can have"
    )
    alt = narrative.describe_alternative(what, sentence, e.language)
    table = _table(e, found, shown, hidden)
    return Blocks((head, Text(sentence), Figure("places_figure", title, alt, svg, table), *_stars(e)))


def _plural(name: str) -> str:
    return {"Team": "Teams", "Channel": "Channels"}.get(name, name)


def _of(e: Evaluation, of: str) -> str:
    if of == "index":
        return "指数" if e.language == "zh" else "the index"
    return measure_name(e, of)


def _value(e: Evaluation, of: str, value: float) -> str:
    """Return how a value of what units are compared on reads."""
    if is_missing(value):
        return "–"
    if of == "index":
        return format_number(value, e.language, digits=1)
    return format_value(value, _kind(e, of), e.language)


def _kind(e: Evaluation, of: str) -> str:
    metric = e.metrics.get(of)
    return "number" if metric is None else kind_of(metric.unit, metric.kind)


def _shown(placed: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the units to show, the best first; of many those that stand out, and the largest of the others."""
    if len(placed) <= MOST_UNITS:
        return placed, 0
    order = placed.assign(out=placed["stands_out"] != "no").sort_values(["out", "n"], ascending=False, kind="stable")
    kept = placed.loc[sorted(order.index[:MOST_UNITS])]
    return kept, len(placed) - MOST_UNITS


def _names(e: Evaluation, rows: pd.DataFrame) -> str:
    return narrative.enumerate_names([group_name(u, e.language) for u in rows["unit"]], e.language, 3, "个")


def _ties(placed: pd.DataFrame) -> list[str]:
    """Return the places that can't be told apart, as "2–5"."""
    return [text for text in dict.fromkeys(placed["places"]) if "–" in text]


def _sentence(e: Evaluation, found: Places, placed: pd.DataFrame) -> str:
    name, ties = dimension_name(found.unit, e.language), _ties(placed)
    better, worse = (placed[placed["stands_out"] == side] for side in ("better", "worse"))
    if e.language == "zh":
        parts = [
            f"显著{'好' if side is better else '差'}于其他{name}的{len(side)}个（{_names(e, side)}）"
            for side in (better, worse)
            if len(side)
        ]
        text = f"{len(placed)}个{name}按{_of(e, found.of)}比较："
        text += f"{'，'.join(parts)}。" if parts else "没有一个与其他有显著差异。"
        if len(ties) == 1 and ties[0] == f"1–{len(placed)}":
            return text + "全部名次都在误差范围内，无法分出先后。"
        return text + (f"第{'、第'.join(ties)}名之间无法区分高下，视为并列。" if ties else "")
    parts = [
        f"{len(side)} {'is' if len(side) == 1 else 'are'} {word} than the others for sure ({_names(e, side)})"
        for side, word in ((better, "better"), (worse, "worse"))
        if len(side)
    ]
    text = f"Of {len(placed)} {_plural(name).lower()} compared on {_of(e, found.of)}, "
    text += f"{'; '.join(parts)}." if parts else "none differs from the others for sure."
    if len(ties) == 1 and ties[0] == f"1–{len(placed)}":
        return text + " None of their places can be told apart."
    if not ties:
        return text
    listed = narrative.enumerate_names(ties, "en", len(ties))
    return text + f" Within places {listed} nobody can be told from the others: these are ties."


def _title(e: Evaluation, found: Places, placed: pd.DataFrame) -> str:
    name, ties = dimension_name(found.unit, e.language), _ties(placed)
    out = int((placed["stands_out"] != "no").sum())
    if e.language == "zh":
        first = f"{out}个{name}与其他有显著差异" if out else f"没有{name}与其他有显著差异"
        return first + (f"，第{'、'.join(ties)}名并列" if ties else "")
    first = f"{out} of {len(placed)} stand out" if out else "Nobody stands out"
    return first + (f"; places {', '.join(ties)} are ties" if ties else "")


def _table(e: Evaluation, found: Places, shown: pd.DataFrame, hidden: int) -> Table:
    zh = e.language == "zh"
    before = found.before.set_index("unit") if len(found.before) else pd.DataFrame()
    columns = [
        Column("places", "名次" if zh else "Place"),
        Column("unit", dimension_name(found.unit, e.language)),
        Column("value", "指数" if found.of == "index" and zh else "Index" if found.of == "index" else _of(e, found.of)),
        Column("band", "95%区间" if zh else "95% interval"),
        Column("n", "样本量" if zh else "n", "integer"),
        Column("range", "可能名次" if zh else "Possible places"),
        Column("stands", "与其他相比" if zh else "Against the others"),
        Column("previous", "上期名次" if zh else "Last period"),
        Column("moved", "名次变化" if zh else "Place changed"),
    ]
    records = []
    for row in shown.to_dict("records"):
        last = before.loc[row["unit"]] if row["unit"] in before.index else None
        kind = "number" if found.of == "index" else _kind(e, found.of)
        records.append(
            {
                "places": _tie(row["places"], e.language),
                "unit": group_name(row["unit"], e.language),
                "value": Cell(row["value"], _value(e, found.of, row["value"]), kind=kind),
                "band": f"{_value(e, found.of, row['low'])} – {_value(e, found.of, row['high'])}",
                "n": None if is_missing(row["n"]) else int(row["n"]),
                "range": _range(row),
                "stands": _STANDS[row["stands_out"]][0 if zh else 1],
                "previous": "–" if last is None or is_missing(last["rank"]) else str(last["places"]),
                "moved": _moved(row, last, e.language),
            }
        )
    title = f"{dimension_name(found.unit, e.language)}名次" if zh else "Places"
    return tabulate("places", title, columns, records, e.language, _note(e, found, hidden))


def _tie(places: str, language: str) -> str:
    if language == "zh":
        return f"第{places}名"
    return f"Places {places}" if "–" in places else f"Place {places}"


def _range(row: dict | pd.Series) -> str:
    low, high = int(row["rank_low"]), int(row["rank_high"])
    return f"{low}" if low == high else f"{low}–{high}"


def _moved(row: dict, last: pd.Series | None, language: str) -> str:
    """Say that a place changed only where the places it could have then and now don't meet."""
    if last is None or is_missing(last["rank"]):
        return "–"
    key = "up" if row["rank_high"] < last["rank_low"] else "down" if row["rank_low"] > last["rank_high"] else "same"
    return _MOVES[key][0 if language == "zh" else 1]


def _note(e: Evaluation, found: Places, hidden: int) -> str:
    zh = e.language == "zh"
    left = found.now[found.now["rank"].isna()]
    small = int(left["flag"].isin(["small", "suppressed", "no_data"]).sum())
    thin = len(left) - small
    notes = []
    if zh:
        notes += [f"{small}个样本不足{SMALLEST}，不列名次。"] if small else []
        notes += [f"{thin}个可用指标权重不足或没有区间，不列名次。"] if thin else []
        notes += [f"另有{hidden}个未列出。"] if hidden else []
        notes.append(
            "名次相同者两两无法区分；“可能名次”对全部单位同时成立（95%）；与其他相比按单位个数校正（Holm）；"
            "前后两期可能名次互不重叠时才称名次变化。未按业务构成调整：承办业务不同的单位，差异可能来自业务本身。"
        )
        return "".join(notes)
    notes += [f"{small} with fewer than {SMALLEST} records have no place."] if small else []
    notes += [f"{thin} have no place because too little of the index, or no interval, is known."] if thin else []
    notes += [f"{hidden} more are not listed."] if hidden else []
    notes.append(
        "Within one place none is better than another for sure. Possible places hold for all units at once (95%); "
        "standing out is corrected for the number of units (Holm); a place has changed only where the possible places "
        "of both periods don't meet. Not adjusted for the kind of work: who does other work may differ for that."
    )
    return " ".join(notes)


def _stars(e: Evaluation) -> list:
    if e.stars is None:
        return []
    zh, found = e.language == "zh", e.stars
    items: list = [Heading("服务之星" if zh else "Service stars", 3)]
    if e.incomplete:
        text = (
            "本期数据不完整，不评选服务之星。" if zh else "The data of the period are incomplete, so nobody is chosen."
        )
        return [*items, Text(text)]
    barred = ""
    if found.barred:
        barred = (
            f"另有{found.barred}人成绩突出，但有一票否决项，不予评选。" if zh
            else f" {found.barred} more stood out but had a fault that rules out recognition."
        )  # fmt: skip
    if found.named.empty:
        text = (
            f"参评{found.compared}人中没有人显著优于其他人：差异都可能出于偶然，本期不评选。"
            if zh
            else f"Of {found.compared} compared nobody is better than the others for sure: to name one would be luck."
        )
        return [*items, Text(text + barred)]
    count = len(found.named)
    if zh:
        text = f"参评{found.compared}人，{count}人显著优于其他人，当选服务之星。{barred}"
    else:
        are = "is" if count == 1 else "are"
        text = f"{count} of {found.compared} compared {are} better than the others for sure.{barred}"
    columns = [
        Column("star", "序号" if zh else "No.", "integer"),
        Column("unit", "坐席" if zh else "Agent"),
        Column("value", ("指数" if zh else "Index") if found.of == "index" else _of(e, found.of)),
        Column("band", "95%区间" if zh else "95% interval"),
        Column("n", "样本量" if zh else "n", "integer"),
        Column("why", "理由" if zh else "Why"),
    ]
    records = [_star(e, found.of, row) for row in found.named.to_dict("records")]
    note = (
        "只在显著优于其他人者（按人数校正，Holm）中评选，最多10人，按收缩后的成绩排序；样本少的不参评。"
        if zh
        else "Chosen only among those better than the others for sure (corrected for their number, Holm), ten at most, "
        "ordered by a value in which a small sample's luck counts less; those with few records don't take part."
    )
    return [*items, Text(text), tabulate("stars", items[0].text, columns, records, e.language, note)]


def _star(e: Evaluation, of: str, row: dict) -> dict:
    from svcanalytics.metrics import families

    names = families()
    strengths = [names[s][e.language] if s in names else measure_name(e, s) for s in row["strengths"]][:3]
    mean = _value(e, of, row["centre"])
    listed = narrative.enumerate_names(strengths, e.language) if strengths else ""
    if e.language == "zh":
        why = f"显著优于全体均值{mean}" + (f"；{listed}也显著较好" if listed else "")
    else:
        why = f"Better than the mean of {mean} for sure" + (f"; also in {listed.lower()}" if listed else "")
    return {
        "star": int(row["star"]),
        "unit": group_name(row["unit"], e.language),
        "value": Cell(row["value"], _value(e, of, row["value"]), kind="number" if of == "index" else _kind(e, of)),
        "band": f"{_value(e, of, row['low'])} – {_value(e, of, row['high'])}",
        "n": None if is_missing(row["n"]) else int(row["n"]),
        "why": why,
    }
